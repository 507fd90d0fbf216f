"""Explains an alert: what happened, the measured value and its threshold, and what ends the alert."""

from dataclasses import dataclass

from monitor.events import Channel, EvidenceItem, other
from monitor.judge.binding import BROKEN_WINDOW
from monitor.judge.engine import LiveAlert
from monitor.rules.reading import Bar
from monitor.rules.rule import Duration, Rule, milliseconds, number
from monitor.rules.triggers import BoundMeasure
from monitor.timeline import CALL, seconds

QUOTED = 3
"""Greatest number of pieces of evidence that a summary quotes."""

EXPECTATION, ABSENCE = "expectation", "absence"
"""The name given as the measure for words that were not said, by condition."""

_TIMES = {0: "never", 1: "once", 2: "twice"}
_VALUE = {
    "times": "the count", "s": "the duration", "share": "the share", "points": "the score",
    "syll/s": "the pace", "words/min": "the pace", "st": "the range of pitch",
}  # fmt: skip
"""What a value is called in text, by its unit."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The fields of an alert's event that explain it (see ``AlertEvent``)."""

    summary: str
    clears_when: str
    measure: str
    measured: float | None
    threshold: float
    unit: str | None
    baseline: float | None
    evidence: tuple[EvidenceItem, ...]


def explained(alert: LiveAlert) -> Explanation:
    """The explanation of an open alert in its current state."""
    rule, reading, asked = alert.watch.rule, alert.reading, alert.asked
    unit = asked.measure.unit if asked else "times"
    summary = _summary(rule, plain(reading.value or 0.0, unit), unit, asked, _quotes(reading.words))
    evidence = sorted((*reading.words, *reading.events), key=lambda one: (one.start, one.end))
    return Explanation(
        summary=f"{summary[:1].upper()}{summary[1:]}.",
        clears_when=_clears_when(rule, unit, alert.bar),
        measure=asked.measure.name if asked else EXPECTATION if rule.after is not None else ABSENCE,
        measured=None if reading.value is None else plain(reading.value, unit),
        threshold=plain(alert.bar.limit, unit),
        unit=unit or None,
        baseline=None if reading.baseline is None else round(reading.baseline, 3),
        evidence=tuple(evidence),
    )


def plain(value: float, unit: str) -> float:
    """Converts a value or limit to the unit of events (ms to seconds for unit ``s``), rounded to 0.001."""
    return seconds(int(value)) if unit == "s" else round(value, 3)


def quantity(value: float, unit: str | None) -> str:
    """Formats a value with its unit: "twice", "4.2 s", "65 %"."""
    if unit == "times":
        return _TIMES.get(round(value), f"{value:.0f} times")
    if unit == "share":
        return f"{value * 100:.0f} %"
    if unit == "s":
        return f"{value:.1f} s" if value < 10 and value % 1 else f"{value:.0f} s"
    if unit in ("points", "words/min"):
        return f"{value:.0f} {unit}"
    return f"{value:.1f} {unit or ''}".strip()


def _summary(rule: Rule, value: float, unit: str, asked: BoundMeasure | None, quotes: str) -> str:
    """A clause that says what happened, with quotations."""
    if rule.not_said_by is not None:
        return f"what should be said did not come within {_time(rule.not_said_by)}"
    if asked is None:
        within = "in time" if rule.turns else f"within {_time(rule.within or 0)}"
        return f"what should follow {quotes or 'this'} did not come {within}"
    by = asked.params.get("by")
    found = asked.measure.tells.format_map(
        {
            "value": quantity(value, unit),
            "by": _side(by),
            "other": _side(other(by) if by else None),
            "window": _window(asked.params.get("window")),
        }
    )
    return f"{found}: {quotes}" if quotes else found


def _quotes(words: tuple[EvidenceItem, ...]) -> str:
    return ", ".join(f"“{one.text.strip(' .,')}”" for one in words[-QUOTED:] if one.text)


def _clears_when(rule: Rule, unit: str, bar: Bar) -> str:
    """A clause that says what ends the alert."""
    if rule.not_said_by is not None:
        ends = "it is said"
    elif rule.after is not None:
        first = rule.escalation[0].window if rule.escalation else None
        window = _time(first or rule.window or seconds(BROKEN_WINDOW))
        ends = f"it has not happened again for {window}"
    else:
        ends = _back(rule, unit, bar)
    return ends if rule.expires is None else f"{ends}, or after {_time(rule.expires)}"


def _back(rule: Rule, unit: str, bar: Bar) -> str:
    """The comparison that ends the alert; a rule's ``clear`` condition holds while it stays open."""
    first = (Bar.of(rule.escalation[0], unit) if rule.escalation else None) or bar
    limit = plain(first.limit, unit) if rule.clear is None else number(rule.clear)
    exclusive = rule.clear is not None or first.how in ("at_least", "at_most")
    told = f"{limit:g}" if unit == "times" else quantity(limit, unit)
    value = _VALUE.get(unit, "the value")
    if first.rising:
        return f"{value} is below {told}" if exclusive else f"{value} is {told} or less"
    return f"{value} is above {told}" if exclusive else f"{value} is {told} or more"


def _time(written: Duration) -> str:
    return quantity(seconds(milliseconds(written)), "s")


def _side(channel: Channel | None) -> str:
    return f"the {channel}" if channel else "somebody"


def _window(window: int | None) -> str:
    return "this call" if window is None or window >= CALL else f"{seconds(window):.0f} s"
