"""What a screen reader gets: a real AT-SPI bus, and a client that listens as Orca does."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.hub.hubs import alert, started
from tests.overlay.desktop import Desktop, desktop, missing, until
from tests.overlay.running import hub_and_overlay

SYSTEM_PYTHON = "/usr/bin/python3"
LAUNCHERS = ("/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher")
LAUNCHER = next((one for one in LAUNCHERS if Path(one).exists()), "")
PACKAGES = "dbus at-spi2-core gir1.2-atspi-2.0 python3-gi libglib2.0-bin"
ENABLE = (
    "gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus "
    "--method org.freedesktop.DBus.Properties.Set org.a11y.Status IsEnabled <true>"
)


def _lacking() -> str:
    """Why nobody can listen here, for the reason of a skip."""
    look = [SYSTEM_PYTHON, "-c", "import gi; gi.require_version('Atspi', '2.0')"]
    there = LAUNCHER and all(map(shutil.which, ("dbus-daemon", "gdbus", SYSTEM_PYTHON)))
    if there and subprocess.run(look, capture_output=True, check=False).returncode == 0:
        return ""
    return f"nobody can listen here (apt-get install {PACKAGES})"


LISTEN = """
import json
import gi
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib

def say(**told):
    print(json.dumps(told), flush=True)

def heard(event):
    say(kind=event.type, politeness=event.detail1, text=event.any_data)

def look():
    desktop = Atspi.get_desktop(0)
    for n in range(desktop.get_child_count()):
        app = desktop.get_child_at_index(n)
        for m in range(app.get_child_count()):
            window = app.get_child_at_index(m)
            say(kind="window", name=window.get_name(), text=window.get_description())
    return True

Atspi.init()
listener = Atspi.EventListener.new(heard)
for kind in ("object:announcement", "object:property-change:accessible-description"):
    listener.register(kind)
say(kind="ready")
GLib.timeout_add(200, look)
Atspi.event_main()
"""

LACKING = missing() or _lacking()
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(LACKING), reason=f"no desktop for tests: {LACKING}")]


class Reader:
    """What the listening client has heard so far."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        self._heard: list[dict] = []
        os.set_blocking(process.stdout.fileno(), False)

    def hears(self, **wanted) -> bool:
        while line := self._process.stdout.readline():
            self._heard.append(json.loads(line))
        return any(wanted.items() <= told.items() for told in self._heard)


@contextmanager
def running(words: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@contextmanager
def reader_on(screen: Desktop, home: Path) -> Iterator[tuple[Desktop, Reader]]:
    """The desktop with a session bus, the accessibility bus, and somebody who listens."""
    with ExitStack() as closing:
        bus = closing.enter_context(
            running(["dbus-daemon", "--session", "--nofork", "--print-address=1"], screen.env)
        )
        env = {
            **screen.env,
            "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip(),
            "XDG_RUNTIME_DIR": str(home),
        }
        env.pop("AT_SPI_BUS_ADDRESS", None)
        closing.enter_context(running([LAUNCHER, "--launch-immediately"], env))
        there = Desktop(screen.display, env)
        until(lambda: subprocess.run(ENABLE.split(), env=env, capture_output=True).returncode == 0, "the bus")
        reader = Reader(closing.enter_context(running([SYSTEM_PYTHON, "-c", LISTEN], env)))
        until(lambda: reader.hears(kind="ready"), "the listening client")
        yield there, reader


def test_a_screen_reader_is_told_each_card_and_finds_it_on_the_overlay(tmp_path):
    pytest.importorskip("PySide6", reason="the overlay's extra is not installed")
    with (
        desktop() as screen,
        reader_on(screen, tmp_path) as (there, reader),
        hub_and_overlay(there, tmp_path) as hub,
    ):
        until(
            lambda: reader.hears(kind="window", name="Call monitor", text="Waiting for a call"), "the overlay"
        )
        hub.say("c", [started("c"), alert(1, 5.0, summary="You came in twice.")])
        spoken = "Warning: Let them land the sentence. You came in twice."
        until(lambda: reader.hears(kind="object:announcement", politeness=1, text=spoken), "the warning")
        until(lambda: reader.hears(kind="window", name="Call monitor", text=spoken), "the card's words")
        hub.say("c", [alert(2, 6.0, level="critical", message="Pause.", summary="")])
        until(
            lambda: reader.hears(kind="object:announcement", politeness=2, text="Critical: Pause."),
            "the critical card, which may interrupt",
        )
