"""Voice history of each side: raised voice, speech rate, mood, and whether both voices rise together.

Times and amounts of voiced speech are in ms. A voice counts as raised once the effort score has been at
least 1.0 for 0.8 s of voiced speech, until it has been below 0.5 for 1.0 s of voiced speech.

Rising together: each side's mean effort is taken over cells of 5 s of the call; a side that is silent in a
cell keeps its last value. The voices rise together if Pearson's correlation over the last twelve cells is
high enough and both means are higher in the second half of that minute than in the first.
"""

from collections import deque
from collections.abc import Sequence
from itertools import accumulate
from operator import attrgetter
from statistics import StatisticsError, correlation, fmean, median
from typing import Literal, NamedTuple

from monitor.events import CHANNELS, Channel, Prosody
from monitor.timeline.milliseconds import CALL, ms

CELL = 5_000
CELLS = 12
SPOKEN = 4
"""Cells in which each side must have spoken; with fewer the correlation means nothing."""

TOGETHER = 0.6
RISE = 0.35
"""Effort by which each side's second half minute must exceed its first. Calm voices drift by less."""


class RisingTogether:
    """Compares the effort of both sides over the last minute."""

    def __init__(self) -> None:
        self._sums: dict[Channel, tuple[float, int]] = dict.fromkeys(CHANNELS, (0.0, 0))
        self._cells: dict[Channel, deque[float | None]] = {
            channel: deque(maxlen=CELLS) for channel in CHANNELS
        }
        self._cell = 0

    def take(self, channel: Channel, at: int, effort: float) -> float | None:
        """Adds 0.1 s of voiced speech; returns the correlation when a cell ends and both voices rise."""
        found = None
        cell = at // CELL
        if cell > self._cell:
            self._close(cell)
            found = self.climbing()
        total, count = self._sums[channel]
        self._sums[channel] = (total + effort, count + 1)
        return found

    def climbing(self) -> float | None:
        """The correlation over the last minute if both voices rise together, else null."""
        curves = [_curve(self._cells[channel]) for channel in CHANNELS]
        if any(curve is None or _rise(curve) < RISE for curve in curves):
            return None
        try:
            value = correlation(*(curve for curve in curves if curve is not None))
        except StatisticsError:  # one side did not vary at all
            return None
        return round(value, 2) if value >= TOGETHER else None

    def _close(self, cell: int) -> None:
        """Closes the cells up to ``cell``; those after the first contain no speech."""
        for channel in CHANNELS:
            total, count = self._sums[channel]
            cells = self._cells[channel]
            cells.append(total / count if count else None)
            cells.extend([None] * min(cell - self._cell - 1, CELLS))
            self._sums[channel] = (0.0, 0)
        self._cell = cell


def _curve(cells: Sequence[float | None]) -> list[float] | None:
    """The cells with silent ones filled in; null if too few have a value."""
    known = [value for value in cells if value is not None]
    if len(cells) < CELLS or len(known) < SPOKEN:
        return None
    filled = accumulate(cells, lambda last, value: last if value is None else value, initial=known[0])
    return [value for value in list(filled)[1:] if value is not None]


def _rise(curve: Sequence[float]) -> float:
    half = len(curve) // 2
    return fmean(curve[half:]) - fmean(curve[:half])


STEP = 100
"""Ms of the call that one prosody event covers."""

SCORES = (1.0, 0.75, 0.5)
"""Effort scores that are tracked; they correspond to z >= 2, 1.5 and 1 against the speaker's baseline."""

HOLD_ON = 800
HOLD_OFF = 1_000
OFF = 0.5
STALE = 2_500
"""Longest pause in ms within one raised stretch."""

LEAST_SPREAD = 0.4
"""Lower bound of the standard deviation of a speaker's rate, in syllables per second."""

LEAST_MARGIN = 1.5 * LEAST_SPREAD
"""Least excess over the speaker's mean, in syllables per second, for a rate to count as fast."""

DETAIL = 60_000
"""Ms of detail that are kept."""

PACE_WARM_UP = 100
"""Prosody events with a rate (10 s of speech) that are needed before a speaker's mean rate is used."""

PACE_MEMORY = 1.0 / 600
"""Weight of a new rate in the running mean, a time constant of about a minute of speech."""

PACE_STALE = 500
"""Ms for which a measured rate remains the speaker's current one."""

MOOD_CELL = 20_000
"""Ms of the call in one cell of ``Mood`` (before pairs of cells are merged)."""

MOOD_CELLS = 64


class ProsodySample(NamedTuple):
    """The stored values of one prosody event; ``voiced`` is the ms of voiced speech in its 0.1 s."""

    at: int
    effort: float
    pitch: float | None
    voiced: int
    rate: float | None


