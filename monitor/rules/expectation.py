"""Contracts and absences: what ought to be said in time.

A verdict waits until the recogniser has caught up with the deadline (never more than
``WORDS_PATIENCE`` longer), because words are known later than they are said.
"""

from collections import deque
from dataclasses import dataclass, field

from monitor.events import Channel
from monitor.rules.reading import Bar, Reading, from_marks
from monitor.rules.triggers import NOT_MET, Assessment, BoundCue, Step, in_part
from monitor.timeline import Mark, Timeline

SOON = 0.5
"""Seconds after which it is looked again whether the recogniser has caught up."""


@dataclass(slots=True)
class ExpectationTrigger:
    """``after`` CUE ``expect`` RESPONSE ``within`` a time; its value is how often that was not kept."""

    after: BoundCue
    expect: BoundCue
    within: float
    steps: tuple[Step, ...]
    bars: tuple[Bar, ...]
    windows: tuple[float, ...]
    lookback: float = 0.0
    turns: int | None = None
    unless: BoundCue | None = None
    topics: frozenset[str] = field(init=False)
    words: bool = field(init=False)
    expected: frozenset[Channel] = field(init=False)
    kept: int = 0
    broken: int = 0
    _judged_to: float = field(default=-1.0, init=False)
    _broken: deque[tuple[float, Mark]] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self.topics = frozenset(self.after.topics | ({"floor"} if self.turns else set()))
        self.words = self.after.words or self.expect.words
        self.expected = frozenset(self.expect.channels)

    def look(self, line: Timeline, step: int) -> Assessment:
        """See ``Trigger``."""
        again = self._judge(line)
        longest = max(self.windows)
        while self._broken and self._broken[0][0] < line.now - longest:
            self._broken.popleft()
        best, reading, bar, staying = NOT_MET, Reading(0.0), self.bars[0], False
        at = self._broken[-1][0] if self._broken else line.now
        for place, window in enumerate(self.windows):
            marks = [mark for deadline, mark in self._broken if deadline > line.now - window]
            met = self.bars[place].met(len(marks))
            staying |= met and place == 0
            if met and (place <= step or in_part(self.steps[place].during, at, line)):
                best, bar, reading = place, self.bars[place], from_marks(marks, len(marks))
        leaves = [self._broken[0][0] + window for window in self.windows] if self._broken else []
        soon = [one for one in (again, *leaves) if one is not None and one > line.now]
        return Assessment(best, staying, reading, bar, at, min(soon, default=None))

    def _judge(self, line: Timeline) -> float | None:
        """Judges every cue whose time is over; when the next one is due."""
        reach = self.within + self.lookback + 30.0
        for cue in self.after.marks(line, max(self._judged_to, line.now - reach)):
            deadline = self._deadline(line, cue)
            heard = min((line.words.heard_until(side) for side in self.expect.channels), default=line.now)
            if line.ended is None and (line.now < deadline - 1e-9 or heard < deadline - 1e-9):
                return max(deadline, line.now + SOON)
            same = cue.start < self._judged_to - 1e-9  # the same words under another class
            self._judged_to = cue.end
            if same or self._exempt(line, cue, deadline):
                continue
            if self._answered(line, cue, deadline):
                self.kept += 1
            elif line.ended is None or deadline <= line.ended + 1e-9:
                self.broken += 1
                self._broken.append((deadline, cue))
        return None

    def _deadline(self, line: Timeline, cue: Mark) -> float:
        deadline = cue.end + self.within
        if self.turns:
            sides = self.expect.channels
            ends = [
                turn.end
                for side in sides
                for turn in line.talk.turns_of(side, cue.end)
                if turn.end is not None
            ]
            if len(ends) >= self.turns:
                deadline = min(deadline, sorted(ends)[self.turns - 1])
        return round(deadline, 3)

    def _answered(self, line: Timeline, cue: Mark, deadline: float) -> bool:
        since = cue.start - self.lookback if self.lookback else cue.start
        return self.expect.came(line, since, deadline, cue)

    def _exempt(self, line: Timeline, cue: Mark, deadline: float) -> bool:
        if not self.unless:
            return False
        reach = self.unless.within
        since = cue.start - (self.lookback if reach is None else reach)
        return self.unless.came(line, since, deadline)


@dataclass(slots=True)
class AbsenceTrigger:
    """``not_said_by``: words that ought to have come by a time after the side's first words."""

    said: BoundCue
    by: float
    step: Step
    topics: frozenset[str] = field(init=False)
    words: bool = True
    expected: frozenset[Channel] = field(init=False)

    def __post_init__(self) -> None:
        self.topics = frozenset(self.said.topics | {"speech"})
        self.expected = frozenset(self.said.channels)

    def look(self, line: Timeline, step: int) -> Assessment:
        """See ``Trigger``."""
        side = next(iter(self.said.channels))
        bar = Bar("at_most", 0.0)
        begun = line.marks.first.get(("speech", side))
        if begun is None:
            return _nothing(Reading(), bar, line)
        deadline = round(begun + self.by, 3)
        if self.said.marks(line, 0.0):
            return _nothing(Reading(1.0), bar, line)
        if line.now < deadline - 1e-9 or line.words.heard_until(side) < deadline - 1e-9:
            return _nothing(Reading(0.0), bar, line, again=max(deadline, line.now + SOON))
        met = 0 if in_part(self.step.during, deadline, line) else NOT_MET
        return Assessment(
            met, staying=True, reading=Reading(0.0, begun, deadline, side), bar=bar, at=deadline
        )


def _nothing(reading: Reading, bar: Bar, line: Timeline, again: float | None = None) -> Assessment:
    return Assessment(NOT_MET, staying=False, reading=reading, bar=bar, at=line.now, again=again)
