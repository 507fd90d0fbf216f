"""What became of an expectation is told: kept, broken, open at the end, or not to be heard."""

import msgspec

from monitor.events import (
    Expectation,
)
from monitor.judge.judge import Judge
from monitor.rules.script import compile_script
from tests.judge.judging import bundled, events, of


def test_a_promise_is_told_with_its_date_or_as_broken():
    lines = ["agent 0-4 I will send you a new one by friday", "agent 20-24 I will call you back", "end 60"]
    said = of(events(bundled("expect.no_when"), *lines), Expectation)
    assert [(one.outcome, one.of, one.start >= 20) for one in said] == [
        ("kept", "promise", False),
        ("broken", "promise", True),
    ]
    assert "friday" in " ".join(answer.text or "" for answer in said[0].answers)
    assert said[1].answers == ()


def test_what_the_call_cut_off_is_open_and_what_nobody_could_hear_is_unheard():
    cut = of(events(bundled("expect.no_when"), "agent 0-4 I will call you back", "end 6"), Expectation)
    assert [one.outcome for one in cut] == ["open"]
    lines = ["trouble dead_channel agent 5-60", "caller 0-4 I am really frustrated", "end 60"]
    deaf = of(events(bundled("score.empathy_rate"), *lines), Expectation)
    assert [one.outcome for one in deaf] == ["unheard"]


def test_the_score_counts_what_was_told(tmp_path):
    lines = ("caller 0-4 I am really frustrated", "agent 5-9 I understand how frustrating that is",
             "caller 40-44 I am so angry about it", "agent 46-50 what is your number")  # fmt: skip
    judge = Judge(bundled("score.empathy_rate"))
    said = [event for fact in compile_script(lines).facts for event in judge.take(fact)]
    said += judge.hang_up(90.0)
    told = of(said, Expectation)
    assert {one.score for one in told} == {"empathy_rate"}
    kept = sum(one.outcome == "kept" for one in told) / len(told)
    assert judge.totals["scores"]["empathy_rate"] == kept == 0.5


def test_an_expectation_of_a_private_rule_is_told_to_nobody():
    book = bundled("expect.no_when")
    (rule,) = book.rules
    secret = msgspec.structs.replace(rule, private=True)
    lines = ["agent 0-4 I will call you back", "end 60"]
    assert of(events(book, *lines), Expectation)
    assert not of(events(type(book)(rules=(secret,)), *lines), Expectation)
