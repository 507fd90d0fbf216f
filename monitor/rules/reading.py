"""Readings of measures (a value with its evidence, and how it changes with time) and thresholds."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.events import Channel, Comparison, EvidenceItem
from monitor.rules.rule import Threshold, milliseconds, number
from monitor.timeline import CALL, Mark, Quantity, TimelineView

COMPARISONS: tuple[Comparison, ...] = ("at_least", "at_most", "more_than", "less_than")

CITED = 6
"""Greatest number of marks that a reading keeps as its evidence."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of a measure at one time.

    ``value`` is null where it is undefined (no baseline yet, no speech); a value of unit ``s`` is in ms.
    ``start`` and ``at`` bound the evidence in ms of the call, ``marks`` are the evidence. A ``running``
    value grows by 1 ms per ms; a value with a ``ratio`` is the quotient of two quantities that may change
    with time. Any other value is constant until something that was read changes. ``detail`` fills the
    placeholder ``{detail}`` in a message.
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
        """The evidence that consists of words, as in events."""
        return tuple(mark.cited() for mark in self.marks if mark.text is not None)

    @property
    def events(self) -> tuple[EvidenceItem, ...]:
        """The evidence that does not consist of words, as in events."""
        return tuple(mark.cited() for mark in self.marks if mark.text is None)


NOTHING = Reading()
ZERO = Reading(0)


def from_marks(marks: list[Mark], value: float) -> Reading:
    """A reading with the latest ``CITED`` of ``marks`` as its evidence, by time."""
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
    """A reading whose value is the time since ``since``."""
    return Reading(view.now - since, since, view.now, channel, running=True)


@dataclass(frozen=True, slots=True)
class Bar:
    """A threshold: a comparison and a limit (in ms for a measure of unit ``s``).

    Shares are quotients of integers. Division rounds correctly, and so does parsing of the limit, so a share
    that equals the limit compares as equal.
    """

    how: Comparison
    limit: float

    @classmethod
    def of(cls, threshold: Threshold, unit: str = "") -> "Bar | None":
        """The comparison in ``threshold`` for a measure of this unit; null if there is none."""
        for how in COMPARISONS:
            value = getattr(threshold, how)
            if value is not None:
                return cls(how, milliseconds(value) if unit == "s" else number(value))
        return None

    def met(self, value: float | None) -> bool:
        """Whether ``value`` meets the comparison."""
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
        """Whether the comparison is met by high values."""
        return self.how in ("at_least", "more_than")

    def text(self) -> str:
        """The comparison in words."""
        return self.how.replace("_", " ")


def crossing(reading: Reading, limits: Iterable[float], now: int) -> int:
    """The earliest time at which the value can cross one of ``limits``; ``CALL`` if it cannot.

    A time that is slightly early does no harm: the rule is evaluated then, and names the next one.
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
