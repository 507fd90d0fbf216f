# ruff: noqa: E501 - a rule in one line reads better
"""The life of an alert: hold, clear, cooldown, budget, expiry, escalation, parts of the call."""

import pytest

from monitor.events import Interruption, Prosody, SpeechStarted
from monitor.judge.engine import TRANSITIONS, Signal, State, after
from monitor.judge.judge import Judge
from monitor.rules.script import compile_script
from monitor.timeline import keys_of
from tests.judge.judging import book_of, closed, events, opened, updated

SILENCE = """\
- rule: t.silence
  rationale: Test.
  measure: {silence: {}}
  at_least: 5s
  cooldown: 0
  message: Say something.
"""


def alerts(tmp_path, more, *lines, rule=SILENCE, **given):
    said = events(book_of(rule + more, tmp_path), *lines, **given)
    return [e.at for e in opened(said)], [(e.reason, round(e.detected_at, 1)) for e in closed(said)]


def test_a_running_value_opens_when_it_reaches_the_threshold_and_closes_when_it_is_over(tmp_path):
    assert alerts(tmp_path, "", "agent 0-2 so", "agent 10-12 well", "end 14") == ([7.0], [("cleared", 10.1)])


def test_hold_means_true_for_so_long(tmp_path):
    assert alerts(tmp_path, "  for: 2s\n", "agent 0-2 so", "agent 8.5-9 well", "end 10")[0] == []
    assert alerts(tmp_path, "  for: 2s\n", "agent 0-2 so", "agent 9.5-10 well", "end 11")[0] == [9.0]


def test_a_cooldown_keeps_the_next_alert_away(tmp_path):
    lines = ("agent 0-2 so", "agent 9-10 well", "agent 17-18 now", "agent 25-26 then", "end 27")
    assert alerts(tmp_path, "", *lines)[0] == [7.0, 15.0, 23.0]
    assert alerts(tmp_path.joinpath(), "", *lines, rule=SILENCE.replace("cooldown: 0", "cooldown: 14s"))[
        0
    ] == [7.0, 23.0]


def test_a_budget_is_for_the_call(tmp_path):
    lines = ("agent 0-2 so", "agent 9-10 well", "agent 17-18 now", "end 19")
    assert alerts(tmp_path, "  budget: 1\n", *lines)[0] == [7.0]


def test_an_alert_that_expires_comes_back_only_after_it_was_unmet(tmp_path):
    opens, closes = alerts(tmp_path, "  expires: 3s\n", "agent 0-2 so", "agent 40-41 well", "end 48")
    assert opens == [7.0, 46.0]
    assert closes[0] == ("expired", 10.0)


def test_clear_is_another_value_than_the_threshold(tmp_path):
    share = """\
- {rule: t.share, rationale: T., measure: {talk_share: {by: agent, window: 30s, least: 5s}}, more_than: 60%, message: Listen., cooldown: 0%s}
"""
    lines = (
        "caller 0-6 one",
        "agent 7-20 two",
        "caller 21-28 three",
        "agent 29-36 four",
        "caller 37-60 five",
    )
    plain = alerts(tmp_path, "", *lines, rule=share.replace("%s", ""))[1]
    held = alerts(tmp_path, "", *lines, rule=share.replace("%s", ", clear: 30%"))[1]
    assert plain[0][0] == held[0][0] == "cleared"
    assert held[0][1] > plain[0][1] + 5


def test_the_escalation_goes_up_and_not_down(tmp_path):
    rule = (
        SILENCE.replace("  at_least: 5s\n", "")
        + "  escalation: [{at_least: 5s}, {at_least: 9s, level: critical, message: Now.}]\n"
    )
    said = events(book_of(rule, tmp_path), "agent 0-2 so", "agent 20-21 well", "end 23")
    assert [(e.at, e.level, e.message) for e in opened(said)] == [(7.0, "info", "Say something.")]
    assert ("critical", "Now.", 11.0) in [(e.level, e.message, e.at) for e in updated(said)]
    assert closed(said)[0].level == "critical"


@pytest.mark.parametrize(
    ("during", "opens"),
    [
        ("{first: 10s}", [7.0]),
        ("{after: 10s}", [19.0, 28.0]),
        ("{last: 30s}", [28.0]),
        ("{after_opening: true}", [19.0, 28.0]),
        ("{before_closing: true}", [7.0, 19.0]),
    ],
)
def test_parts_of_the_call(tmp_path, during, opens):
    lines = (
        "agent 0-2 so",
        "caller 9-10 well",
        "agent 11-14 good",
        "agent 21-23 have a nice day goodbye",
        "end 28",
    )
    assert alerts(tmp_path, f"  during: {during}\n", *lines)[0] == opens


@pytest.mark.parametrize(
    ("only", "meta", "there"),
    [
        ("{direction: out}", {"direction": "out"}, True),
        ("{direction: out}", {"direction": "outbound"}, True),
        ("{direction: out}", {}, False),
        ("{queue: [billing, returns]}", {"queue": "returns"}, True),
        ("{queue: billing}", {"queue": "returns"}, False),
        ("{team: north}", {"team": "north"}, True),
        ("{profile: eu}", {}, False),
        ("{profile: [default, eu]}", {}, True),
        ("{meta: {vip: true}}", {"vip": True}, True),
        ("{meta: {vip: true}}", {}, False),
    ],
)
def test_the_calls_that_a_rule_is_for(tmp_path, only, meta, there):
    opens, _ = alerts(tmp_path, f"  scope: {only}\n", "agent 0-2 so", "end 10", meta=meta)
    assert bool(opens) == there


