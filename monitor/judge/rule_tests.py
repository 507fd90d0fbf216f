"""Runs the tests inside rules, each on a separate judge with that rule alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import msgspec

from monitor.config import RulesSettings
from monitor.errors import BadInput
from monitor.events import AlertOpened, AlertUpdated, CallStarted, Event, Note
from monitor.judge.judge import Judge
from monitor.rules.rule import Example, Expected, Rule, number
from monitor.rules.rule_set import RuleSet
from monitor.rules.script import CompiledScript, ScriptCommand, compile_script, order_of
from monitor.timeline import ms


@dataclass(frozen=True, slots=True)
class RuleTest:
    """The result of a test inside a rule; ``wrong`` is empty if it passed."""

    rule: str
    number: int
    wrong: str = ""


def rule_tests(book: RuleSet, only: str | None = None) -> Iterator[RuleTest]:
    """Every test inside the rules of ``book`` (or of one of them)."""
    for rule in book.rules:
        if only in (None, rule.rule):
            for number_, example in enumerate(rule.tests, 1):
                yield RuleTest(rule.rule, number_, run(book, rule, example))


def run(book: RuleSet, rule: Rule, example: Example) -> str:
    """Runs one test; returns a sentence that says what is wrong, or an empty string if it passed."""
    try:
        events = judged(replace(book, rules=(_on(rule),)), example)
    except BadInput as wrong:
        return str(wrong)
    opened = [event for event in events if isinstance(event, AlertOpened)]
    expected = [one if isinstance(one, Expected) else Expected(at=one) for one in example.alerts]
    if len(opened) != len(expected):
        wanted, told = _at(number(one.at) for one in expected), _at(one.at for one in opened)
        return f"there {told}; expected {wanted.removeprefix('was ').removeprefix('were ')}."
    for want, got in zip(expected, opened, strict=True):
        if differs := _differs(want, got, events):
            return differs
    return _notes(example, events)


def _at(moments: Iterable[float]) -> str:
    """``was one alert at 4 s``, and so on."""
    at = ", ".join(f"{moment:.1f}".removesuffix(".0") for moment in moments)
    many = at.count(",")
    return f"{'were alerts' if many else 'was an alert'} at {at} s" if at else "was no alert"


def _on(rule: Rule) -> Rule:
    """The rule switched on, so that tests of a rule that is off by default run too."""
    return msgspec.structs.replace(rule, off=False) if rule.off else rule


def _differs(want: Expected, got: AlertOpened, events: list[Event]) -> str:
    at = number(want.at)
    if abs(ms(got.at) - ms(at)) > ms(want.tolerance):
        return f"an alert at {at:g} s was expected, within {want.tolerance:g} s; it opened at {got.at:g} s."
    last: AlertOpened | AlertUpdated = got
    for event in events:
        if isinstance(event, AlertUpdated) and event.alert == got.alert:
            last = event
    if want.level is not None and last.level != want.level:
        return f"the alert at {at:g} s should reach level {want.level}; it reached {last.level}."
    if want.to is not None and set(last.to) != set(want.to):
        return f"the alert at {at:g} s should be for {', '.join(want.to)}; it was for {', '.join(last.to)}."
    if want.card is not None and want.card != got.card:
        return f"the alert at {at:g} s should {'be' if want.card else 'not be'} a card when it opens."
    return ""


def _notes(example: Example, events: list[Event]) -> str:
    if example.notes is None:
        return ""
    noted = [event.text for event in events if isinstance(event, Note)]
    return "" if noted == example.notes else f"notes {example.notes} were expected; there were: {noted}."


def judged(book: RuleSet, example: Example, *, eager: bool = False) -> list[Event]:
    """All events of a judge on a test's script; ``eager`` as for ``Judge``."""
    script = compile_script(tuple(example.call), words=example.words)
    judge = Judge(book, RulesSettings(), meta=dict(example.meta), words=example.words, eager=eager)
    out = judge.take(_started(book, example))
    for step in _steps(script):
        if isinstance(step, Event):
            out += judge.advance(step.detected_at) + judge.take(step)
        else:
            alerts = [one.alert for one in out if isinstance(one, AlertOpened) and one.rule == step.rule]
            out += judge.order(order_of(step, alerts[-1] if alerts else None), step.at)
    return out + judge.advance(script.end) + judge.hang_up(script.end)


def _started(book: RuleSet, example: Example) -> CallStarted:
    model = "script" if example.words else "none"
    return CallStarted(
        call="test", sources=(), rate=8000, band="narrow", model=model, rules_hash="", profile=book.profile,
        meta=dict(example.meta),
    )  # fmt: skip


def _steps(script: CompiledScript) -> Iterator[Event | ScriptCommand]:
    """Facts and orders by time."""
    orders = list(script.orders)
    for fact in script.facts:
        while orders and orders[0].at <= fact.detected_at:
            yield orders.pop(0)
        yield fact
    yield from orders
