"""Silence: stretches in which neither side speaks, long enough to be felt as dead air.

The frames are those of the talk-over rule, without echoes: a line that returns a voice is no voice. What
comes before the first word of a call and after the last is no silence of the conversation.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.audio.floor import frames_in
from monitor.audio.frames import seconds
from monitor.config import OverlapSettings
from monitor.events import Silence


class Silences:
    """Follows both sides. Feed it every frame once, in order; ``settings.release`` is the least silence."""

    def __init__(self, settings: OverlapSettings) -> None:
        self._least = frames_in(settings.release)
        self._last: int | None = None
        """The last frame in which somebody spoke."""

    def feed(self, first: int, active: NDArray[np.bool_]) -> list[Silence]:
        """Hears the frames from ``first`` on, ``active`` [2, n]; the silences that end in them."""
        spoken = np.flatnonzero(active[0] | active[1]) + first
        if not spoken.size:
            return []
        last, self._last = self._last, int(spoken[-1])
        known = spoken if last is None else np.concatenate([[last], spoken])
        return [
            Silence(start=seconds(int(known[at]) + 1), end=seconds(int(known[at + 1])),
                    known=seconds(int(known[at + 1]) + 1))
            for at in np.flatnonzero(np.diff(known) > self._least)
        ]  # fmt: skip
