"""Triggers: the conditions of rules, bound to measures and cues, and evaluated to an escalation step.

A cue is a phrase or a moment, as named by expectations and exemptions.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from monitor.events import Channel
from monitor.rules.measures import MEASURES, Measure
from monitor.rules.reading import NOTHING, Bar, Reading, crossing
from monitor.rules.rule import Condition, Cue, During, EscalationStep, milliseconds, names
from monitor.timeline import Mark, TimelineView

MOMENTS: dict[str, tuple[str, Channel | None]] = {
    "agent_raised": ("raised", "agent"),
    "caller_raised": ("raised", "caller"),
    "agent_calmed": ("calmed", "agent"),
    "caller_calmed": ("calmed", "caller"),
    "agent_turn": ("turn", "agent"),
    "caller_turn": ("turn", "caller"),
    "agent_interrupts": ("interruption", "agent"),
    "caller_interrupts": ("interruption", "caller"),
    "hold_ended": ("held", None),
}
"""Moments that a cue may name, and their kinds of marks on the timeline."""

REACH = 20_000
"""Default time in ms for which a cue under ``unless`` exempts."""


@dataclass(frozen=True, slots=True)
class BoundCue:
    """A cue with its names resolved to kinds of marks of each side. Times are ms."""

    wanted: tuple[tuple[str, Channel | None], ...]
    longer_than: int
    within: int | None
    words: bool
    every: bool = False
    doubted: bool = False

    @classmethod
    def of(cls, cue: Cue, *, doubted: bool = False) -> "BoundCue":
        """Binds a cue that has been checked.

        ``doubted`` accepts approximate matches, so that no alert claims that something was not said when it
        may have been.
        """
        said: list[tuple[str, Channel | None]] = [(name, "agent") for name in names(cue.agent)]
        said += [(name, "caller") for name in names(cue.caller)]
        came = [MOMENTS[name] for name in names(cue.moment)]
        spoken = (bool(said) and not came) or any(kind == "echo" for kind, _ in came)
        within = None if cue.within is None else milliseconds(cue.within)
        longer = milliseconds(cue.longer_than or 0)
        return cls(tuple(said + came), longer, within, spoken, cue.every, doubted)

    @property
    def channels(self) -> set[Channel]:
        """The channels whose words the cue names."""
        return {channel for _, channel in self.wanted if channel}

    @property
    def certain(self) -> bool | None:
        """Which marks count: certain ones (true), or also approximate matches (null)."""
        return None if self.doubted else True

    def marks(self, view: TimelineView, window: int) -> list[Mark]:
        """The cue's marks in a window that ends now, by time."""
        return self._sorted(
            mark
            for name, channel in self.wanted
            for mark in view.marks((name,), channel, window, certain=self.certain)
        )

    def marks_since(self, view: TimelineView, since: int) -> list[Mark]:
        """The cue's marks that ended after a fixed time, by time."""
        return self._sorted(
            mark
            for name, channel in self.wanted
            for mark in view.marks_since((name,), channel, since, certain=self.certain)
        )

    def _sorted(self, found: Iterable[Mark]) -> list[Mark]:
        kept = [mark for mark in found if mark.end - mark.start >= self.longer_than]
        return sorted(kept, key=lambda mark: (mark.end, mark.start))

    def coming(self, view: TimelineView, since: int, before: int, other: Mark | None = None) -> list[Mark]:
        """The cue's marks that began between two times; with ``every``, none unless all names occurred.

        An approximate match on the words of ``other`` does not count.
        """
        marks = [
            mark
            for mark in self.marks_since(view, since)
            if mark.start <= before and not (other and not mark.certain and mark.meets(other))
        ]
        missing = set(self.wanted) - {(mark.kind, mark.channel) for mark in marks} if self.every else None
        return [] if missing else marks

    def until(self, view: TimelineView) -> int | None:
        """The end of the exemption by the cue's latest occurrence; null if there is none."""
        reach = self.within if self.within is not None else REACH
        marks = self.marks(view, 2 * reach)
        return marks[-1].end + reach if marks else None


NOT_MET = -1


@dataclass(frozen=True, slots=True)
class Assessment:
    """The result of evaluating a rule's condition.

    ``step`` is the highest escalation step that is met (``NOT_MET`` if none is); ``staying`` says whether an
    open alert stays open. ``reading`` and ``bar`` belong to that step; ``at`` is when it was met, in ms of
    the call.
    """

    step: int
    staying: bool
    reading: Reading
    bar: Bar
    at: int
    asked: "BoundMeasure | None" = None


class Trigger(Protocol):
    """The condition of a rule."""

    words: bool
    expected: frozenset[Channel]
    """The sides that were expected to speak; their channels must carry a signal."""

    def assess(self, view: TimelineView, step: int) -> Assessment:
        """Evaluates the condition now; ``step`` is the step of the open alert, or ``NOT_MET``.

        The result depends only on what is read through ``view``, where the next possible change is recorded.
        """
        ...


