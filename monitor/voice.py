"""How one side has sounded: effort held over time, pace against the speaker's own, a minute of detail.

The hold is the one measured in the product's notes on raised voices: a score of 1.0 and more held
for 0.8 s of voiced speech begins a raised stretch; below 0.5 for 1.0 s of voiced speech ends it.
"""

from collections import deque
from collections.abc import Callable
from statistics import fmean, median
from typing import NamedTuple

from monitor.events import Prosody

STEP = 0.1
"""Seconds of speech that one prosody event speaks for."""

SCORES = (1.0, 0.75, 0.5)
"""Effort scores that are watched; they read as z >= 2, 1.5 and 1 of the speaker's own normal."""

HOLD_ON = 0.8
HOLD_OFF = 1.0
OFF = 0.5
STALE = 4.0
"""Seconds without speech after which a raised stretch is over, whatever it was."""

DETAIL = 60.0
"""Seconds of detail that are kept."""

PACE_WARM_UP = 100
"""Prosody events with a rate (10 s of speech) before a speaker's own pace is believed."""

PACE_MEMORY = 1.0 / 600
"""Weight of a new pace in the running mean: a minute of speech is the memory."""

MOOD_CELL = 20.0
"""Seconds of the call in one cell of the mood's curve (before two cells are joined into one)."""

MOOD_CELLS = 64


class Sound(NamedTuple):
    """One prosody event, as it is remembered."""

    at: float
    effort: float
    pitch: float | None
    voiced: float
    rate: float | None


class Held:
    """Whether effort has been at ``on`` and above for long enough, and since when."""

    __slots__ = ("_above", "_below", "_began", "last", "on", "raised", "since")

    def __init__(self, on: float) -> None:
        self.on = on
        self.raised = False
        self.since = 0.0
        self.last = 0.0
        self._began = 0.0
        self._above = 0.0
        self._below = 0.0

    def take(self, at: float, effort: float, voiced: float) -> bool:
        """Goes on by one event; whether the voice was raised or lowered by it."""
        if self.raised:
            return self._fall(at, effort, voiced)
        if effort < self.on or at - self.last > STALE:
            self._above = 0.0
        if effort >= self.on:
            if not self._above:
                self._began = at - STEP
            self._above += voiced
        self.last = at
        if self._above < HOLD_ON - 1e-9:
            return False
        self.raised, self.since, self._below = True, self._began, 0.0
        return True

    def _fall(self, at: float, effort: float, voiced: float) -> bool:
        gone = at - self.last > STALE
        self._below = self._below + voiced if effort < OFF else 0.0
        if effort >= OFF or not gone:
            self.last = at
        if not gone and self._below < HOLD_OFF - 1e-9:
            return False
        self.raised, self._above, self.last = False, 0.0, at
        return True


class Mood:
    """Mean effort over the whole call in at most ``MOOD_CELLS`` cells: a long call gets longer cells."""

    def __init__(self) -> None:
        self.cell = MOOD_CELL
        self._sums: list[tuple[float, int]] = []

    def take(self, at: float, effort: float) -> None:
        """Adds one event."""
        place = int(at / self.cell)
        if place >= MOOD_CELLS:
            self._halve()
            place = int(at / self.cell)
        while len(self._sums) <= place:
            self._sums.append((0.0, 0))
        total, count = self._sums[place]
        self._sums[place] = (total + effort, count + 1)

    def _halve(self) -> None:
        self.cell *= 2
        pairs = zip(self._sums[::2], [*self._sums[1::2], (0.0, 0)], strict=False)
        self._sums = [(a + b, m + n) for (a, m), (b, n) in pairs]

    def mean(self, start: float, end: float) -> float | None:
        """Mean effort between two moments of the call, to the precision of a cell."""
        cells = self._sums[int(start / self.cell) : max(int(end / self.cell), int(start / self.cell) + 1)]
        count = sum(n for _, n in cells)
        return sum(total for total, _ in cells) / count if count else None


class Voice:
    """One side's sound so far."""

    def __init__(self) -> None:
        self.recent: deque[Sound] = deque()
        self.held = {score: Held(score) for score in SCORES}
        self.mood = Mood()
        self.pace_mean = 0.0
        self.pace_count = 0
        self._pace_variance = 0.0
        self._watched = tuple(self.held.values())

    def take(self, event: Prosody) -> bool:
        """Goes on by one event; whether the voice was raised or lowered by it."""
        at, recent = event.at, self.recent
        effort = event.effort
        recent.append(Sound(at, effort or 0.0, event.pitch_st, event.voiced, event.rate_sps))
        if recent[0].at < at - DETAIL:
            recent.popleft()
        if event.rate_sps is not None:
            self._pace(event.rate_sps)
        if effort is None:
            return False
        if event.voiced:
            self.mood.take(at, effort)
        voiced = event.voiced * STEP
        turned = False
        for held in self._watched:
            turned |= held.take(at, effort, voiced)
        return turned

    def _pace(self, rate: float) -> None:
        self.pace_count += 1
        weight = max(1.0 / self.pace_count, PACE_MEMORY)
        away = rate - self.pace_mean
        self.pace_mean += weight * away
        self._pace_variance += weight * (away * away * (1.0 - weight) - self._pace_variance)

    @property
    def pace_limit(self) -> float | None:
        """The speaker's own mean pace and 1.5 standard deviations; null before it is known."""
        if self.pace_count < PACE_WARM_UP:
            return None
        return self.pace_mean + 1.5 * float(self._pace_variance**0.5)

    def raised(self, score: float) -> Held:
        """The watcher of the highest score that is not above ``score``."""
        return self.held[max((one for one in SCORES if one <= score), default=SCORES[-1])]

    def sounds(self, start: float, end: float = float("inf")) -> list[Sound]:
        """The remembered events between two moments."""
        found = []
        for sound in reversed(self.recent):
            if sound.at < start:
                break
            if sound.at <= end:
                found.append(sound)
        return found[::-1]

    def typical(self, pick: Callable[[Sound], float | None], start: float) -> float | None:
        """The median over voiced events since ``start``."""
        values = [value for sound in self.sounds(start) if sound.voiced and (value := pick(sound)) is not None]
        return median(values) if values else None

    def mean_effort(self, start: float, end: float) -> float | None:
        """Mean effort of the voiced events between two moments."""
        values = [sound.effort for sound in self.sounds(start, end) if sound.voiced]
        return fmean(values) if values else None
