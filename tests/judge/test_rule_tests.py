"""The tests inside the bundled rules, one by one; and what the runner says when one fails."""

import time

import pytest

from monitor.judge.rule_tests import rule_tests, run
from monitor.rules.coverage import untested
from monitor.rules.rule import Example, Expected
from monitor.rules.rule_set import load_rules
from tests.judge.judging import bundled

BOOK = load_rules()
CASES = [(rule, number) for rule in BOOK.rules for number in range(len(rule.tests))]


@pytest.mark.parametrize(("rule", "number"), CASES, ids=[f"{rule.rule}-{n + 1}" for rule, n in CASES])
def test_inside_the_rule(rule, number):
    assert run(BOOK, rule, rule.tests[number]) == ""


def test_every_rule_has_a_test_in_which_it_alerts_and_one_in_which_it_is_quiet():
    assert untested(BOOK) == []


def test_all_tests_inside_rules_take_less_than_five_seconds_of_work():
    began = time.process_time()
    assert all(not trial.wrong for trial in rule_tests(BOOK))
    assert time.process_time() - began < 5.0


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ([12.0], "within 0.5 s; it opened at 6.4 s"),
        ([], "there was an alert at 6.4 s; expected no alert"),
        ([6.4, 30.0], "there was an alert at 6.4 s; expected alerts at 6.4, 30 s"),
        ([Expected(at=6.4, level="critical")], "should reach level critical; it reached info"),
        ([Expected(at=6.4, to=("supervisor",))], "should be for supervisor; it was for agent"),
        ([Expected(at=6.4, card=True)], "should be a card"),
    ],
)
def test_a_failing_test_says_what_was_expected_and_what_came(alerts, said):
    book = bundled("interrupt.agent")
    example = Example(call=["caller 0-6 it broke", "agent 4-9 have you tried"], alerts=alerts)
    assert said in run(book, book.rules[0], example)


def test_a_line_that_cannot_be_read_is_named():
    book = bundled("interrupt.agent")
    assert "cannot be read: 'caller six'" in run(book, book.rules[0], Example(call=["caller six"], alerts=[]))
