"""The law of the engine: evaluating every rule at every event and every 0.1 s changes no alert.

Whatever a measure depends on is noted by the view. Where that is too little, an alert comes late, closes late
or never comes; here the engine is held against one that forgets nothing because it always looks.
"""

from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Event
from monitor.judge.judge import Judge
from monitor.judge.rule_tests import judged
from monitor.review.callscript import read_script, script_facts
from monitor.rules.measures import MEASURES
from monitor.rules.rule import Example
from monitor.rules.rule_set import RuleSet
from tests.examples import examples
from tests.judge.judging import book_of, bundled, closed, opened, said_of

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CALLS = sorted([*(FIXTURES / "calls").glob("*.yaml"), *(FIXTURES / "calls-apart").glob("*.yaml")])


def assert_same(lazy: list[Event], eager: list[Event]) -> None:
    assert [msgspec.to_builtins(event) for event in lazy] == [msgspec.to_builtins(event) for event in eager]


@cache
def book() -> RuleSet:
    return bundled()


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_in_a_scripted_call(path: Path) -> None:
    facts = script_facts(read_script(path))
    assert_same(said_of(facts, book(), eager=False), said_of(facts, book(), eager=True))


RULES = {rule.rule: rule for rule in bundled().rules}


@pytest.mark.parametrize("name", sorted(RULES))
def test_in_the_tests_inside_a_rule(name: str) -> None:
    alone = msgspec.structs.replace(RULES[name], off=False)
    only = RuleSet((alone,), book().profile, book().language)
    for example in alone.tests:
        assert_same(judged(only, example), judged(only, example, eager=True))


def test_an_eager_judge_evaluates_every_rule_at_every_event_and_tick() -> None:
    """Or else the law would say nothing."""
    looks: dict[bool, int] = {}
    for eager in (False, True):
        judge = Judge(bundled("deadair", "lang.blame"), eager=eager)
        count = 0
        for watch in judge.watches:
            assess = watch.trigger.assess

            def counted(view, step, assess=assess):
                nonlocal count
                count += 1
                return assess(view, step)

            watch.trigger = Counted(watch.trigger, counted)
        for second in range(1, 11):
            judge.advance(float(second))
        looks[eager] = count
    assert looks[True] >= 2 * 95
    assert looks[False] <= 10


class Counted:
    """A trigger whose evaluations are counted."""

    def __init__(self, trigger, assess) -> None:
        self.words, self.expected, self.assess = trigger.words, trigger.expected, assess


def test_a_silence_without_a_word_closes_at_the_ms_at_which_it_leaves_the_window() -> None:
    facts = script_facts(read_script(FIXTURES / "calls" / "27-hold-without-a-reason.yaml"))
    (shut,) = closed(said_of(facts, book(), eager=False), "hold.no_reason")
    assert (shut.detected_at, shut.reason) == (47.3, "cleared")


def test_a_share_that_is_reached_while_somebody_speaks_opens_then() -> None:
    facts = script_facts(read_script(FIXTURES / "calls" / "31-not-listening.yaml"))
    (alert,) = opened(said_of(facts, book(), eager=False), "talk.share")
    assert alert.detected_at == alert.at == 90.0


# --- every measure, against any talk -------------------------------------------------------------

REQUIRED: dict[str, object] = {
    "by": "agent", "of": ["apology", "blame"], "against": ["solution", "promise"], "close_to": ["distress"],
    "before": ["solution"], "issue": ["complaint"], "cue": ["distress"], "field": "vip",
}  # fmt: skip
SOONER: dict[str, object] = {"window": "12s", "least": "5s", "within": "6s", "unsaid": "4s", "pause": "0.7s"}
"""Times that a short call goes through several times over."""

BARS = {"s": ("2.5s", "1.25s"), "share": ("50%", "33%"), "times": (2, 1)}
"""A threshold, and the value at which an alert clears, by unit."""

RULE = """\
- {{rule: t.{name}.{number}, rationale: T., message: D., measure: {{{name}: {params}}}, cooldown: 1s, {more}}}
"""


def every_measure() -> str:
    """Rules that ask each measure with a short window, in each comparison, with and without extras."""
    text = ""
    for name, measure in sorted(MEASURES.items()):
        types = msgspec.structs.fields(measure.params)
        given = {one.name: REQUIRED[one.name] for one in types if one.required}
        given |= {
            key: SOONER[key] for key in SOONER if key in measure.kinds and measure.kinds[key] is not int
        }
        limit, clear = BARS.get(measure.unit, (2.0, 1.0))
        extras = (
            f"at_least: {limit}",
            f"more_than: {limit}, clear: {clear}, for: 0.5s",
            f"less_than: {limit}, during: {{after: 3s, first: 40s}}",
            f"at_most: {clear}, unless: {{caller: distress, within: 3s}}, expires: 4s",
        )
        for number, more in enumerate(extras):
            params = msgspec.json.encode(given).decode()
            text += RULE.format(name=name, number=number, params=params, more=more)
    return text


TALK = (
    "I am sorry about that", "you should have read it", "I will send you a new one", "my parcel is broken",
    "I am so frustrated", "what I can do is send an engineer by friday", "when did that start", "mm-hm",
    "this is ridiculous let me finish", "one moment please let me put you on hold", "no but that is wrong",
    "have a nice day goodbye", "you stupid idiot", "and another thing is the invoice",
)  # fmt: skip


@st.composite
def calls(draw: st.DrawFn) -> list[str]:
    """Talk of both sides that overlaps and pauses at random, some of it loud or quick, with holds."""
    lines, now = [], 0
    for _ in range(draw(st.integers(4, 14))):
        side = draw(st.sampled_from(("agent", "caller")))
        start = max(0, now + draw(st.integers(-15, 60)))
        now = start + draw(st.integers(4, 90))
        manner = draw(st.sampled_from(("", "", "", " raised 1.3", " pace 6.5", " flat")))
        words = draw(st.sampled_from(TALK))
        lines.append(f"{side} {start / 10}-{now / 10}{manner} {words}")
        if draw(st.integers(0, 5)) == 0:
            lines.append(f"hold {now / 10}-{(now + draw(st.integers(1, 80))) / 10}")
            now += 20
    return [*lines, f"end {now / 10 + draw(st.integers(5, 20))}"]


@examples(4)
@given(lines=calls())
def test_with_any_measure_in_any_talk(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    rules = book_of(every_measure(), tmp_path_factory.getbasetemp())
    example = Example(call=lines, alerts=[], meta={"vip": 2, "queue_median_seconds": 30})
    assert_same(judged(rules, example), judged(rules, example, eager=True))


@examples(4)
@given(lines=calls())
def test_with_the_bundled_rules_in_any_talk(lines: list[str]) -> None:
    for words in (True, False):
        example = Example(call=lines, alerts=[], words=words)
        assert_same(judged(book(), example), judged(book(), example, eager=True))
