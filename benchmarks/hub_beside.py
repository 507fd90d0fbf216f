"""Runs a hub in a separate process, for benchmarks."""

import contextlib
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

from monitor.commands.hub import HubOptions, serve_until_stopped

spawns = multiprocessing.get_context("spawn")


@contextlib.contextmanager
def hub_beside(folder: Path) -> Iterator[tuple[int, BaseProcess]]:
    """A context with a running hub: its port and its process; the store is in ``folder``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    hub = spawns.Process(target=_serve, args=(port, folder / "hub.db"), daemon=True)
    hub.start()
    try:
        _wait_for(port)
        yield port, hub
    finally:
        hub.terminate()
        hub.join()


def _serve(port: int, db: Path) -> None:
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for the life of the process
    serve_until_stopped(HubOptions(listen=f"127.0.0.1:{port}", db=db))


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the hub did not start")
