"""What a measure answers: a value with the evidence for it, and how the value changes by itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.events import Channel, Comparison, EvidenceItem
from monitor.rules.rule import Threshold, milliseconds, number
from monitor.timeline import CALL, Mark, Quantity, TimelineView

COMPARISONS: tuple[Comparison, ...] = ("at_least", "at_most", "more_than", "less_than")

CITED = 6
"""Most marks that a reading keeps as its evidence."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer of a measure at a moment.

    ``value`` is null where nothing can be said (no baseline yet, nobody spoke); a value of unit ``s`` is
    in ms. ``start`` and ``at`` bound the evidence in ms of the call, ``marks`` are the evidence. A
    ``running`` value grows by 1 ms each ms; a value with a ``ratio`` is that part of that whole, each of
    which may change. Any other value stays until something that was read changes. ``detail`` is what a
    text to the agent may name as ``{detail}``.
    """

    value: float | None = None
    start: int = 0
    at: int = 0
    channel: Channel | None = None
    baseline: float | None = None
    marks: tuple[Mark, ...] = ()
    running: bool = False
    ratio: tuple[Quantity, Quantity] | None = None
    detail: str | None = None

    @property
    def words(self) -> tuple[EvidenceItem, ...]:
        """The evidence that was said, as events carry it."""
        return tuple(mark.cited() for mark in self.marks if mark.text is not None)

    @property
    def events(self) -> tuple[EvidenceItem, ...]:
        """The evidence that was not said, as events carry it."""
        return tuple(mark.cited() for mark in self.marks if mark.text is None)


NOTHING = Reading()
ZERO = Reading(0)


def from_marks(marks: list[Mark], value: float) -> Reading:
    """A reading whose evidence are ``marks`` (the latest ``CITED`` of them), by time."""
    if not marks:
        return Reading(value)
    first, last = marks[0], marks[-1]
    return Reading(
        value,
        first.start,
        last.end,
        last.channel,
        marks=tuple(marks[-CITED:]),
        detail=last.detail or last.text,
    )


def running(view: TimelineView, since: int, channel: Channel | None = None) -> Reading:
    """A reading of how long something has lasted that began at ``since``."""
    return Reading(view.now - since, since, view.now, channel, running=True)


@dataclass(frozen=True, slots=True)
class Bar:
    """A threshold: how a value is compared, and with what (ms for a measure of unit ``s``).

    Values that are shares are quotients of integers. Those are rounded correctly, as the limit is when it
    is read, so that a share that equals the limit compares as equal.
    """

    how: Comparison
    limit: float

    @classmethod
    def of(cls, threshold: Threshold, unit: str = "") -> "Bar | None":
        """The one comparison that ``threshold`` names, if it names one, for a measure of this unit."""
        for how in COMPARISONS:
            value = getattr(threshold, how)
            if value is not None:
                return cls(how, milliseconds(value) if unit == "s" else number(value))
        return None

    def met(self, value: float | None) -> bool:
        """Whether ``value`` is on the side that the rule is about."""
        if value is None:
            return False
        match self.how:
            case "at_least":
                return value >= self.limit
            case "more_than":
                return value > self.limit
            case "at_most":
                return value <= self.limit
            case _:
                return value < self.limit

    @property
    def rising(self) -> bool:
        """Whether high values are what the rule is about."""
        return self.how in ("at_least", "more_than")

    def text(self) -> str:
        """The comparison in words."""
        return self.how.replace("_", " ")


def crossing(reading: Reading, limits: Iterable[float], now: int) -> int:
    """The earliest moment at which the value can be on another side of one of ``limits``.

    It is ``CALL`` where it cannot. A moment that is a little early does no harm: the rule is asked then,
    and names the next.
    """
    value = reading.value
    if value is None or not (reading.running or reading.ratio):
        return CALL
    earliest = CALL
    if reading.ratio is None:
        for limit in limits:
            if value <= limit:
                earliest = min(earliest, now + max(1, int(limit - value)))
        return earliest
    part, whole = reading.ratio
    for limit in limits:
        speed = part.rate - limit * whole.rate
        if not speed or (value > limit and speed > 0) or (value < limit and speed < 0):
            continue
        away = abs(part.value - limit * whole.value)
        earliest = min(earliest, now + max(1, int(away / abs(speed))))
    return earliest
