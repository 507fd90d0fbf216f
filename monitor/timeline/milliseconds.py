"""Conversion between seconds of events and the integer milliseconds of the timeline and the judge.

Events carry float seconds. They are converted once on input and once on output, so that in between
"ended 30 s ago" is an exact comparison of two integers.
"""

CALL = 1 << 60
"""The length of a window that covers the whole call; also a time that no call reaches ("never")."""


def ms(moment: float) -> int:
    """Converts seconds of the call to integer milliseconds (rounded to nearest)."""
    return round(moment * 1000)


def seconds(moment: int) -> float:
    """Converts milliseconds of the call to seconds."""
    return moment / 1000
