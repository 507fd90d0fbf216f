"""Where speech really began: the edges of one detector put to those of a quicker one nearby.

Silero says whether there is speech, in steps of 32 ms; WebRTC hears its edges in steps of 10 ms, but
cannot be trusted about the whether. So an edge of Silero's moves to the nearest turn of WebRTC's, if
there is one within reach, and stays where it is otherwise (inside music WebRTC never turns).
"""

from collections import deque

SPEECH, UNSURE, QUIET = 1, 0, -1
"""A detector's votes."""

KEEP = 200
"""Votes remembered beyond the run that is being heard (2 s): segments look back no further."""


class Edges:
    """The recent votes of the quick detector; ``step`` seconds each, ``reach`` in seconds.

    ``hangover`` is how long the detector goes on voting for speech when it is over.
    """

    def __init__(self, step: float, reach: float, hangover: float = 0.0) -> None:
        self._step, self._reach, self._hangover = step, round(reach / step), round(hangover / step)
        self._speech: deque[bool] = deque()
        self._first = 0

    def feed(self, votes: list[int]) -> None:
        """The next votes; what lies more than ``KEEP`` behind them is forgotten."""
        while len(self._speech) > KEEP:
            self._speech.popleft()
            self._first += 1
        self._speech.extend(vote == SPEECH for vote in votes)

    def rise(self, at: float, known: float) -> float:
        """Where the speech that seems to begin at ``at`` began, by what was known at ``known`` seconds."""
        return self._nearest(at, known, was=False)

    def fall(self, at: float, known: float) -> float:
        """Where the speech that seems to end at ``at`` ended."""
        turn = self._nearest(at + self._hangover * self._step, known, was=True)
        return turn - self._hangover * self._step

    def _nearest(self, at: float, known: float, *, was: bool) -> float:
        """The time of the nearest turn away from ``was``, or ``at`` if none is in reach."""
        middle, newest = round(at / self._step), round(known / self._step)
        for away in range(self._reach + 1):
            for place in (middle - away, middle + away):
                if place < newest and self._heard(place - 1) is was and self._heard(place) is (not was):
                    return place * self._step
        return at

    def _heard(self, number: int) -> bool | None:
        place = number - self._first
        return self._speech[place] if 0 <= place < len(self._speech) else None
