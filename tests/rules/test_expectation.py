"""Contracts and absences: what ought to be said in time."""

from tests.judge.judging import book_of, closed, events, opened

PROMISE = """\
- rule: t.promise
  rationale: Test.
  after: {agent: promise}
  expect: {agent: time_expression}
  within: 8s
  message: Add a when.
"""
ABSENT = """\
- rule: t.absent
  rationale: Test.
  measure: {phrases: {of: good_time, by: agent}}
  not_said_by: 20s
  message: Ask if now is a good time.
"""


def test_a_promise_without_a_date_is_told_at_its_deadline(tmp_path):
    said = events(
        book_of(PROMISE, tmp_path), "agent 0-3 I will send you a new one", "caller 4-20 all right then"
    )
    (alert,) = opened(said)
    cue = alert.evidence[0]
    assert alert.at == round(cue.end + 8.0, 3)
    assert cue.text.startswith("I will send")
    assert alert.summary.startswith("What should follow “I will send")
    assert alert.summary.endswith("did not come within 8 s.")


def test_a_date_that_comes_in_time_keeps_it(tmp_path):
    said = events(
        book_of(PROMISE, tmp_path), "agent 0-3 I will send you a new one", "agent 6-8 by friday", "end 30"
    )
    assert opened(said) == []


def test_a_date_that_comes_late_does_not(tmp_path):
    said = events(
        book_of(PROMISE, tmp_path), "agent 0-3 I will send you a new one", "agent 14-16 by friday", "end 30"
    )
    assert len(opened(said)) == 1


def test_lookback_counts_what_was_said_just_before(tmp_path):
    lines = ("agent 0-2 by friday noon", "agent 3-6 I will send you a new one", "end 30")
    assert len(opened(events(book_of(PROMISE, tmp_path), *lines))) == 1
    assert opened(events(book_of(PROMISE + "  lookback: 5s\n", tmp_path), *lines)) == []


def test_an_exemption_exempts(tmp_path):
    text = PROMISE + "  unless: {caller: agreement}\n"
    said = events(
        book_of(text, tmp_path),
        "agent 0-3 I will send you a new one",
        "caller 4-6 that works for me",
        "end 30",
    )
    assert opened(said) == []


def test_every_name_must_come_where_the_rule_says_so(tmp_path):
    text = PROMISE.replace("{agent: time_expression}", "{agent: [time_expression, because], every: true}")
    half = ("agent 0-3 I will send you a new one", "agent 4-6 by friday", "end 30")
    whole = (*half[:1], "agent 4-8 by friday because the shop is closed", "end 30")
    assert len(opened(events(book_of(text, tmp_path), *half))) == 1
    assert opened(events(book_of(text, tmp_path), *whole)) == []


def test_two_turns_without_the_answer_are_enough(tmp_path):
    text = (
        PROMISE.replace("after: {agent: promise}", "after: {caller: promise}").replace("8s", "60s")
        + "  turns: 2\n"
    )
    said = events(
        book_of(text, tmp_path),
        "caller 0-3 I will send you the form", "agent 4-6 okay", "caller 7-9 yes",
        "agent 10-12 good", "caller 13-15 so", "end 90",
    )  # fmt: skip
    (alert,) = opened(said)
    assert 11.5 <= alert.at <= 12.5


def test_a_deadline_that_the_call_did_not_reach_is_no_fault(tmp_path):
    said = events(book_of(PROMISE, tmp_path), "agent 0-3 I will send you a new one", "end 5")
    assert opened(said) == []


def test_the_same_words_under_two_classes_are_one_cue(tmp_path):
    text = (
        PROMISE.replace("{agent: promise}", "{caller: [distress, anger]}")
        + "  escalation: [{at_least: 2, window: 60s}]\n"
    )
    said = events(book_of(text, tmp_path), "caller 0-4 I am so angry about it", "agent 5-9 I see", "end 40")
    assert opened(said) == []


def test_absence_is_counted_from_the_sides_first_words(tmp_path):
    said = events(book_of(ABSENT, tmp_path), "caller 0-4 hello", "agent 5-8 hello this is Tom", "end 60")
    (alert,) = opened(said)
    assert alert.at == 25.0
    assert closed(said)[0].reason == "call ended"


def test_it_clears_when_it_is_said_after_all(tmp_path):
    lines = ("agent 0-3 hello this is Tom", "agent 30-33 is this a good time for you", "end 60")
    said = events(book_of(ABSENT, tmp_path), *lines)
    assert [e.at for e in opened(said)] == [20.0]
    (shut,) = closed(said)
    assert shut.reason == "cleared"
    assert 33 <= shut.detected_at <= 35


def test_who_never_speaks_leaves_nothing_unsaid(tmp_path):
    assert opened(events(book_of(ABSENT, tmp_path), "caller 0-40 hello", "end 60")) == []
