"""Measures the overlay on a virtual desktop: latency from alert to paint, memory, CPU idle and in a call.

    python benchmarks/overlay.py                        about a minute and a half
    python benchmarks/overlay.py --rest 600             CPU at rest over ten minutes

The baseline of the latency is a plain client of the same hub, which receives the same events. Needs: apt-get
install xvfb openbox picom xdotool imagemagick x11-utils.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitor.events import CHANNELS, AlertClosed, AlertOpened, CallStarted, Prosody  # noqa: E402
from monitor.wire import envelope as wire  # noqa: E402 - after the path

if TYPE_CHECKING:
    from tests.overlay.desktop import Desktop
    from tests.overlay.hubside import HubThread

Alert = TypeVar("Alert", AlertOpened, AlertClosed)

PAINT_BAR, MEMORY_BAR, REST_BAR = 50.0, 150.0, 1.0
"""Milliseconds, MB and percent of one core."""

PROBE = """
import sys, time
from PySide6.QtWidgets import QApplication
from monitor.overlay import window
paint = window.Overlay.__init__
def probed(self, *words, **more):
    paint(self, *words, **more)
    self.painted.connect(lambda say: print(say, time.monotonic(), flush=True))
window.Overlay.__init__ = probed
from monitor.__main__ import main
sys.exit(main(["overlay", "--url", sys.argv[1], "--corner", "bottom-right"]))
"""


def started() -> CallStarted:
    """The first event of a call."""
    return CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )


def alert(number: int, at: float, kind: type[Alert], **more: str) -> Alert:
    """An alert that opens or closes."""
    told: dict[str, Any] = {
        "detected_at": at, "alert": f"a{number}",
        "rule": "interrupt.agent", "rule_hash": "h", "level": "warn",
        "channel": "agent", "start": at, "at": at, "title": "Agent interrupts",
        "message": f"card-{number}", "summary": "You came in twice.", "rationale": "Listen.",
        "clears_when": "the count is below 2", "measure": "interruptions", "to": ("agent",), **more,
    }  # fmt: skip
    return kind(**told)


class PlainClient:
    """A plain client of the hub, as the baseline."""

    def __init__(self, url: str) -> None:
        self.heard: dict[str, float] = {}
        self._line = connect(f"{url}/events?role=agent&kind=alert", proxy=None)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for message in self._line:
            now = time.monotonic()
            for line in message.splitlines():
                event = wire.decode(line)[1]
                if isinstance(event, AlertOpened):
                    self.heard.setdefault(event.message, now)


def painted(lines: Iterable[str], into: dict[str, float]) -> None:
    """Records when each card was first painted."""
    for line in lines:
        say, at = line.split()
        into[say] = float(at)


def cpu(process: psutil.Process, seconds: float) -> float:
    """Percent of one core over ``seconds``."""
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / seconds


def measure(repeats: int, rest: float, call: float) -> dict[str, float]:
    """All figures of one run."""
    from tests.overlay.desktop import desktop, until
    from tests.overlay.hubside import HubThread

    hub = HubThread()
    shown: dict[str, float] = {}
    with desktop() as screen, tempfile.TemporaryDirectory() as home:
        env = {**screen.env, "XDG_CONFIG_HOME": home, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-c", PROBE, hub.url]
        process = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            until(lambda: hub.listeners, "the line to the hub")
            threading.Thread(target=painted, args=(process.stdout, shown), daemon=True).start()
            plain, probe = PlainClient(hub.url), psutil.Process(process.pid)
            until(lambda: hub.listeners == 2, "the plain client")
            hub.say("c", [started()])
            said = {}
            for number in range(repeats):
                said[f"card-{number}"] = time.monotonic()
                hub.say("c", [alert(number, 10.0 * number, AlertOpened)])
                until(lambda name=f"card-{number}": name in shown and name in plain.heard, "the paint")
                hub.say("c", [alert(number, 10.0 * number, AlertClosed, reason="acknowledged")])
                time.sleep(0.5)
            busy = cpu_in_call(hub, probe, call, 10.0 * repeats)
            memory = probe.memory_info().rss / 1e6
        finally:
            process.terminate()
            process.wait(30)
        idle = cpu_at_rest(screen, home, rest)
    hub.stop()
    return {
        "paint_ms": median(1000 * (shown[name] - said[name]) for name in said),
        "plain_ms": median(1000 * (plain.heard[name] - said[name]) for name in said),
        "memory_mb": memory,
        "call_percent": busy,
        "rest_percent": idle,
    }


def cpu_in_call(hub: "HubThread", probe: psutil.Process, seconds: float, at: float) -> float:
    """Percent of one core while both sides' voices arrive ten times a second."""
    before, began = probe.cpu_times(), time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        now = at + passed
        hub.say(
            "c",
            [
                Prosody(detected_at=now, channel=side, at=now, level_dbfs=-20.0, level_db=6 * (now % 1))
                for side in CHANNELS
            ],
        )
        time.sleep(0.1)
    after = probe.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / (time.monotonic() - began)


def cpu_at_rest(screen: "Desktop", home: str, seconds: float) -> float:
    """Percent of one core of an overlay with a hub and no call."""
    from tests.overlay.desktop import until
    from tests.overlay.hubside import HubThread

    hub = HubThread()
    words = [sys.executable, "-m", "monitor", "overlay", "--url", hub.url]
    env = {**screen.env, "XDG_CONFIG_HOME": home}
    process = subprocess.Popen(words, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        until(lambda: hub.listeners, "the line to the hub")
        time.sleep(2.0)
        return cpu(psutil.Process(process.pid), seconds)
    finally:
        process.terminate()
        process.wait(30)
        hub.stop()


def main() -> int:
    """Prints one line of figures; returns 1 if one exceeds its limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=20, help="alerts that are painted (20)")
    parser.add_argument(
        "--rest", type=float, default=30.0, help="seconds of CPU at rest (30; 600 for the bar)"
    )
    parser.add_argument("--call", type=float, default=15.0, help="seconds of CPU in a call (15)")
    args = parser.parse_args()
    os.chdir(ROOT)
    got = measure(args.repeats, args.rest, args.call)
    print(
        f"alert to paint {got['paint_ms']:.1f} ms ({got['paint_ms'] / got['plain_ms']:.1f} times a plain "
        f"client's {got['plain_ms']:.1f} ms; bar {PAINT_BAR:.0f}) | memory {got['memory_mb']:.0f} MB (bar "
        f"{MEMORY_BAR:.0f}) | CPU at rest {got['rest_percent']:.2f} % over {args.rest:.0f} s (bar "
        f"{REST_BAR:.0f}), in a call {got['call_percent']:.1f} %"
    )
    within = (
        got["paint_ms"] <= PAINT_BAR and got["memory_mb"] <= MEMORY_BAR and got["rest_percent"] <= REST_BAR
    )
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
