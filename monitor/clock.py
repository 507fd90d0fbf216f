"""Clocks. The core never imports this module; only the code around it does, so that calls replay exactly."""

import time
from datetime import UTC, datetime

monotonic = time.monotonic
"""Monotonic time in seconds, for pacing and time-outs."""

stopwatch = time.perf_counter
"""Monotonic time in seconds with high resolution, for measuring durations."""

cpu = time.thread_time
"""CPU seconds of this thread."""

unix = time.time
"""Wall-clock seconds since 1970, for tokens and retention."""

sleep = time.sleep
"""Blocks a thread for some seconds; not for use in an event loop."""


def stamp() -> str:
    """The current time in UTC as RFC 3339 with milliseconds, the format of CloudEvents."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
