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
        found: list[Silence] = []
        last = self._last
        for frame, spoken in enumerate((active[0] | active[1]).tolist(), first):
            if not spoken:
                continue
            if last is not None and frame - last > self._least:
                found.append(Silence(start=seconds(last + 1), end=seconds(frame), known=seconds(frame + 1)))
            last = frame
        self._last = last
        return found
