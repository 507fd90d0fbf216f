"""Trouble with the sound that lasts: told once when it begins, and once when it is over.

It is judged at the end of each whole second of the call, from what was counted in it:

    told           begins when                                           ends when
    bleed          a side was bled for 1 s of the last 10 s              the other talked for 10 s without
    same_audio     for 3 s of compared speech both channels are alike    for 3 s of it they are not
                   (for 20 s, where one is more than 12 dB weaker: a
                   headset that leaks looks alike until both have spoken)
    clipping       2 of the side's last 5 seconds of speech are clipped  none of its last 5 is
    dead_channel   no signal for 10 s, and the other talked for 2 s      there is a signal
"""

from collections import deque
from dataclasses import dataclass

import msgspec

from monitor.config import QualitySettings
from monitor.events import CHANNELS, Event, Quality, QualityKind

_BLED_LEAST, _BLED_OF, _CLEAR_AFTER = 1.0, 10, 10.0
_BLED_AT_ALL = 0.12  # seconds of a second; a single mistaken frame does not keep the trouble up
_ALIKE, _UNLIKE, _ALIKE_FOR, _WEAK_FOR = 0.6, 0.3, 3, 20
_CLIPPED, _CLIPPED_OF = 2, 5
_TALKED = 2.0
WEAK = 12.0
"""Decibels between alike channels from which one is rather the echo of the other."""


@dataclass(frozen=True, slots=True)
class Second:
    """What was counted in one whole second of the call; pairs are rows, times are seconds."""

    start: int
    talk: tuple[float, float]
    bled: tuple[float, float]
    compared: float
    """How long speech of the two sides was compared."""
    alike: float
    """How much of that was the same sound in both channels."""
    gain: float
    """The level difference between the channels where they are alike, in dB, without sign."""
    clipped: tuple[bool | None, bool | None]
    """Null where there was too little speech to tell."""
    signal: tuple[bool, bool]
    """Whether anything came at all."""


class Trouble:
    """One kind of trouble of one side, or of both where ``row`` is null."""

    kind: QualityKind

    def __init__(self, row: int | None, settings: QualitySettings) -> None:
        self.row = row
        self.settings = settings
        self.since: float | None = None

    def begin(self, start: float, known: float) -> Event:
        """It began at ``start``."""
        self.since = start
        return self._told(start, None, known)

    def end(self, at: float, known: float) -> Event | None:
        """It was over at ``at``; null if there was none."""
        since, self.since = self.since, None
        return None if since is None else self._told(since, max(since, at), known)

    def look(self, second: Second) -> Event | None:
        """Judges one more second."""
        raise NotImplementedError

    def _told(self, start: float, end: float | None, known: float) -> Event:
        channel = None if self.row is None else CHANNELS[self.row]
        return Quality(kind=self.kind, channel=channel, start=start, end=end, known=known)


class Bleed(Trouble):
    """The side carries the other one's voice."""

    kind: QualityKind = "bleed"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._recent: deque[tuple[int, float]] = deque(maxlen=_BLED_OF)
        self._last = 0
        self._clear = 0.0

    def look(self, second: Second) -> Event | None:  # noqa: D102
        row = self.row or 0
        bled = second.bled[row]
        self._recent.append((second.start, bled))
        if bled >= _BLED_AT_ALL:
            self._last, self._clear = second.start + 1, 0.0
        else:
            self._clear += second.talk[1 - row]
        if self.since is None and sum(b for _, b in self._recent) >= _BLED_LEAST - 1e-9:
            first = next(start for start, b in self._recent if b)
            return self.begin(float(first), second.start + 1.0)
        if self.since is not None and self._clear >= _CLEAR_AFTER:
            self._recent.clear()
            return self.end(float(self._last), second.start + 1.0)
        return None


class SameAudio(Trouble):
    """Both channels carry the same sound, at whatever level."""

    kind: QualityKind = "same_audio"

    def __init__(self, settings: QualitySettings) -> None:
        super().__init__(None, settings)
        self._alike: list[float] = []
        self._unlike = 0

    def look(self, second: Second) -> Event | None:  # noqa: D102
        if second.compared < 0.4:
            return None
        known = second.start + 1.0
        share = second.alike / second.compared
        if share >= _ALIKE:
            self._alike.append(float(second.start))
        else:
            self._alike.clear()
        self._unlike = self._unlike + 1 if share < _UNLIKE else 0
        needed = _WEAK_FOR if second.gain > WEAK else _ALIKE_FOR
        if self.since is None and len(self._alike) >= needed:
            return self.begin(self._alike[0], known)
        del self._alike[:-_WEAK_FOR]
        if self._unlike >= _ALIKE_FOR:
            return self.end(known - _ALIKE_FOR, known)
        return None


class Clipping(Trouble):
    """The side's waves are cut off."""

    kind: QualityKind = "clipping"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_CLIPPED_OF)
        self._last = 0.0

    def look(self, second: Second) -> Event | None:  # noqa: D102
        clipped = second.clipped[self.row or 0]
        if clipped is None:
            return None
        known = second.start + 1.0
        self._recent.append((float(second.start), clipped))
        self._last = known if clipped else self._last
        hits = [start for start, hit in self._recent if hit]
        if self.since is None and len(hits) >= _CLIPPED:
            return self.begin(hits[0], known)
        if not hits and len(self._recent) == _CLIPPED_OF:
            return self.end(self._last, known)
        return None


class DeadChannel(Trouble):
    """Nothing comes from the side, not even noise, while the other one talks."""

    kind: QualityKind = "dead_channel"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._start: int | None = None
        self._talk = 0.0

    def known_from_the_beginning(self) -> Event:
        """There is no such side in this recording."""
        self._start = 0
        row = self.row or 0
        here, gone = CHANNELS[1 - row], CHANNELS[row]
        say = f"This recording holds the {here} alone; what the {gone} did or left out is not judged."
        return msgspec.structs.replace(self.begin(0.0, 0.0), say=say)

    def look(self, second: Second) -> Event | None:  # noqa: D102
        row = self.row or 0
        if second.signal[row]:
            self._start, self._talk = None, 0.0
            return self.end(float(second.start), second.start + 1.0)
        if self._start is None:
            self._start = second.start
        self._talk += second.talk[1 - row]
        long_enough = second.start + 1 - self._start >= self.settings.dead_after
        if self.since is None and long_enough and self._talk >= _TALKED:
            return self.begin(float(self._start), second.start + 1.0)
        return None


def troubles(settings: QualitySettings) -> list[Trouble]:
    """Everything that is watched on each side of a call."""
    sides = range(len(CHANNELS))
    return [kind(row, settings) for row in sides for kind in (Bleed, Clipping, DeadChannel)]
