# ruff: noqa: E501 - a rule in one line reads better
"""What an alert tells of itself: the wording is checked here and nowhere else."""

import pytest

from monitor.judge.explanations import quantity
from tests.judge.judging import book_of, events, opened, updated

RULE = "- {rule: t.x, rationale: Because., message: Do., cooldown: 0, %s}\n"
PHRASES = "measure: {phrases: {of: blame, by: agent, window: 60s}}, at_least: 1"
SILENCE = "measure: {silence: {}}"
PROMISE = "after: {agent: promise}, expect: {agent: time_expression}, within: 8s"
BLAMED = ("agent 0-4 well you should have read it",)
QUIET = ("agent 0-2 so", "agent 20-21 well", "end 23")
PROMISED = ("agent 0-3 I will send you a new one", "caller 4-20 all right then")


def alert(tmp_path, keys, *lines):
    (found,) = opened(events(book_of(RULE % keys, tmp_path), *lines))
    return found


@pytest.mark.parametrize(
    ("keys", "lines", "summary", "clears_when"),
    [
        (PHRASES, BLAMED, "The agent said it once in 60 s: “you should have”.", "the count is below 1"),
        (SILENCE + ", at_least: 5s", QUIET, "Nobody has spoken for 5 s.", "the duration is below 5 s"),
        (PHRASES.replace("at_least: 1", "more_than: 0"), BLAMED, "The agent said it once in 60 s: “you should have”.", "the count is 0 or less"),
        (SILENCE + ", at_least: 5s, clear: 2s", QUIET, "Nobody has spoken for 5 s.", "the duration is below 2 s"),
        (SILENCE + ", at_least: 5s, expires: 4s", QUIET, "Nobody has spoken for 5 s.", "the duration is below 5 s, or after 4 s"),
        (PROMISE, PROMISED, "What should follow “I will send you” did not come within 8 s.", "it has not happened again for 30 s"),
        (PROMISE + ", turns: 1", PROMISED, "What should follow “I will send you” did not come in time.", "it has not happened again for 30 s"),
        (
            "measure: {phrases: {of: greeting, by: agent}}, not_said_by: 5s", ("agent 0-8 your order number please",),
            "What should be said did not come within 5 s.", "it is said",
        ),
        (
            "measure: {phrases: {of: blame, by: agent}}, at_most: 0, during: {last: 5s}", ("agent 0-4 fine",),
            "The agent said it never in 120 s.", "the count is above 0",
        ),
    ],
)  # fmt: skip
def test_summary_and_end_are_plain_sentences(tmp_path, keys, lines, summary, clears_when):
    found = alert(tmp_path, keys, *lines)
    assert (found.summary, found.clears_when) == (summary, clears_when)


def test_numbers_are_fields(tmp_path):
    found = alert(tmp_path, PHRASES, *BLAMED)
    assert (found.measure, found.measured, found.threshold, found.comparison, found.unit) == (
        "phrases", 1.0, 1.0, "at_least", "times",
    )  # fmt: skip
    assert [(one.text, one.channel) for one in found.evidence] == [("you should have", "agent")]
    promised = alert(tmp_path, PROMISE, *PROMISED)
    assert (promised.measure, promised.unit, promised.comparison) == ("expectation", "times", "at_least")


def test_an_escalated_alert_still_ends_below_its_first_step(tmp_path):
    steps = "escalation: [{at_least: 5s}, {at_least: 9s, level: critical}]"
    said = events(book_of(RULE % f"{SILENCE}, {steps}", tmp_path), *QUIET)
    last = updated(said)[-1]
    assert (last.level, last.threshold, last.clears_when) == ("critical", 9.0, "the duration is below 5 s")


def test_praise_and_title_come_from_the_rule(tmp_path):
    assert alert(tmp_path, PHRASES + ", praise: true, title: Well said", *BLAMED).praise
    assert alert(tmp_path, PHRASES + ", title: Well said", *BLAMED).title == "Well said"
    assert alert(tmp_path, PHRASES, *BLAMED).title == "T x"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "times", "never"), (1, "times", "once"), (2, "times", "twice"), (3, "times", "3 times"),
        (0.654, "share", "65 %"), (4.25, "s", "4.2 s"), (5, "s", "5 s"), (12.3, "s", "12 s"),
        (70.2, "points", "70 points"), (185, "words/min", "185 words/min"), (1.25, "st", "1.2 st"), (3, None, "3.0"),
    ],
)  # fmt: skip
def test_quantities_are_written_as_people_say_them(value, unit, text):
    assert quantity(value, unit) == text
