"""The scripted calls: the rules raise what they ought to raise, and nothing else."""

from pathlib import Path

import pytest

from monitor.review.backtest import Report, Task, backtest
from monitor.review.callscript import read_script
from monitor.review.collection import calls_in
from monitor.rules.rule_set import load_rules

CALLS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "calls"
APART = CALLS.with_name("calls-apart")
SEEDS = (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)
"""Damages on which neither rules nor phrases were tuned (those from 101 on are there for that)."""


@pytest.fixture(scope="module")
def clean() -> Report:
    return judged()


def judged(damage: float = 0.0, seed: int = 1, folder: Path = CALLS) -> Report:
    tasks = [Task(call=call, rules=(None,), damage=damage, seed=seed) for call in calls_in(folder)]
    return backtest(tasks)


def test_there_are_at_least_forty_calls_of_one_to_three_minutes() -> None:
    scripts = [read_script(path) for path in sorted(CALLS.glob("*.yaml"))]
    assert len(scripts) >= 40
    for script in scripts:
        seconds = max(float(line.split()[-1]) for line in script.talk if line.startswith("end "))
        assert 55 <= seconds <= 180, script.call


def test_ordinary_and_difficult_calls_are_both_there() -> None:
    scripts = [read_script(path) for path in sorted(CALLS.glob("*.yaml"))]
    assert sum(not script.alerts for script in scripts) >= 10
    assert sum(bool(script.alerts) for script in scripts) >= 25


def test_every_expected_alert_names_a_rule_that_there_is() -> None:
    rules = {rule.rule for rule in load_rules().rules}
    for path in sorted(CALLS.glob("*.yaml")):
        script = read_script(path)
        assert {alert.rule for alert in script.alerts} | set(script.allowed) <= rules, path.name


def test_with_correct_words_precision_and_recall_are_at_least_95_percent(clean: Report) -> None:
    total = clean.total[0]
    assert total.precision is not None
    assert total.precision >= 0.95
    assert total.recall is not None
    assert total.recall >= 0.95


def test_calls_that_nothing_was_tuned_on_are_understood_too() -> None:
    total = judged(folder=APART).total[0]
    assert total.precision is not None
    assert total.precision >= APART_PRECISION
    assert total.recall is not None
    assert total.recall >= APART_RECALL


APART_PRECISION, APART_RECALL = 0.85, 0.90
"""A floor below what was measured (0.90 and 1.00 on 17 alerts). Whoever tunes on these calls moves them to
``fixtures/calls``, and writes others."""


def test_no_rule_is_more_often_wrong_than_right(clean: Report) -> None:
    for rule, (figures, *_) in clean.rules.items():
        assert figures.wrong <= figures.found, rule


def test_with_one_word_in_seven_damaged_85_percent_of_the_alerts_come_and_are_right() -> None:
    totals = [judged(damage=0.15, seed=seed).total[0] for seed in SEEDS]
    found, missed, wrong = (
        sum(getattr(total, name) for total in totals) for name in ("found", "missed", "wrong")
    )
    assert found / (found + missed) >= 0.85
    assert found / (found + wrong) >= 0.85
