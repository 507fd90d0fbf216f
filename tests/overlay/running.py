"""A running overlay on a desktop of tests: started, found, told by a key, and ended."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.overlay.look import SHADE
from tests.overlay.desktop import Desktop, until
from tests.overlay.hubside import HubThread


@contextmanager
def overlay_on(screen: Desktop, url: str, home: Path, *more: str) -> Iterator[subprocess.Popen]:
    words = [sys.executable, "-m", "monitor", "overlay", "--url", url, *more]
    env = {**screen.env, "XDG_CONFIG_HOME": str(home)}
    process = subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL)
    try:
        until(lambda: screen.windows("^Call monitor$"), "the overlay")
        yield process
    finally:
        process.terminate()
        code = process.wait(30)
    assert code == 0


@contextmanager
def hub_and_overlay(screen: Desktop, home: Path, *more: str) -> Iterator[HubThread]:
    hub = HubThread()
    try:
        with overlay_on(screen, hub.url, home, *more):
            until(lambda: hub.listeners, "the line to the hub")
            yield hub
    finally:
        hub.stop()


def panel(screen: Desktop) -> tuple[int, int, int, int]:
    """Where the panel is, without its shadow."""
    (window,) = screen.windows("^Call monitor$")
    x, y, width, height = screen.place(window)
    return x + SHADE, y + SHADE, width - 2 * SHADE, height - 2 * SHADE


def press(screen: Desktop, what: str) -> None:
    subprocess.run([sys.executable, "-m", "monitor", "overlay", "--press", what], env=screen.env, check=True)
