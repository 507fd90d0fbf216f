"""A rule's condition, bound to its measures and cues.

Cues: words that were said or moments that came, as contracts and exemptions name them.

A rule's question, bound to its measures: what stands just now, on which step, and when to look again.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from monitor.events import Channel
from monitor.phrases.lexicon import PERHAPS
from monitor.rules.measures import MEASURES, Measure
from monitor.rules.reading import NOTHING, Bar, Reading
from monitor.rules.rule import Condition, Cue, During, EscalationStep, names, number
from monitor.timeline import Mark, Timeline

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
"""Moments that a cue may name, and the marks of the timeline that they are."""

REACH = 20.0
"""For how long a cue exempts unless it says so itself, in seconds."""

TOPICS = {"turn": "floor", "held": "hold"}
"""Where the topic of a moment is not its own name and side."""


@dataclass(frozen=True, slots=True)
class BoundCue:
    """A cue with its names looked up: the kinds of marks of each side."""

    wanted: tuple[tuple[str, Channel | None], ...]
    longer_than: float
    within: float | None
    words: bool
    every: bool = False
    doubted: bool = False

    @classmethod
    def of(cls, cue: Cue, *, doubted: bool = False) -> "BoundCue":
        """The cue as it was written (its names are known to be right).

        ``doubted``: words that were perhaps said will do, because nobody should be told of what was not.
        """
        said: list[tuple[str, Channel | None]] = [(name, "agent") for name in names(cue.agent)]
        said += [(name, "caller") for name in names(cue.caller)]
        came = [MOMENTS[name] for name in names(cue.moment)]
        spoken = (bool(said) and not came) or any(kind == "echo" for kind, _ in came)
        within = None if cue.within is None else number(cue.within)
        longer = number(cue.longer_than or 0.0)
        return cls(tuple(said + came), longer, within, spoken, cue.every, doubted)

    @property
    def topics(self) -> set[str]:
        """The topics after which the cue may have come."""
        moments = {kind for kind, _ in MOMENTS.values()}
        topics = set()
        for kind, channel in self.wanted:
            if kind not in moments:
                topics.add(f"say:{kind}")
            else:
                topics.add(TOPICS.get(kind) or f"{kind}:{channel}")
        return topics

    @property
    def channels(self) -> set[Channel]:
        """The sides whose words decide."""
        return {channel for _, channel in self.wanted if channel}

    def marks(self, line: Timeline, since: float) -> list[Mark]:
        """The cue's marks that ended after ``since``, by time."""
        found = [
            mark
            for kind, channel in self.wanted
            for mark in line.marks.of((kind, kind + PERHAPS) if self.doubted else (kind,), channel, since)
        ]
        kept = [mark for mark in found if mark.end - mark.start >= self.longer_than]
        return sorted(kept, key=lambda mark: (mark.end, mark.start))

    def came(self, line: Timeline, since: float, before: float, other: Mark | None = None) -> bool:
        """Whether the cue (all of it, where every name must come) began between two moments.

        The words of ``other`` were heard for what they are: they are not perhaps this cue.
        """
        marks = [
            mark
            for mark in self.marks(line, since)
            if mark.start <= before and not (other and mark.kind.endswith(PERHAPS) and mark.meets(other))
        ]
        if not self.every:
            return bool(marks)
        return {(mark.kind.removesuffix(PERHAPS), mark.channel) for mark in marks} >= set(self.wanted)

    def until(self, line: Timeline) -> float | None:
        """When the time of the cue's latest coming is over, or was."""
        reach = self.within if self.within is not None else REACH
        marks = self.marks(line, line.now - 2 * reach)
        return marks[-1].end + reach if marks else None


