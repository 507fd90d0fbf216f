"""The overlay on a real desktop (Xvfb, openbox, picom): seen, and never in the way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.events import CommandApplied
from tests.hub.hubs import alert, started
from tests.overlay.cable import Cable
from tests.overlay.desktop import Desktop, desktop, missing, until
from tests.overlay.hubside import HubThread
from tests.overlay.running import SHADE, hub_and_overlay, overlay_on, panel, press

np = pytest.importorskip("numpy")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing()), reason=f"no desktop for tests: {missing()}"),
]

STRIP = 36
AMBER, ROSE, SKY = (242, 192, 99), (255, 143, 134), (140, 188, 240)

BELOW = """
import sys
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget
app = QApplication([])
window = QWidget()
window.setWindowTitle("The work below")
layout = QVBoxLayout(window)
text, button = QLineEdit(), QPushButton("Press me")
button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
layout.addWidget(text)
layout.addWidget(button)
text.textChanged.connect(lambda now: print("text", now, flush=True))
button.clicked.connect(lambda: print("clicked", flush=True))
window.showMaximized()
text.setFocus()
app.exec()
"""


@pytest.fixture(scope="module")
def screen() -> Iterator[Desktop]:
    pytest.importorskip("PySide6", reason="the overlay's extra is not installed")
    with desktop() as one:
        yield one


def shot(screen: Desktop, path: Path):
    """The screen as an array of rows, columns and colours."""
    raw = path.with_suffix(".rgb")
    screen.run("import", "-window", "root", "-depth", "8", f"rgb:{raw}")
    return np.frombuffer(raw.read_bytes(), np.uint8).reshape(640, 1000, 3).astype(int)


def near(picture, colour: tuple[int, int, int]):
    """Where the picture has this colour, or nearly."""
    return np.abs(picture - np.array(colour)).max(axis=2) <= 12


def widths(mask) -> list[int]:
    """How wide the largest patch is in each of its rows, from top to bottom."""
    rows = np.flatnonzero(mask.any(axis=1))
    return [
        int(np.ptp(np.flatnonzero(mask[row])) + 1) for row in range(rows[0], rows[-1] + 1) if mask[row].any()
    ]


def iconic(picture, window: tuple[int, int, int, int], colour: tuple[int, int, int]):
    """The patch of a colour where the icon of a card is."""
    x, y, _, _ = window
    return near(picture[y + 8 : y + 48, x + 12 : x + 52], colour)


def tall(screen: Desktop) -> tuple[int, int, int, int] | None:
    """The panel's place once a card has opened it fully."""
    place = panel(screen)
    return place if place[3] > 80 else None


def settled(screen: Desktop, tmp_path: Path, colour: tuple[int, int, int], strip: int = 0):
    """The screen once the icon's colour is there in full; ``strip`` pixels stand above the card."""

    def look():
        place = tall(screen)
        if place is None:
            return None
        picture = shot(screen, tmp_path / "screen")
        x, y, width, height = place
        there = iconic(picture, (x, y + strip, width, height), colour).sum() > 150
        return (picture, place) if there else None

    return until(look, "the card")


