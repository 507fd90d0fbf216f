"""Triggers for expectations (a response is due after a cue) and absences (words that were not said in time).

An expectation is judged only when recognition has reached its deadline (see ``TimelineView.heard``), because
words are recognised later than they are said. Times are ms of the call.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from monitor.events import Channel
from monitor.rules.reading import ZERO, Bar, Reading, from_marks
from monitor.rules.triggers import NOT_MET, Assessment, BoundCue, Step, in_part
from monitor.timeline import Mark, TimelineView

JUDGED_LATE = 30_000
"""Ms for which a cue is kept after its deadline, so that the outcome can wait for recognition."""


@dataclass(frozen=True, slots=True)
class JudgedExpectation:
    """The outcome of an expectation, with its cue, its deadline and the responses found.

    ``open``: the call ended before the deadline.
    """

    outcome: Literal["kept", "broken", "open"]
    cue: Mark
    deadline: int
    answers: tuple[Mark, ...] = ()


@dataclass(slots=True)
class ExpectationTrigger:
    """``after`` CUE ``expect`` RESPONSE ``within`` a time; the value is the number of broken expectations."""

    after: BoundCue
    expect: BoundCue
    within: int
    steps: tuple[Step, ...]
    bars: tuple[Bar, ...]
    windows: tuple[int, ...]
    lookback: int = 0
    turns: int | None = None
    unless: BoundCue | None = None
    words: bool = field(init=False)
    expected: frozenset[Channel] = field(init=False)
    judged: list[JudgedExpectation] = field(default_factory=list, init=False)
    """Outcomes that have not been collected yet."""

    _judged_to: int = field(default=-1, init=False)
    _broken: deque[tuple[int, Mark]] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self.words = self.after.words or self.expect.words
        self.expected = frozenset(self.expect.channels)

    def assess(self, view: TimelineView, step: int) -> Assessment:
        """See ``Trigger``."""
        self._judge(view)
        longest = max(self.windows)
        while self._broken and self._broken[0][0] <= view.now - longest:
            self._broken.popleft()
        best, reading, bar, staying = NOT_MET, ZERO, self.bars[0], False
        at = self._broken[-1][0] if self._broken else view.now
        for place, window in enumerate(self.windows):
            marks = [mark for deadline, mark in self._broken if not view.passed(deadline + window)]
            met = self.bars[place].met(len(marks))
            staying |= met and place == 0
            if met and (place <= step or in_part(self.steps[place].during, at, view)):
                best, bar, reading = place, self.bars[place], from_marks(marks, len(marks))
        return Assessment(best, staying, reading, bar, at)

    def _judge(self, view: TimelineView) -> None:
        """Judges every cue whose deadline has passed."""
        reach = self.within + self.lookback + JUDGED_LATE
        for cue in self.after.marks_since(view, max(self._judged_to, view.now - reach)):
            deadline = self._deadline(view, cue)
            if view.ended is None and not self._due(view, deadline):
                return
            same = cue.start < self._judged_to  # the same words, matched under another class
            self._judged_to = cue.end
            if same or self._exempt(view, cue, deadline):
                continue
            answers = self.expect.coming(view, cue.start - self.lookback, deadline, cue)
            if answers:
                self.judged.append(JudgedExpectation("kept", cue, deadline, tuple(answers)))
            elif view.ended is None or deadline <= view.ended:
                self.judged.append(JudgedExpectation("broken", cue, deadline))
                self._broken.append((deadline, cue))
            else:
                self.judged.append(JudgedExpectation("open", cue, deadline))

    def _due(self, view: TimelineView, deadline: int) -> bool:
        """Whether the deadline has passed and all sides that could respond are recognised up to it."""
        return view.passed(deadline) and all(view.heard(side, deadline) for side in self.expect.channels)

    def _deadline(self, view: TimelineView, cue: Mark) -> int:
        deadline = cue.end + self.within
        if self.turns:
            ends = [
                turn.end
                for side in self.expect.channels
                for turn in view.turns_of(side, cue.end)
                if turn.end is not None
            ]
            if len(ends) >= self.turns:
                deadline = min(deadline, sorted(ends)[self.turns - 1])
        return deadline

    def _exempt(self, view: TimelineView, cue: Mark, deadline: int) -> bool:
        if not self.unless:
            return False
        reach = self.unless.within
        since = cue.start - (self.lookback if reach is None else reach)
        return bool(self.unless.coming(view, since, deadline))


@dataclass(slots=True)
class AbsenceTrigger:
    """``not_said_by``: words that are due by a time after the side's first words."""

    said: BoundCue
    by: int
    step: Step
    words: bool = True
    expected: frozenset[Channel] = field(init=False)

    def __post_init__(self) -> None:
        self.expected = frozenset(self.said.channels)

    def assess(self, view: TimelineView, step: int) -> Assessment:
        """See ``Trigger``."""
        side = next(iter(self.said.channels))
        begun = view.first(("speech",), side)
        if begun is None:
            return _unmet(Reading(), view)
        deadline = begun + self.by
        if self.said.marks_since(view, 0):
            return _unmet(Reading(1), view)
        if not view.passed(deadline) or not view.heard(side, deadline):
            return _unmet(ZERO, view)
        met = 0 if in_part(self.step.during, deadline, view) else NOT_MET
        return Assessment(
            met, staying=True, reading=Reading(0, begun, deadline, side), bar=UNSAID, at=deadline
        )


UNSAID = Bar("at_most", 0)
"""The threshold of an absence: the words were not said once."""


def _unmet(reading: Reading, view: TimelineView) -> Assessment:
    return Assessment(NOT_MET, staying=False, reading=reading, bar=UNSAID, at=view.now)
