"""Bleed: the other side's voice in this side's channel, and the frames that are nothing else.

A loudspeaker beside a microphone, or a line that answers with an echo, puts A's voice into B's channel.
Voice activity cannot tell (it hears speech at -40 dB, whoever speaks), so each frame that seems to be
B's is compared with A's sound while A talks or has just talked:

    B is          likeness of B to A                     B becomes
    clear         0.30 or more, then 0.42 or more        bled
    bled          0.30 or more                           bled
    bled          below 0.30 twice in a row              clear
    bled          nothing to compare for 0.5 s           clear

An echo lasts, and what is alike by chance is not so 40 ms later: it takes two looks, so that chance does
not put off by half a second what is to be told. Bled frames are no speech. The guard costs about a quarter
of B's own words while both really talk at once over an echo; that is right for alerts and wrong for
counting talk time in such a call.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.audio.floor import frames_in
from monitor.audio.frames import Run
from monitor.audio.likeness import GRID, Comparer, Likeness
from monitor.config import QualitySettings

Flags = NDArray[np.bool_]

_TAIL = frames_in(0.5)  # an echo is late by up to 0.35 s, and rings on
_STILL = 0.30  # likeness from which a bled side stays bled
_SAME_LAG = 0.05  # seconds; one recording on two channels may be late by so much
_EQUAL_DB = 3.0  # below this difference neither side is the weaker one
_NOWHERE = np.zeros(0, np.intp)
_CLEARER = 0.1  # a likeness higher by this tells which side came later


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one comparison came to."""

    frame: int
    bled: tuple[bool, bool]
    same: bool
    """Both channels carry the same sound."""
    gain: float
    """The level difference between the channels in dB, without sign."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """The verdicts on a run, and its frames of each row that are bled (before activity is asked)."""

    verdicts: list[Verdict]
    bled: Flags
    hushed: Flags


@dataclass(slots=True)
class _Row:
    """One side's state. ``until`` is the frame at which it is clear again if nothing more is compared."""

    bled: bool = False
    suspect: bool = False
    misses: int = 0
    until: int = 0
    last_active: int = field(default=-_TAIL - 1)

    def hear(self, likeness: float, threshold: float, *, active: bool) -> bool:
        """Takes one more likeness in; True while bled. Only a side that seems to speak becomes bled."""
        suspect, self.suspect = self.suspect, likeness >= _STILL
        if likeness >= (_STILL if self.bled else threshold) and (self.bled or suspect):
            self.bled, self.misses = self.bled or active, 0
        else:
            self.misses += 1
            self.bled = self.bled and self.misses < 2
        return self.bled


class BleedGuard:
    """Finds the frames of either side that are only the other side's echo."""

    def __init__(self, rate: int, settings: QualitySettings) -> None:
        self._comparer = Comparer(rate, settings.bleed_lag)
        self._threshold = settings.bleed_correlation
        self._same = settings.same_audio
        self._hush = frames_in(settings.hush_after_bleed)
        self._rows = (_Row(), _Row())
        self._hushed_until = 0

    def feed(self, run: Run, active: Flags) -> Guarded:
        """Hears a run and who seems to speak in it."""
        asked = self._asked(run.first, active)
        bled, hushed = np.zeros(active.shape, np.bool_), np.zeros(active.shape[1], np.bool_)
        at = run.first
        verdicts: list[Verdict] = []
        if not asked.size and self._at_rest(at):
            self._comparer.feed(run, asked)
            return Guarded(verdicts, bled, hushed)
        for likeness in self._comparer.feed(run, asked):
            self._lay(bled, hushed, run.first, at, likeness.frame)
            at = likeness.frame
            verdicts.append(self._judge(likeness, active[:, at - run.first].tolist()))
        self._lay(bled, hushed, run.first, at, run.first + run.frames)
        return Guarded(verdicts, bled, hushed)

    def _at_rest(self, frame: int) -> bool:
        return max(self._hushed_until, *(row.until for row in self._rows)) <= frame

    def _asked(self, first: int, active: Flags) -> NDArray[np.intp]:
        """The frames of the grid where a side seems to speak while the other does, or just did."""
        talks = [bool(flags.any()) for flags in active]
        if not any(talks):
            return _NOWHERE
        frames = np.arange(first, first + active.shape[1])
        paired = zip(talks, self._rows, strict=True)
        if not all(talk or first - row.last_active <= _TAIL for talk, row in paired):
            # One side alone: nothing to compare, only to remember.
            for side, talk, flags in zip(self._rows, talks, active, strict=True):
                if talk:
                    side.last_active = int(frames[np.flatnonzero(flags)[-1]])
            return _NOWHERE
        near = np.empty_like(active)
        for row, side in enumerate(self._rows):
            heard = np.maximum.accumulate(np.where(active[row], frames, side.last_active))
            near[row] = frames - heard <= _TAIL
            side.last_active = int(heard[-1])
        wanted = (active & near[::-1]).any(axis=0) & (frames % GRID == GRID - 1)
        asked: NDArray[np.intp] = frames[wanted]
        return asked

    def _judge(self, found: Likeness, active: list[bool]) -> Verdict:
        """Which side, if any, is the echo of the other at this frame."""
        likeness = list(found.likeness)
        gain = found.gain[0] if likeness[0] >= likeness[1] else -found.gain[1]
        same = max(likeness) >= self._same and max(found.lag) <= _SAME_LAG
        least = min(self._threshold, _STILL)
        if min(likeness) >= least:
            # A voice resembles itself a pitch period later, so both directions may look alike.
            surer = abs(likeness[0] - likeness[1]) > _CLEARER
            wrong = int(likeness[0] > likeness[1]) if surer else int(gain < 0)
            likeness[wrong] = 0.0
        if same and abs(gain) < _EQUAL_DB:
            likeness = [0.0, 0.0]
        now = found.frame
        bled = [False, False]
        for number, row in enumerate(self._rows):
            if row.until <= now:
                row.bled = False
            speaks = active[number]
            bled[number] = row.hear(likeness[number], self._threshold, active=speaks) and speaks
            row.until = now + 1 + _TAIL if row.bled else now
        if same or any(bled):
            self._hushed_until = now + 1 + self._hush
        return Verdict(now, (bled[0], bled[1]), same, abs(gain))

    def _lay(self, bled: Flags, hushed: Flags, first: int, start: int, end: int) -> None:
        """Lays the present state over the frames from ``start`` to ``end``."""
        for number, row in enumerate(self._rows):
            bled[number, start - first : max(start, min(end, row.until)) - first] = True
        hushed[start - first : max(start, min(end, self._hushed_until)) - first] = True