def test_all_wants_all_and_any_wants_one(tmp_path):
    two = "[{measure: {silence: {}}, at_least: 5s}, {measure: {phrases: {of: blame, by: agent, window: 60s}}, at_least: 1}]"
    rule = "- {rule: t.two, rationale: T., %s: " + two + ", message: Do., cooldown: 0}\n"
    quiet, both = ("agent 0-2 so", "end 9"), ("agent 0-2 you should have read it", "end 9")
    assert alerts(tmp_path, "", *quiet, rule=rule % "all")[0] == []
    assert alerts(tmp_path, "", *both, rule=rule % "all")[0] == [7.0]
    assert alerts(tmp_path, "", *quiet, rule=rule % "any")[0] == [7.0]
    assert len(alerts(tmp_path, "", *both, rule=rule % "any")[0]) == 1


def test_without_words_any_asks_what_can_be_heard(tmp_path):
    two = (
        "[{measure: {silence: {}}, at_least: 5s}, {measure: {phrases: {of: blame, by: agent}}, at_least: 1}]"
    )
    rule = f"- {{rule: t.two, rationale: T., any: {two}, message: Do.}}\n"
    assert alerts(tmp_path, "", "agent 0-2 so", "end 9", rule=rule, words=False)[0] == [7.0]


def test_an_exemption_holds_a_running_value_back_and_then_lets_it_go(tmp_path):
    more = "  unless: {agent: let_me_check, within: 10s}\n"
    (at,), _ = alerts(tmp_path, more, "agent 0-2 let me check that", "end 30")
    assert 11.0 <= at <= 12.5


def test_every_signal_in_every_state_leads_somewhere():
    for state in State:
        for signal in Signal:
            assert after(state, signal) is TRANSITIONS.get((state, signal), state)
    reached = {TRANSITIONS[key] for key in TRANSITIONS}
    assert reached == set(State)


def test_old_evidence_opens_nothing_after_the_cooldown(tmp_path):
    rule = """\
- {rule: t.blame, rationale: T., measure: {phrases: {of: blame, by: agent, window: 120s}}, at_least: 1, message: Do., cooldown: 20s, expires: 5s}
"""
    assert len(alerts(tmp_path, "", "agent 0-2 you should have read it", "end 100", rule=rule)[0]) == 1


# --- what a rule is evaluated for ---

ABSENCE = """\
- {rule: t.absent, rationale: T., measure: {phrases: {of: good_time, by: agent}}, not_said_by: 20s, message: Ask.}
"""


def played(rule, tmp_path, *lines):
    """The one rule of a judge that heard these lines, to their last fact, and that judge."""
    judge = Judge(book_of(rule, tmp_path))
    for fact in compile_script(lines).facts:
        judge.take(fact)
    (instance,) = judge.watches
    return instance, judge


def keys(instance):
    return {key for read in instance.reads for key in keys_of(read)}


def test_a_rule_is_subscribed_to_what_its_last_evaluation_read_and_no_longer_to_what_it_read_before(tmp_path):
    instance, _ = played(ABSENCE, tmp_path, "caller 0-4 hello", "end 5")
    assert keys(instance) == {("speech", "agent")}
    instance, _ = played(ABSENCE, tmp_path, "caller 0-4 hello", "agent 5-6 yes", "end 7")
    assert keys(instance) == {("speech", "agent"), ("good_time", "agent")}
    assert instance.due == 25_000
    instance, judge = played(
        ABSENCE, tmp_path, "caller 0-4 hello", "agent 5-6 yes", "agent 24-30 well", "end 31"
    )
    judge.advance(26.0)
    assert keys(instance) >= {("@words", "agent"), ("@speech", "agent"), ("good_time", "agent")}


def test_a_fact_that_a_rule_has_not_read_does_not_lead_to_an_evaluation(tmp_path):
    instance, judge = played(SILENCE, tmp_path, "agent 0-2 so", "end 3")
    evaluated = []

    class Noting:
        words, expected = False, frozenset()

        def assess(self, view, step, trigger=instance.trigger):
            evaluated.append(view.now)
            return trigger.assess(view, step)

    instance.trigger = Noting()
    judge.take(Interruption(detected_at=4.0, start=3.0, at=4.0, by="agent", of="caller"))
    judge.take(Prosody(detected_at=4.5, channel="agent", at=4.4, level_dbfs=-24.0, voiced=1.0))
    assert evaluated == []
    judge.take(SpeechStarted(detected_at=4.7, channel="caller", at=4.6))
    assert evaluated == [4_700]
    judge.advance(60.0)
    assert evaluated == [4_700]


def test_a_rule_is_due_in_the_ms_in_which_its_duration_reaches_the_threshold(tmp_path):
    instance, judge = played(SILENCE, tmp_path, "agent 0-2.034 so", "end 3")
    assert instance.due == 7_034
    (alert,) = opened(judge.advance(9.0))
    assert (alert.detected_at, alert.at) == (7.034, 7.034)


def test_an_alert_about_a_share_keeps_what_was_measured_when_it_opened(tmp_path):
    share = "- {rule: t.share, rationale: T., measure: {talk_share: {by: agent, window: 30s, least: 5s}}, more_than: 60%, message: Listen.}\n"
    said = events(book_of(share, tmp_path), "caller 0-6 one", "agent 7-20 two", "caller 21-50 three")
    (first,), (last,) = opened(said), closed(said)
    assert first.measured == last.measured == 0.6
    assert first.detected_at == pytest.approx(16.0, abs=0.01)


def test_a_judge_that_heard_no_start_of_the_call_evaluates_its_rules_all_the_same(tmp_path):
    judge = Judge(book_of(SILENCE, tmp_path))
    assert [alert.at for alert in opened(judge.advance(6.0))] == [5.0]
