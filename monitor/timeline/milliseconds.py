"""Time inside the judge: whole milliseconds of the call.

Events carry float seconds. They are converted here, once where a fact comes in and once where an event
goes out, so that "ended 30 s ago" is an exact comparison of two integers in between.
"""

CALL = 1 << 60
"""The length of a window that covers the whole call, and a moment that no call reaches."""


def ms(moment: float) -> int:
    """Seconds of the call, to the nearest millisecond."""
    return round(moment * 1000)


def seconds(moment: int) -> float:
    """Milliseconds of the call, in seconds."""
    return moment / 1000
