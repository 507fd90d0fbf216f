"""Several screens, plugged and unplugged while the overlay runs: it keeps its corner and its screen.

The screens are monitors of RandR, as a desk with two of them has; Qt hears of each change as of a cable.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.overlay.desktop import Desktop, desktop, missing, until
from tests.overlay.running import hub_and_overlay, panel

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing()), reason=f"no desktop for tests: {missing()}"),
    pytest.mark.skipif(
        shutil.which("xrandr") is None, reason="xrandr missing (apt-get install x11-xserver-utils)"
    ),
]
WIDE, HIGH = 1600, 640
EDGE, PANEL = 16, (360, 36)


@pytest.fixture
def desk() -> Iterator[Desktop]:
    pytest.importorskip("PySide6", reason="the overlay's extra is not installed")
    with desktop(f"{WIDE}x{HIGH}") as one:
        plug(one, "left", 0, "screen")
        plug(one, "right", WIDE // 2)
        yield one


def plug(desk: Desktop, name: str, x: int, output: str = "none") -> None:
    """A monitor as wide as half of the desktop."""
    desk.run("xrandr", "--setmonitor", name, f"{WIDE // 2}/211x{HIGH}/169+{x}+0", output)


def unplug(desk: Desktop, name: str) -> None:
    desk.run("xrandr", "--delmonitor", name)


def stands(desk: Desktop, x: int, y: int) -> None:
    """Waits until the panel is there, and visible."""
    until(lambda: desk.windows("^Call monitor$") and panel(desk) == (x, y, *PANEL), f"the panel at {x}, {y}")


RIGHT = (WIDE - EDGE - PANEL[0], EDGE)
LEFT = (WIDE // 2 - EDGE - PANEL[0], EDGE)
"""The top right corner of each screen."""


def test_it_stands_on_the_screen_that_was_chosen_and_comes_back_to_it(desk, tmp_path):
    with hub_and_overlay(desk, tmp_path, "--screen", "right", "--corner", "top-right"):
        stands(desk, *RIGHT)
        unplug(desk, "right")
        stands(desk, *LEFT)
        plug(desk, "right", WIDE // 2)
        stands(desk, *RIGHT)
    kept = json.loads((tmp_path / "call-monitor" / "overlay.json").read_text())
    assert kept == {"corner": "top-right", "screen": "right"}


def test_tomorrow_it_stands_there_again_and_without_that_screen_on_the_main_one(desk, tmp_path):
    with hub_and_overlay(desk, tmp_path, "--screen", "right", "--corner", "top-right"):
        stands(desk, *RIGHT)
    with hub_and_overlay(desk, tmp_path):
        stands(desk, *RIGHT)
    unplug(desk, "right")
    with hub_and_overlay(desk, tmp_path):
        stands(desk, *LEFT)
        plug(desk, "right", WIDE // 2)
        stands(desk, *RIGHT)


def test_a_screen_that_is_not_there_is_said_with_those_that_are(desk, tmp_path):
    told = subprocess.run(
        [sys.executable, "-m", "monitor", "overlay", "--screen", "HDMI-7"],
        env={**desk.env, "XDG_CONFIG_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert told.returncode == 2
    assert "There is no screen HDMI-7 here; there is left, right." in told.stderr
