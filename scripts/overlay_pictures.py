"""Makes docs/pictures/overlay.png and report.png from a running hub and overlay on a virtual desktop.

    python scripts/overlay_pictures.py            both pictures
    python scripts/overlay_pictures.py overlay    one of them

The overlay runs on a virtual desktop (Xvfb, openbox, picom), connected to a real hub; the report is that of
the bundled difficult call in Chromium. Needs: apt-get install xvfb openbox picom xdotool imagemagick
chromium.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitor.events import Channel, CommandApplied, Event, Prosody, SpeechEnded, SpeechStarted  # noqa: E402 - after the path
from tests.hub.hubs import alert, started  # noqa: E402
from tests.overlay.desktop import Desktop, desktop, missing, until  # noqa: E402
from tests.overlay.hubside import HubThread  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
GROUND = "#dfe5ec"
GROUND_WINDOW = """
import sys
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
window = QWidget()
window.setWindowTitle("Ground")
window.setStyleSheet(f"background: {sys.argv[1]}")
window.showFullScreen()
app.exec()
"""
"""A desktop of one colour below the overlay, so that its shadow falls on something."""

NOW = 221.0
TURNS: tuple[tuple[float, float, Channel], ...] = (
    (100.0, 160.0, "agent"),
    (20.0, 90.0, "caller"),
    (195.0, 201.5, "caller"),
    (202.0, 204.0, "agent"),
    (204.6, 211.0, "caller"),
    (210.4, 213.6, "agent"),
)

SCENES: tuple[tuple[str, list[Event]], ...] = (
    ("resting: only the strip", []),
    ("a warning: the next step first, then why", [
        alert(1, NOW, summary="You came in twice in the last two minutes."),
    ]),
    ("about one's own voice", [
        alert(2, NOW, rule="agent.raised_voice", message="Slow breath. Lower and slower.",
              summary="Your voice has been 3 semitones above your own normal for 4 s."),
    ]),
    ("critical: may come while you speak", [
        alert(3, NOW, level="critical", message="Pause: “Please, go on.”",
              summary="They said: “you are not listening”."),
    ]),
    ("praise", [
        alert(4, NOW, rule="calm.credit", praise=True, level="info", message="Nice – they’re calming down.",
              summary="Their voice fell back to normal after your last answer."),
    ]),
    ("a word from the supervisor", [
        CommandApplied(detected_at=NOW, at=NOW, kind="message", text="Refund is fine, go ahead.", by="Dana"),
    ]),
)  # fmt: skip


def conversation() -> list[Event]:
    """Half a minute in which both sides spoke, and the caller speaks now."""
    events: list[Event] = [started("c")]
    for start, end, side in TURNS:
        events.append(SpeechEnded(detected_at=end, channel=side, start=start, end=end))
    events.append(SpeechStarted(detected_at=214.4, channel="caller", at=214.2))
    events.append(Prosody(detected_at=NOW, channel="caller", at=NOW, level_dbfs=-20.0, level_db=7.0))
    events.append(Prosody(detected_at=NOW - 0.4, channel="agent", at=NOW, level_dbfs=-24.0, level_db=-2.5))
    return events


@contextmanager
def overlay(screen: Desktop, url: str, home: Path) -> Iterator[None]:
    """A running overlay."""
    words = [sys.executable, "-m", "monitor", "overlay", "--url", url, "--corner", "bottom-left"]
    env = {**screen.env, "XDG_CONFIG_HOME": str(home), "QT_SCALE_FACTOR": "2"}
    process = subprocess.Popen(words, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        until(lambda: screen.windows("^Call monitor$"), "the overlay")
        yield
    finally:
        process.terminate()
        process.wait(30)


def overlay_scene(screen: Desktop, events: Sequence[Event], home: Path, out: Path) -> None:
    """The overlay as it looks a moment after ``events``, with the desktop around it."""
    hub = HubThread()
    try:
        with overlay(screen, hub.url, home):
            until(lambda: hub.listeners, "the line to the hub")
            hub.say("c", [*conversation(), *events])
            if events:
                # The second line has faded in by then; the card stays for eight seconds of the call.
                time.sleep(1.6)
            else:
                time.sleep(0.4)
            screen.picture(out)
    finally:
        hub.stop()


def picture_overlay(folder: Path) -> None:
    """All scenes on one sheet, each under its caption."""
    tiles: list[str] = []
    with desktop("800x420") as screen:
        ground = subprocess.Popen([sys.executable, "-c", GROUND_WINDOW, GROUND], env=screen.env)
        until(lambda: screen.windows("^Ground$"), "the ground below")
        for place, (caption, events) in enumerate(SCENES):
            shot = folder / f"{place}.png"
            overlay_scene(screen, events, folder, shot)
            _run(
                "convert", str(shot), "-trim", "+repage", "-bordercolor", GROUND, "-border", "0x4", str(shot)
            )
            _run("convert", "-background", GROUND, "-fill", "#4c5865", "-pointsize", "22", f"label:{caption}",
                 str(shot), "-append", "+set", "label", str(shot))  # fmt: skip
            tiles.append(str(shot))
        ground.terminate()
        ground.wait(30)
    _run("montage", *tiles, "-tile", "2x", "-gravity", "northwest", "-geometry", "+28+14", "-background",
         GROUND,
         str(PICTURES / "overlay.png"))  # fmt: skip


def picture_report(folder: Path) -> None:
    """The report of the bundled call, as a browser shows it."""
    call, page = ROOT / "fixtures/audio/difficult-call.flac", folder / "report.html"
    _run(sys.executable, "-m", "monitor", "report", str(call), "--model", "script", "--out", str(page))
    for theme, more in (("", ()), ("-dark", ("--blink-settings=preferredColorScheme=0",))):
        out = PICTURES / f"report{theme}.png"
        _run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *more,
             "--window-size=1280,1480", f"--screenshot={out}", page.as_uri())  # fmt: skip


def _run(*words: str) -> None:
    subprocess.run(words, check=True, cwd=ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=300)  # fmt: skip


def main() -> int:
    """Makes the pictures that were asked for; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("overlay", "report", "both"), default="both")
    what = parser.parse_args().what
    lacking = missing() or ("" if shutil.which("chromium") else "chromium missing (apt-get install chromium)")
    if lacking:
        print(f"No pictures: {lacking}")
        return 2
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if what != "report":
            picture_overlay(Path(folder))
        if what != "overlay":
            picture_report(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
