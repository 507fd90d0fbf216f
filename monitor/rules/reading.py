"""What a measure answers: a value with the evidence for it, and when it may be another one."""

from dataclasses import dataclass

from monitor.events import Channel, Comparison, EvidenceItem
from monitor.rules.rule import Threshold, number
from monitor.timeline import Mark

COMPARISONS: tuple[Comparison, ...] = ("at_least", "at_most", "more_than", "less_than")


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer of a measure at a moment.

    ``value`` is null where nothing can be said (no baseline yet, nobody spoke). ``start`` and ``at``
    bound the evidence in call seconds. ``again`` is when the value may be another one though nothing
    happens (something leaves the window); ``rate`` is by how much it grows each second meanwhile.
    ``detail`` is what a text to the agent may name as ``{detail}``.
    """

    value: float | None = None
    start: float = 0.0
    at: float = 0.0
    channel: Channel | None = None
    baseline: float | None = None
    words: tuple[EvidenceItem, ...] = ()
    events: tuple[EvidenceItem, ...] = ()
    again: float | None = None
    rate: float = 0.0
    detail: str | None = None


NOTHING = Reading()


def from_marks(marks: list[Mark], value: float, *, again: float | None = None, most: int = 6) -> Reading:
    """A reading whose evidence are ``marks`` (the latest ``most`` of them), by time."""
    if not marks:
        return Reading(value, again=again)
    cited = tuple(mark.cited() for mark in marks[-most:])
    words = tuple(one for one in cited if one.text is not None)
    events = tuple(one for one in cited if one.text is None)
    channel = marks[-1].channel
    first, last = marks[0], marks[-1]
    detail = last.detail or last.text
    return Reading(
        value, first.start, last.end, channel, words=words, events=events, again=again, detail=detail
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A threshold: how a value is compared, and with what."""

    how: Comparison
    limit: float

    @classmethod
    def of(cls, threshold: Threshold) -> "Bar | None":
        """The one comparison that ``threshold`` names, if it names one."""
        for how in COMPARISONS:
            value = getattr(threshold, how)
            if value is not None:
                return cls(how, number(value))
        return None

    def met(self, value: float | None) -> bool:
        """Whether ``value`` is on the side that the rule is about."""
        if value is None:
            return False
        match self.how:
            case "at_least":
                return value >= self.limit - 1e-9
            case "more_than":
                return value > self.limit + 1e-9
            case "at_most":
                return value <= self.limit + 1e-9
            case _:
                return value < self.limit - 1e-9

    @property
    def rising(self) -> bool:
        """Whether high values are what the rule is about."""
        return self.how in ("at_least", "more_than")

    def text(self) -> str:
        """The comparison in words."""
        return self.how.replace("_", " ")