NOT_MET = -1


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a look at the timeline found.

    ``step`` is the highest step of the escalation that is met (``NOT_MET`` where none is); ``staying``
    tells whether an alert that is open stays open. ``reading`` and ``bar`` belong to that step.
    """

    step: int
    staying: bool
    reading: Reading
    bar: Bar
    at: float
    again: float | None = None
    asked: "BoundMeasure | None" = None


class Trigger(Protocol):
    """Anything that can be looked at."""

    topics: frozenset[str]
    words: bool
    expected: frozenset[Channel]
    """The sides that ought to have said something: their channel must carry sound."""

    def look(self, line: Timeline, step: int) -> Assessment:
        """What stands now; ``step`` is the step on which the alert is open, or ``NOT_MET``."""
        ...


@dataclass(frozen=True, slots=True)
class BoundMeasure:
    """A measure with its parameters and its bar."""

    measure: Measure
    params: dict[str, Any]
    bar: Bar

    @classmethod
    def of(cls, condition: Condition) -> "BoundMeasure":
        """The condition as it was written, with its names looked up (they are known to be right)."""
        name, written = next(iter(condition.measure.items()))
        bar = Bar.of(condition) or Bar("at_least", 1.0)
        return cls(MEASURES[name], MEASURES[name].read(written), bar)

    def stepped(self, rung: EscalationStep) -> "BoundMeasure":
        """The same question as a step of the escalation asks it."""
        params = self.params
        if rung.window is not None:
            params = {**params, "window": number(rung.window)}
        return replace(self, params=params, bar=Bar.of(rung) or self.bar)

    def ask(self, line: Timeline) -> Reading:
        """The measure's answer now."""
        return self.measure.ask(line, **self.params)

    def crossing(self, reading: Reading, now: float) -> float | None:
        """When a value that grows by itself will reach the bar."""
        if reading.value is None or reading.rate <= 0 or reading.value >= self.bar.limit:
            return None
        return now + (self.bar.limit - reading.value) / reading.rate

    def at(self, reading: Reading, now: float) -> float:
        """When the value met the bar, in call time of what was heard."""
        if reading.rate > 0 and reading.value is not None:
            return max(reading.start, now - (reading.value - self.bar.limit) / reading.rate)
        return reading.at or now


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the conditions to be met (all of them, or any), and the part of the call it is for."""

    asked: tuple[BoundMeasure, ...]
    every: bool = True
    during: During | None = None
    hold: float = 0.0


@dataclass(slots=True)
class MeasureTrigger:
    """``measure``, ``all`` or ``any``, with its escalation."""

    steps: tuple[Step, ...]
    clear: float | None = None
    unless: BoundCue | None = None
    topics: frozenset[str] = field(init=False)
    words: bool = field(init=False)
    expected: frozenset[Channel] = frozenset()  # its measures know for themselves what makes them unfit

    def __post_init__(self) -> None:
        asked = [one for step in self.steps for one in step.asked]
        topics = {topic for one in asked for topic in one.measure.topics(one.params)}
        self.topics = frozenset(topics | (self.unless.topics if self.unless else set()))
        self.words = any(one.measure.words for one in asked)

    def look(self, line: Timeline, step: int) -> Assessment:
        """See ``Trigger``."""
        over = self.unless.until(line) if self.unless else None
        exempt = over is not None and over > line.now + 1e-9
        again = [over] if exempt and over is not None else []
        best: tuple[int, BoundMeasure, Reading] | None = None
        staying = False
        first: tuple[BoundMeasure, Reading] | None = None
        for place, rung in enumerate(self.steps):
            met, asked, reading, soon = self._met(line, rung)
            again += soon
            first = first or (asked, reading)
            if place == 0:
                staying = met or self._above_clear(reading)
            if (
                met
                and not exempt
                and (place <= step or in_part(rung.during, asked.at(reading, line.now), line))
            ):
                best = (place, asked, reading)
        place, asked, reading = best or (NOT_MET, *(first or (self.steps[0].asked[0], NOTHING)))
        first_part = self.steps[0].during
        at = line.now if first_part and first_part.last is not None else asked.at(reading, line.now)
        if over is not None and not exempt:
            at = max(at, over)
        return Assessment(place, staying, reading, asked.bar, at, min(again, default=None), asked)

    def _met(self, line: Timeline, rung: Step) -> tuple[bool, BoundMeasure, Reading, list[float]]:
        again: list[float] = []
        chosen: tuple[BoundMeasure, Reading] | None = None
        missed: tuple[BoundMeasure, Reading] | None = None
        for asked in rung.asked:
            reading = asked.ask(line)
            again += [soon for soon in (reading.again, asked.crossing(reading, line.now)) if soon is not None]
            met = asked.bar.met(reading.value)
            if met and (chosen is None or (rung.every and reading.at > chosen[1].at)):
                chosen = (asked, reading)
            if not met:
                missed = missed or (asked, reading)
        if rung.every and missed:
            return False, *missed, again
        if chosen is None:
            return False, *(missed or (rung.asked[0], NOTHING)), again
        return True, *chosen, again

    def _above_clear(self, reading: Reading) -> bool:
        if self.clear is None or reading.value is None:
            return False
        rising = self.steps[0].asked[0].bar.rising
        return reading.value >= self.clear if rising else reading.value <= self.clear


def in_part(during: During | None, at: float, line: Timeline) -> bool:
    """Whether an alert may open in this part of the call."""
    if during is None:
        return True
    if during.last is not None and line.ended is None:
        return False
    if during.first is not None and at > number(during.first):
        return False
    if during.after is not None and at < number(during.after):
        return False
    if during.after_opening and not line.opened():
        return False
    return not (during.before_closing and line.closing())
