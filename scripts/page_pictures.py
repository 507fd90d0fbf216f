"""Makes the pictures of the supervisors' page for the README, from recorded calls in a running hub.

    python scripts/page_pictures.py          docs/pictures/page-dark.png and page-light.png

Bundled recordings are played through the monitor to a hub in real time (faster, the hub would drop levels),
and Chromium takes the pictures. The words are those of the recordings' scripts.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitor.events import CallStarted, Event  # noqa: E402 - the checkout goes first on the path
from monitor.session import replay_events  # noqa: E402
from tests.web.browsing import CHROMIUM, FLAGS, Visit  # noqa: E402
from tests.web.stage import Stage  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
SPEED = 1.0
LOOK_AT = 56.0
"""Seconds into the difficult call when the picture is taken."""

CALLS = (
    ("difficult-call.flac", "Amira K.", "Billing", 0.0),
    ("interruptions.flac", "Tom R.", "Billing", 4.0),
    ("apologies.wav", "Jo P.", "Support", 9.0),
    ("raised.wav", "Lena S.", "Support", 14.0),
    ("hold.flac", "Marc D.", "Sales", 20.0),
    ("calm.wav", "Ines V.", "Billing", 22.0),
    ("backchannels.flac", "Sam T.", "Sales", 31.0),
)
"""Recording, agent, team, and how many seconds after the first call this one begins."""


def main() -> int:
    """Makes the pictures."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    schedule = _schedule()
    stage = Stage()
    try:
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            looks = {
                "page-dark.png": Visit(browser, f"{stage.url}#role=agent", color_scheme="dark"),
                "page-light.png": Visit(browser, f"{stage.url}#role=agent", color_scheme="light"),
            }
            first = next(call for _, call, event in schedule if isinstance(event, CallStarted))
            looks["page-dark.png"].page.evaluate("(call) => location.hash += `&call=${call}`", first)
            stage.run_inside(lambda: _play(stage, schedule)).result(2 * LOOK_AT / SPEED)
            for name, look in looks.items():
                look.page.wait_for_timeout(700)
                look.page.screenshot(path=PICTURES / name)
                sys.stdout.write(f"{PICTURES / name}: {(PICTURES / name).stat().st_size / 1000:.0f} kB\n")
            browser.close()
    finally:
        stage.stop()
    return 0


def _schedule() -> list[tuple[float, str, Event]]:
    """What is said when, by which call, up to the moment of the picture."""
    found: list[tuple[float, str, Event]] = []
    for file, agent, team, begins in CALLS:
        sys.stderr.write(f"{file} …\n")
        started, *events = replay_events([ROOT / "fixtures" / "audio" / file], model="script")
        assert isinstance(started, CallStarted)  # noqa: S101 # the first event of a call is its start
        named = msgspec.structs.replace(started, agent=agent, team=team)
        found += [(begins + event.detected_at, named.call, event) for event in (named, *events)]
    return sorted((entry for entry in found if entry[0] <= LOOK_AT), key=lambda entry: entry[0])


async def _play(stage: Stage, schedule: list[tuple[float, str, Event]]) -> None:
    began = time.monotonic()
    for at, call, event in schedule:
        await asyncio.sleep(max(0.0, began + at / SPEED - time.monotonic()))
        stage.say_inside(call, event)


if __name__ == "__main__":
    sys.exit(main())