def test_a_warning_is_a_diamond_and_something_critical_a_triangle(screen, tmp_path):
    with hub_and_overlay(screen, tmp_path, "--corner", "top-right") as hub:
        hub.say("c", [started("c"), alert(1, 5.0)])
        picture, (x, y, width, _) = settled(screen, tmp_path, AMBER, STRIP)
        assert (x + width, y) == (1000 - 16, 16)
        diamond = widths(iconic(picture, (x, y + STRIP, 0, 0), AMBER))
        assert diamond[len(diamond) // 2] > 3 * max(diamond[0], diamond[-1])
        hub.say("c", [alert(2, 6.0, level="critical", message="Pause.", summary="")])
        picture, (x, y, _, _) = settled(screen, tmp_path, ROSE, STRIP)
        triangle = widths(iconic(picture, (x, y + STRIP, 0, 0), ROSE))
        assert triangle[-3] > 3 * triangle[0]
        assert triangle[-3] > triangle[len(triangle) // 2] > triangle[1]


def test_what_is_below_shines_through_and_corners_are_round(screen, tmp_path):
    with hub_and_overlay(screen, tmp_path, "--corner", "bottom-left") as hub:
        hub.say("c", [started("c"), alert(1, 5.0)])
        picture, (x, y, width, height) = settled(screen, tmp_path, AMBER)
        ground = picture[200, 800]
        inside = picture[y + height // 2, x + 3].sum()
        assert inside < ground.sum() / 2
        for corner in (picture[y, x], picture[y + height - 1, x + width - 1]):
            assert inside < corner.sum() < ground.sum(), "round, with nothing but the shadow at the corner"
        assert (picture[y - SHADE, x - SHADE] == ground).all()


def test_typing_and_clicks_go_to_the_window_below(screen, tmp_path):
    below = subprocess.Popen(
        [sys.executable, "-c", BELOW], env=screen.env, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        (window,) = until(lambda: screen.windows("The work below"), "the window below")
        screen.run("xdotool", "windowactivate", "--sync", window)
        os.set_blocking(below.stdout.fileno(), False)
        with hub_and_overlay(screen, tmp_path, "--corner", "bottom-right") as hub:
            hub.say("c", [started("c"), alert(1, 5.0, level="critical")])
            _, (x, y, width, height) = settled(screen, tmp_path, ROSE)
            assert screen.run("xdotool", "getactivewindow") == window
            screen.run("xdotool", "type", "--delay", "20", "hello")
            heard: list[str] = []
            until(lambda: heard.extend(_lines(below)) or "text hello" in heard, "the typed text below")
            for share in (0.2, 0.5, 0.8):
                at = str(x + int(width * share)), str(y + height // 2)
                screen.run("xdotool", "mousemove", *at, "click", "1")
            until(lambda: heard.extend(_lines(below)) or heard.count("clicked") == 3, "three clicks below")
    finally:
        below.terminate()
        below.wait(30)


def _lines(process: subprocess.Popen) -> list[str]:
    lines = []
    while line := process.stdout.readline():
        lines.append(line.strip())
    return lines


def test_after_a_restart_of_the_hub_the_overlay_shows_what_is_open(screen, tmp_path):
    hub = HubThread()
    with overlay_on(screen, hub.url, tmp_path, "--corner", "bottom-right"):
        until(lambda: hub.listeners, "the line to the hub")
        hub.stop()
        again = HubThread(hub.port)
        try:
            again.say("c", [started("c"), alert(3, 50.0)])
            settled(screen, tmp_path, AMBER)
        finally:
            again.stop()


def test_a_supervisors_words_said_while_the_line_was_down_come_when_it_is_back(screen, tmp_path):
    hub = HubThread()
    cable = Cable(hub.url)
    try:
        with overlay_on(screen, cable.url, tmp_path, "--corner", "bottom-right"):
            until(lambda: hub.listeners, "the line to the hub")
            hub.say("c", [started("c"), alert(1, 5.0)])
            settled(screen, tmp_path, AMBER)
            cable.pull()
            until(lambda: not hub.listeners, "the hub to notice")
            hub.say(
                "c",
                [
                    CommandApplied(
                        detected_at=30.0, at=30.0, kind="message", text="Refund is fine.", by="Dana"
                    )
                ],
            )
            cable.plug()
            settled(screen, tmp_path, SKY)
    finally:
        cable.pull()
        hub.stop()


def test_a_key_of_the_desktop_acknowledges_the_card(screen, tmp_path):
    with hub_and_overlay(screen, tmp_path, "--corner", "bottom-right") as hub:
        hub.say("c", [started("c"), alert(1, 5.0)])
        settled(screen, tmp_path, AMBER)
        press(screen, "acknowledge")
        until(lambda: hub.orders, "the order")
        assert (hub.orders[0].kind, hub.orders[0].alert) == ("acknowledge", "a1")
        press(screen, "hide")
        until(lambda: not screen.windows("^Call monitor$"), "the overlay to hide")
        press(screen, "hide")
        until(lambda: screen.windows("^Call monitor$"), "the overlay to come back")


def test_it_stands_where_it_last_stood(screen, tmp_path):
    places = []
    for more in (("--corner", "top-left"), ()):
        with hub_and_overlay(screen, tmp_path, *more):
            places.append(panel(screen)[:2])
    assert places == [(16, 16), (16, 16)]


def test_no_overlay_runs_beside_another(screen, tmp_path):
    with hub_and_overlay(screen, tmp_path) as hub:
        second = subprocess.run(
            [sys.executable, "-m", "monitor", "overlay", "--url", hub.url],
            env=screen.env, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert second.returncode == 2
        assert "already" in second.stderr


def test_a_long_life_does_not_wear_python_out(screen):
    """PySide6 6.12.0 lost a reference to None with each call on Python 3.11."""
    program = (
        "import sys; from PySide6.QtGui import QPainter, QPixmap\n"
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([]); pixmap = QPixmap(9, 9); before = sys.getrefcount(None)\n"
        "for _ in range(500):\n"
        "    painter = QPainter(pixmap); painter.drawRect(0, 0, 5, 5); painter.end()\n"
        "print(sys.getrefcount(None) - before, flush=True)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=screen.env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(told.stdout) > -100
