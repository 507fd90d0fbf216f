"""The wall clock, in one place. The core never imports this; only the shells around it do."""

import time
from datetime import UTC, datetime

monotonic = time.monotonic
"""Seconds that only go forward, for pacing and time-outs."""

stopwatch = time.perf_counter
"""Seconds of high resolution, for measuring how long work took."""

cpu = time.thread_time
"""Seconds that this thread has really worked, for shares of a busy machine."""

unix = time.time
"""Seconds since 1970, for tokens and retention."""

sleep = time.sleep
"""Waits in a thread that has nothing to wait on; the event loop has its own."""


def stamp() -> str:
    """Now, as RFC 3339 in UTC with milliseconds, as CloudEvents want it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
