"""Measures how long the supervisors' page blocks the browser's main thread with many calls, in Chromium.

    python benchmarks/page.py                200 calls, 10 events a second each, 20 seconds
    python benchmarks/page.py --open         the same with one of the calls open

A timer in the page is set to every 20 ms; its delay is the time for which the main thread was blocked. The
page without calls is measured first in the same browser, as the baseline of the machine.
"""

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitor.events import Channel, Event  # noqa: E402 - the checkout goes first on the path
from tests.web.browsing import CHROMIUM, FLAGS  # noqa: E402
from tests.web.calling import difficult, opened, said, voice  # noqa: E402
from tests.web.stage import Stage, started  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

PROBE = """(seconds) => new Promise(done => {
  const late = [], tasks = [];
  new PerformanceObserver(list => list.getEntries().forEach(entry => tasks.push(entry.duration)))
    .observe({type: "longtask"});
  const end = performance.now() + seconds * 1000;
  let due = performance.now() + 20;
  const beat = () => {
    const now = performance.now();
    late.push(Math.max(0, now - due));
    due = now + 20;
    if (now < end) setTimeout(beat, 20);
    else done({late, tasks, rows: document.querySelectorAll("#rows .row").length});
  };
  setTimeout(beat, 20);
})"""


def main() -> int:
    """Runs the benchmark; returns 1 if the limit is exceeded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=float, default=10.0, help="events a second and call")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--open", action="store_true", help="with one of the calls open")
    parser.add_argument(
        "--bar", type=float, default=100.0, help="milliseconds blocked at the 95th percentile"
    )
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    stage = Stage()
    try:
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.goto(stage.url)
            page.wait_for_selector("#state h2")
            idle = page.evaluate(PROBE, min(5.0, args.seconds))
            busy, sent = _load(page, stage, args)
            browser.close()
    finally:
        stage.stop()
    return _report(args, idle, busy, sent)


def _load(page: "Page", stage: Stage, args: argparse.Namespace) -> tuple[dict[str, Any], float]:
    calls = [f"call-{n:03d}" for n in range(args.calls)]
    for n, call in enumerate(calls):
        stage.say(call, started(call, f"Agent {n:03d}", f"Team {n % 5}"))
    page.wait_for_function("(n) => document.querySelectorAll('#rows .row').length === n", arg=args.calls)
    if args.open:
        page.evaluate("location.hash = 'call=call-000'")
    feed = Feed(stage, calls, args.rate)
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    feed.start()
    try:
        page.wait_for_timeout(2000)
        before, began, used = feed.sent, time.monotonic(), _processor_seconds(tools)
        busy = page.evaluate(PROBE, args.seconds)
        took = time.monotonic() - began
        busy["used"] = (_processor_seconds(tools) - used) / took
        return busy, (feed.sent - before) / took
    finally:
        feed.stop()


def _processor_seconds(tools: "CDPSession") -> float:
    """The CPU seconds of the page's main thread."""
    found = {metric["name"]: metric["value"] for metric in tools.send("Performance.getMetrics")["metrics"]}
    return float(found["TaskDuration"])


class Feed:
    """Publishes events of all calls at a steady rate, from inside the hub's loop."""

    def __init__(self, stage: Stage, calls: list[str], rate: float) -> None:
        self._stage = stage
        self._talk = {call: _talk(n) for n, call in enumerate(calls)}
        self._rate = rate
        self._stopping = threading.Event()
        self._done = threading.Event()
        self.sent = 0

    def start(self) -> None:
        """Starts publishing."""
        self._stage.run_inside(self._publish)

    def stop(self) -> None:
        """Stops publishing; returns when it has stopped."""
        self._stopping.set()
        self._done.wait(30)

    async def _publish(self) -> None:
        began, beat = time.monotonic(), 0
        while not self._stopping.is_set():
            beat += 1
            for call, talk in self._talk.items():
                self._stage.say_inside(call, next(talk))
                self.sent += 1
            await asyncio.sleep(max(0.0, began + beat / self._rate - time.monotonic()))
        self._done.set()


def _talk(seed: int) -> Iterator[Event]:
    """An endless call with ten events a second: prosody, turns every few seconds, occasional alerts."""
    tick, number = seed % 37, 0
    while True:
        tick += 1
        at = tick / 10
        side: Channel = "agent" if (tick // 40) % 2 else "caller"
        match tick % 40:
            case 0:
                number += 1
                yield said(number, side, at - 3, "these are some words that somebody said on a call")
            case 20 if seed % 4 == 0:
                yield opened("apology.excess", at, "critical" if seed % 8 else "warn")
            case 30:
                yield difficult(at, float((tick + seed * 13) % 90))
            case _:
                yield voice(side, at, level=(tick * 7 % 50) / 10 - 2, pitch=(tick * 3 % 40) / 10 - 1)


def _report(args: argparse.Namespace, idle: dict[str, Any], busy: dict[str, Any], sent: float) -> int:
    def at(values: list[float], share: float) -> float:
        return sorted(values)[min(len(values) - 1, int(len(values) * share))]

    p95, base = at(busy["late"], 0.95), at(idle["late"], 0.95)
    sys.stdout.write(
        f"page: {busy['rows']} calls, {sent:.0f} events/s for {args.seconds:.0f} s: main thread blocked "
        f"p50 {at(busy['late'], 0.5):.1f} ms, p95 {p95:.1f} ms, max {max(busy['late']):.0f} ms "
        f"(no calls: p95 {base:.1f} ms); long tasks {len(busy['tasks'])}, "
        f"the longest {max(busy['tasks'], default=0):.0f} ms; "
        f"the main thread used {busy['used']:.0%} of a core\n"
    )
    return 0 if p95 <= args.bar else 1


if __name__ == "__main__":
    sys.exit(main())
