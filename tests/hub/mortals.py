"""The processes of the kill test: a hub, monitors and listeners that may die at any moment."""

import contextlib
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from monitor import clock
from monitor.client.address import HubAddress
from monitor.client.uplink import Uplink
from monitor.commands.hub import HubOptions, serve_until_stopped
from monitor.sinks import Line
from monitor.wire.messages import CallIdentity
from tests.hub.hubs import alert, ended, level, started

PACE = 0.004
"""Seconds between two alerts of a monitor: it is busier than any real call."""


@contextlib.contextmanager
def appending(path: Path) -> Iterator[int]:
    """A file to which each ``os.write`` adds a line at once, so that a kill leaves whole lines."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def run_hub(port: int, db: Path) -> None:
    """The hub of ``monitor hub``."""
    serve_until_stopped(HubOptions(listen=f"127.0.0.1:{port}", db=db))


def run_monitor(url: str, folder: Path, call: str, ledger: Path, alerts: int | None) -> None:
    """A monitor with an endless call, or one that ends after so many ``alerts``.

    What stands in the ledger was taken by the uplink, so it must reach everybody.
    """
    uplink = Uplink(
        HubAddress(url), CallIdentity(call=call, agent="anna", team="north"), folder, patience=30.0
    )
    uplink.take([Line(call, 1, started(call))])
    with appending(ledger) as file:
        for number in itertools.count(2) if alerts is None else range(2, alerts + 2):
            lines = [Line(call, number, alert(number)), Line(call, number, level(1.0))]
            uplink.take(lines)
            os.write(file, f"{call} {number}\n".encode())
            clock.sleep(PACE)
    uplink.take([Line(call, (alerts or 0) + 2, ended())])
    uplink.close()


def run_listener(url: str, heard: Path, last_call: str) -> None:
    """Writes down each line that must arrive, once it has come; goes on from there after any break."""
    while True:
        with (
            appending(heard) as file,
            contextlib.suppress(OSError, WebSocketException),
            connect(f"{url}/events?kind=alert,call&since={_last(heard)}", proxy=None) as hub,
        ):
            for message in hub:
                line = json.loads(message)
                call, number = line["id"].rsplit("/", 1)
                os.write(file, f"{int(line['sequence'])} {call} {number}\n".encode())
                if line["type"] == "monitor.call.ended" and call == last_call:
                    return
        clock.sleep(0.02)


def _last(heard: Path) -> int:
    lines = heard.read_text().splitlines() if heard.exists() else []
    return int(lines[-1].split()[0]) if lines else 0