class EffortLevel:
    """Tracks whether effort has been at least ``on`` for long enough, and since when."""

    __slots__ = ("_began", "_below", "_last", "above", "on", "raised", "raised_until", "since")

    def __init__(self, on: float) -> None:
        self.on = on
        self.raised = False
        self.since = 0
        self._last = 0
        self.raised_until = -1
        self._began = 0
        self.above = 0
        self._below = 0

    def take(self, at: int, effort: float, voiced: int) -> bool:
        """Adds one event with ``voiced`` ms of voiced speech; returns whether the state changed."""
        if self.raised:
            return self._fall(at, effort, voiced)
        if effort < self.on:
            self.above = 0
            return False
        if not self.above or at - self._last > STALE:
            self.above, self._began = 0, at - STEP
        self.above += voiced
        self._last = at
        if self.above < HOLD_ON:
            return False
        self.raised, self.since, self._below = True, self._began, 0
        self.raised_until = at
        return True

    def _fall(self, at: int, effort: float, voiced: int) -> bool:
        if effort >= OFF:
            # After a long pause a new stretch begins.
            if at - self.raised_until > STALE:
                self.since = at - STEP
            self.raised_until, self._below = at, 0
            return False
        self._below += voiced
        if self._below < HOLD_OFF:
            return False
        self.raised, self.above = False, 0
        return True

    def stretch(self, now: int) -> tuple[int, int] | None:
        """Start and end of the latest raised stretch; null if it is too long ago."""
        return (self.since, self.raised_until) if self.raised and now - self.raised_until <= STALE else None


class Mood:
    """Mean effort over the whole call in at most ``MOOD_CELLS`` cells; longer calls have longer cells."""

    def __init__(self) -> None:
        self.cell = MOOD_CELL
        self._sums: list[tuple[float, int]] = []

    def take(self, at: int, effort: float) -> None:
        """Adds the effort of one event."""
        place = at // self.cell
        if place >= MOOD_CELLS:
            self._halve()
            place = at // self.cell
        while len(self._sums) <= place:
            self._sums.append((0.0, 0))
        total, count = self._sums[place]
        self._sums[place] = (total + effort, count + 1)

    def _halve(self) -> None:
        self.cell *= 2
        pairs = zip(self._sums[::2], [*self._sums[1::2], (0.0, 0)], strict=False)
        self._sums = [(a + b, m + n) for (a, m), (b, n) in pairs]

    def mean(self, start: int, end: int) -> float | None:
        """Mean effort between two times, to the precision of a cell; null without speech."""
        first = start // self.cell
        cells = self._sums[first : max(end // self.cell, first + 1)]
        count = sum(n for _, n in cells)
        return sum(total for total, _ in cells) / count if count else None


class VoiceHistory:
    """The voice history of one side."""

    def __init__(self) -> None:
        self.recent: deque[ProsodySample] = deque()
        self.held = {score: EffortLevel(score) for score in SCORES}
        self.mood = Mood()
        self.pace_mean = 0.0
        self.pace_count = 0
        self.quick: ProsodySample | None = None
        """The latest sample, if its speech rate is above the speaker's limit."""

        self.lifted = False
        """Whether the latest event raised the voice to any of the tracked scores, or found it raised."""

        self._pace_variance = 0.0
        self._watched = tuple(self.held.values())
        self._lowest = self.held[min(SCORES)]
        self._typical: dict[tuple[str, int], float | None] = {}

    def take(self, event: Prosody) -> list[EffortLevel]:
        """Adds one event and returns the effort levels whose state it changed."""
        at, effort, rate = ms(event.at), event.effort, event.rate_sps
        voiced = round(event.voiced * STEP)
        recent = self.recent
        recent.append(ProsodySample(at, effort or 0.0, event.pitch_st, voiced, rate))
        if recent[0].at < at - DETAIL:
            recent.popleft()
        if self._typical:
            self._typical.clear()
        self.quick, self.lifted = None, False
        if rate is not None:
            self._pace(rate)
            if rate > self.pace_mean + LEAST_MARGIN and rate > (self.pace_limit or rate):
                self.quick = recent[-1]
        if effort is None:
            return []
        if voiced:
            self.mood.take(at, effort)
        lowest = self._lowest
        if effort < OFF and not lowest.raised and not lowest.above:
            return []  # nothing is raised or about to be, so a low effort changes nothing
        turned = [held for held in self._watched if held.take(at, effort, voiced)]
        self.lifted = lowest.raised_until == at
        return turned

    def _pace(self, rate: float) -> None:
        self.pace_count += 1
        weight = max(1.0 / self.pace_count, PACE_MEMORY)
        away = rate - self.pace_mean
        self.pace_mean += weight * away
        self._pace_variance += weight * (away * away * (1.0 - weight) - self._pace_variance)

    @property
    def pace_limit(self) -> float | None:
        """The speaker's mean rate plus 1.5 standard deviations; null before it is known."""
        if self.pace_count < PACE_WARM_UP:
            return None
        return self.pace_mean + 1.5 * max(LEAST_SPREAD, float(self._pace_variance**0.5))

    def raised(self, score: float) -> EffortLevel:
        """The tracker of the highest score that does not exceed ``score``."""
        return self.held[max((one for one in SCORES if one <= score), default=SCORES[-1])]

    def sounds(self, start: int, end: int = CALL) -> list[ProsodySample]:
        """The stored samples between two times (both included)."""
        found = []
        for sound in reversed(self.recent):
            if sound.at < start:
                break
            if sound.at <= end:
                found.append(sound)
        return found[::-1]

    def typical(self, name: Literal["effort", "pitch", "rate"], start: int) -> float | None:
        """The median of a field of ``ProsodySample`` over the voiced samples since ``start``."""
        key = name, start
        if key not in self._typical:
            pick = attrgetter(name)
            found = [pick(sound) for sound in self.sounds(start) if sound.voiced]
            known = [value for value in found if value is not None]
            self._typical[key] = median(known) if known else None
        return self._typical[key]
