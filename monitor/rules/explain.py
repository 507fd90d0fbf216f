"""An alert in words: one sentence with the value, the threshold, the own normal, and what was heard."""

from monitor.events import Cited, Evidence
from monitor.rules.reading import Bar, Reading
from monitor.rules.rule import Rule

QUOTED = 3
"""Most pieces of evidence that a sentence quotes."""

_HOW = {"at_least": "from", "more_than": "above", "at_most": "at most", "less_than": "below"}


def spoken(value: float, unit: str) -> str:
    """A value as a person says it."""
    if unit == "share":
        return f"{value * 100:.0f} %"
    if unit == "s":
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    if unit in ("times", "words", "points"):
        return f"{value:.0f} {unit}" if value != 1 else "once" if unit == "times" else f"1 {unit[:-1]}"
    return f"{value:.1f} {unit}".strip()


def evidence(rule: Rule, measure: str, unit: str, reading: Reading, bar: Bar) -> Evidence:
    """The evidence of an alert whose value is ``reading`` against ``bar``."""
    value = None if reading.value is None else round(reading.value, 3)
    return Evidence(
        measure=measure,
        value=value,
        threshold=bar.limit,
        baseline=None if reading.baseline is None else round(reading.baseline, 3),
        unit=unit or None,
        words=tuple(_rounded(one) for one in reading.words),
        events=tuple(_rounded(one) for one in reading.events),
        clears=_clears(rule, measure, unit, bar),
    )


def _rounded(one: Cited) -> Cited:
    return Cited(
        start=round(one.start, 3), end=round(one.end, 3), channel=one.channel, text=one.text, kind=one.kind
    )


def _clears(rule: Rule, measure: str, unit: str, bar: Bar) -> str:
    if rule.not_said_by is not None:
        return "when it is said"
    if rule.after is not None:
        return "when it has not happened for a while"
    turn = "falls below" if bar.rising else "rises above"
    return f"when {measure.replace('_', ' ')} {turn} {spoken(bar.limit, unit)}"


def sentence(rule: Rule, seen: Evidence, asks: str, bar: Bar) -> str:
    """Why the alert stands, in one sentence."""
    if rule.not_said_by is not None:
        told = "it had not been said by then"
    elif rule.after is not None:
        told = "what ought to follow did not come in time"
    elif seen.value is None:
        told = "it was not heard"
    else:
        unit = seen.unit or ""
        told = f"{asks}: {spoken(seen.value, unit)} (alert {_HOW[bar.how]} {spoken(bar.limit, unit)}"
        told += f"; own normal {seen.baseline:.1f})" if seen.baseline is not None else ")"
    heard = ", ".join(f"“{one.text}”" for one in seen.words[-QUOTED:] if one.text)
    return f"{rule.why.rstrip('.')} – {told}{'; heard: ' + heard if heard else ''}."