@dataclass(frozen=True, slots=True)
class BoundMeasure:
    """A measure with its parameters and its threshold."""

    measure: Measure
    params: dict[str, Any]
    bar: Bar

    @classmethod
    def of(cls, condition: Condition) -> "BoundMeasure":
        """Binds a condition that has been checked."""
        name, written = next(iter(condition.measure.items()))
        params = MEASURES[name].read(written)
        measure = MEASURES[name].asked(params)
        return cls(measure, params, Bar.of(condition, measure.unit) or Bar("at_least", 1))

    def stepped(self, rung: EscalationStep) -> "BoundMeasure":
        """The same measure with the threshold of an escalation step."""
        params = self.params
        if rung.window is not None:
            params = {**params, "window": milliseconds(rung.window)}
        return replace(self, params=params, bar=Bar.of(rung, self.measure.unit) or self.bar)

    def ask(self, view: TimelineView) -> Reading:
        """Evaluates the measure now."""
        return self.measure.ask(view, **self.params)

    def at(self, reading: Reading, now: int) -> int:
        """When the value met the threshold, in ms of the call."""
        if reading.running and reading.value is not None:
            return max(reading.start, now - int(reading.value - self.bar.limit))
        return reading.at or now


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its conditions (all or any must be met), and the part of the call it applies to."""

    asked: tuple[BoundMeasure, ...]
    every: bool = True
    during: During | None = None


@dataclass(slots=True)
class MeasureTrigger:
    """``measure``, ``all`` or ``any``, with its escalation.

    ``clear`` is in the unit of the first measure. With ``at_end`` the condition is evaluated at the end only.
    """

    steps: tuple[Step, ...]
    clear: float | None = None
    unless: BoundCue | None = None
    at_end: bool = False
    words: bool = field(init=False)
    expected: frozenset[Channel] = frozenset()  # the measures themselves name the quality problems

    def __post_init__(self) -> None:
        self.words = any(one.measure.words for step in self.steps for one in step.asked)
        last = all(step.during is not None and step.during.last is not None for step in self.steps)
        self.at_end = self.at_end or last

    def assess(self, view: TimelineView, step: int) -> Assessment:
        """See ``Trigger``."""
        if self.at_end and view.ended is None:
            return Assessment(
                NOT_MET, staying=False, reading=NOTHING, bar=self.steps[0].asked[0].bar, at=view.now
            )
        over = self.unless.until(view) if self.unless else None
        exempt = over is not None and not view.passed(over)
        best: tuple[int, BoundMeasure, Reading] | None = None
        staying = False
        first: tuple[BoundMeasure, Reading] | None = None
        known: dict[int, Reading] = {}
        for place, rung in enumerate(self.steps):
            met, asked, reading = self._met(view, rung, place, known)
            first = first or (asked, reading)
            if place == 0:
                staying = met or self._above_clear(reading)
            if met and not exempt and (place <= step or self._timely(view, rung, asked, reading)):
                best = (place, asked, reading)
        if best is None:
            asked, reading = first or (self.steps[0].asked[0], NOTHING)
            return Assessment(NOT_MET, staying, reading, asked.bar, view.now, asked)
        place, asked, reading = best
        first_part = self.steps[0].during
        at = view.now if first_part and first_part.last is not None else asked.at(reading, view.now)
        if over is not None and not exempt:
            at = max(at, over)
        return Assessment(place, staying, reading, asked.bar, at, asked)

    def _met(
        self, view: TimelineView, rung: Step, place: int, known: dict[int, Reading]
    ) -> tuple[bool, BoundMeasure, Reading]:
        """Whether a step is met, and the measure and reading that decided it; evaluation stops there.

        ``known`` caches readings by their parameters, which the steps of an escalation share.
        """
        chosen: tuple[BoundMeasure, Reading] | None = None
        missed: tuple[BoundMeasure, Reading] | None = None
        for asked in rung.asked:
            reading = known.get(id(asked.params))
            if reading is None:
                reading = known[id(asked.params)] = asked.ask(view)
            if reading.running or reading.ratio:
                limits = [asked.bar.limit]
                if place == 0 and self.clear is not None:
                    limits.append(self.clear)
                view.change_at(crossing(reading, limits, view.now))
            if not asked.bar.met(reading.value):
                missed = missed or (asked, reading)
                if rung.every:
                    return False, asked, reading
            elif not rung.every:
                return True, asked, reading
            elif chosen is None or reading.at > chosen[1].at:
                chosen = (asked, reading)
        if chosen is None:
            return False, *(missed or (rung.asked[0], NOTHING))
        return True, *chosen

    def _timely(self, view: TimelineView, rung: Step, asked: BoundMeasure, reading: Reading) -> bool:
        if rung.during is None:
            return True
        at = asked.at(reading, view.now)
        return in_part(rung.during, at, view, moves=not reading.running and at == view.now)

    def _above_clear(self, reading: Reading) -> bool:
        if self.clear is None or reading.value is None:
            return False
        rising = self.steps[0].asked[0].bar.rising
        return reading.value >= self.clear if rising else reading.value <= self.clear


def in_part(during: During | None, at: int, view: TimelineView, *, moves: bool = False) -> bool:
    """Whether an alert about time ``at`` may open in this part of the call; ``moves``: ``at`` is now."""
    if during is None:
        return True
    if during.last is not None and view.ended is None:
        return False
    if during.first is not None:
        first = milliseconds(during.first)
        if moves:
            view.change_at(first + 1)
        if at > first:
            return False
    if during.after is not None:
        after = milliseconds(during.after)
        if moves:
            view.change_at(after)
        if at < after:
            return False
    if during.after_opening and not view.opened():
        return False
    return not (during.before_closing and view.closing())
