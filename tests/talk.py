"""Talk scripts: who speaks when, written as a person would say it, as the arrays the core works on."""

import re

import numpy as np
from numpy.typing import NDArray

from monitor.events import CHANNELS, FRAME_SECONDS

_LINE = re.compile(r"(agent|caller) (\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?: .*)?")


def active(*lines: str, seconds: float) -> NDArray[np.bool_]:
    """The activity bool [2, T] of lines such as ``"caller 0-6 it broke on monday"`` (words are ignored).

    Rows as in ``CHANNELS``; times are call seconds, rounded to the 20 ms grid.
    """
    talk = np.zeros((2, round(seconds / FRAME_SECONDS)), bool)
    for line in lines:
        found = _LINE.fullmatch(line)
        if not found:
            raise ValueError(f"not a line of a talk script: {line!r}")
        channel, start, end = found.groups()
        row = CHANNELS.index(channel)
        talk[row, round(float(start) / FRAME_SECONDS) : round(float(end) / FRAME_SECONDS)] = True
    return talk
