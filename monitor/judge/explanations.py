"""An alert in words: one sentence with the value, the threshold, the own normal, and what was heard."""

from monitor.events import Channel, Evidence, other
from monitor.rules.measures import Measure
from monitor.rules.reading import Bar, Reading
from monitor.rules.rule import Rule
from monitor.rules.triggers import BoundMeasure
from monitor.timeline import CALL, seconds

QUOTED = 3
"""Most pieces of evidence that a sentence quotes."""

_HOW = {"at_least": "from", "more_than": "above", "at_most": "up to", "less_than": "below"}
_TIMES = {0: "never", 1: "once", 2: "twice"}


def spoken(value: float, unit: str) -> str:
    """A value as a person says it."""
    if unit == "share":
        return f"{value * 100:.0f} %"
    if unit == "s":
        return f"{value:.1f} s" if value < 10 and value % 1 else f"{value:.0f} s"
    if unit == "times":
        return _TIMES.get(round(value), f"{value:.0f} times")
    if unit in ("points", "words/min"):
        return f"{value:.0f} {unit}"
    return f"{value:.1f} {unit}".strip()


def evidence(rule: Rule, measure: Measure | None, reading: Reading, bar: Bar) -> Evidence:
    """The evidence of an alert whose value is ``reading`` against ``bar``."""
    name, unit = (measure.name, measure.unit) if measure else (_unmeasured(rule), "times")
    return Evidence(
        measure=name,
        value=None if reading.value is None else plain(reading.value, unit),
        threshold=plain(bar.limit, unit),
        baseline=None if reading.baseline is None else round(reading.baseline, 3),
        unit=unit or None,
        words=reading.words,
        events=reading.events,
        clears=_clears(rule, name, unit, bar),
    )


def _unmeasured(rule: Rule) -> str:
    return "contract" if rule.after is not None else "absence"


def plain(value: float, unit: str) -> float:
    """A value of a reading or a limit as events carry it: seconds for unit ``s``, to 0.001."""
    return seconds(int(value)) if unit == "s" else round(value, 3)


def _clears(rule: Rule, measure: str, unit: str, bar: Bar) -> str:
    if rule.not_said_by is not None:
        return "when it is said"
    if rule.after is not None:
        return "when it has not happened again for a while"
    if bar.rising:
        return f"when {measure.replace('_', ' ')} is below {spoken(plain(bar.limit, unit), unit)} again"
    return f"when {measure.replace('_', ' ')} is {spoken(plain(bar.limit, unit), unit)} or more again"


def sentence(rule: Rule, seen: Evidence, asked: BoundMeasure | None, bar: Bar) -> str:
    """Why the alert stands, in one sentence: what was found, against what, in which words, and the advice."""
    found = _found(rule, seen, asked)
    unit = seen.unit or ""
    if asked is not None:
        found += f" (alert {_HOW[bar.how]} {spoken(plain(bar.limit, unit), unit)}"
        found += f"; own normal {spoken(seen.baseline, unit)})" if seen.baseline is not None else ")"
    heard = ", ".join(f"“{one.text.strip(' .,')}”" for one in seen.words[-QUOTED:] if one.text)
    found = found[:1].upper() + found[1:]
    return f"{found}{': ' + heard if heard else ''} – {rule.rationale.rstrip('.')}."


def _found(rule: Rule, seen: Evidence, asked: BoundMeasure | None) -> str:
    if rule.not_said_by is not None:
        return "this was not said in time"
    if asked is None:
        return "what ought to follow did not come in time"
    names = {
        "value": spoken(seen.value or 0.0, seen.unit or ""),
        "by": _side(asked.params.get("by")),
        "other": _side(other(asked.params["by"]) if asked.params.get("by") else None),
        "window": _window(asked.params.get("window")),
    }
    return asked.measure.tells.format_map(names)


def _side(channel: Channel | None) -> str:
    return f"the {channel}" if channel else "somebody"


def _window(window: int | None) -> str:
    return "this call" if window is None or window >= CALL else f"{seconds(window):.0f} s"
