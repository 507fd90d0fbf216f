"""The agent's screen: one card at a time, rarely, at good moments, and the grave ones at once."""

import pytest

from monitor.rules.rule import number
from tests.judge.judging import book_of, bundled, cards, closed, events, opened, updated

SAID = """\
- {{rule: t.{name}, rationale: Test., measure: {{phrases: {{of: {of}, by: agent, window: 40s}}}}, at_least: 1,
   level: {level}, message: Do {name}., cooldown: {cooldown}s, priority: {priority}}}
"""


def rule(name, of, level="info", cooldown=1, priority=0):
    return SAID.format(name=name, of=of, level=level, cooldown=cooldown, priority=priority)


def test_no_card_while_the_agent_speaks_but_right_after(tmp_path):
    book = book_of(rule("a", "blame"), tmp_path)
    said = events(
        book, "agent 0-4 you should have read it", "agent 4.1-12 and so on and on", "caller 15-16 yes"
    )
    (alert,) = opened(said)
    assert not alert.card
    assert alert.withheld == "waiting for a pause"
    ((at, _),) = cards(said)
    assert 12.3 <= at <= 12.7


def test_a_critical_card_does_not_wait(tmp_path):
    book = book_of(rule("a", "blame", level="critical"), tmp_path)
    said = events(book, "agent 0-4 you should have read it", "agent 4.1-12 and so on and on")
    assert opened(said)[0].card


def test_eighteen_seconds_lie_between_two_cards(tmp_path):
    book = book_of(rule("a", "blame") + rule("b", "judging"), tmp_path)
    said = events(
        book,
        "agent 0-2 you should have read it",
        "caller 3-4 hm",
        "agent 5-6 please calm down",
        "caller 7-9 no",
        "end 40",
    )
    (first, one), (second, two) = cards(said)
    assert (one, two) == ("t.a", "t.b")
    assert 18.0 <= second - first <= 18.5
    assert opened(said, "t.b")[0].withheld == "another card was just shown"


def test_of_two_that_wait_the_graver_comes_first(tmp_path):
    book = book_of(rule("a", "blame") + rule("b", "judging") + rule("c", "defensive", level="warn"), tmp_path)
    said = events(
        book,
        "agent 0-1 you should have read it",
        "agent 3-4 please calm down",
        "agent 6-7 that is not my fault",
        "end 40",
    )
    assert [name for _, name in cards(said)] == ["t.a", "t.c"]


def test_a_card_that_found_no_moment_in_time_is_not_shown_late(tmp_path):
    book = book_of(rule("a", "blame").replace("40s", "60s"), tmp_path)
    said = events(
        book, "agent 0-40 you should have read it and now I go on for a very long time indeed", "end 60"
    )
    assert opened(said)
    late = [at for at, _ in cards(said)]
    assert all(at - opened(said)[0].detected_at <= 20.5 for at in late)


def test_the_budget_of_ten_minutes_is_soft_only_for_critical_cards(tmp_path):
    book = book_of(rule("a", "blame") + rule("b", "judging", level="critical"), tmp_path)
    lines = [f"agent {20 * n}-{20 * n + 2} you should have read it" for n in range(9)]
    said = events(book, *lines, "agent 200-202 please calm down")
    shown = cards(said)
    assert [name for _, name in shown] == ["t.a"] * 6 + ["t.b"]
    assert updated(said, "t.a")[-1].withheld == "enough cards for now"


def test_a_snooze_holds_cards_back_and_supervisors_still_see_the_alert(tmp_path):
    book = book_of(rule("a", "blame"), tmp_path)
    said = events(
        book, "snooze 1 60s", "agent 2-4 you should have read it", "agent 70-72 you should have read it"
    )
    assert [e.withheld for e in opened(said)] == ["snoozed", None]


def test_the_same_card_does_not_come_again_within_its_cooldown():
    said = events(
        bundled("interrupt.agent"),
        "caller 0-6 it broke", "agent 4-7 have", "caller 8-14 no", "agent 12-15 but",
        "caller 16-22 no", "agent 20-23 but", "end 60",
    )  # fmt: skip
    assert len(cards(said)) == 1
    assert {e.withheld for e in updated(said) if not e.card} == {"this card was just shown"}


def test_while_the_caller_vents_nothing_is_put_on_the_screen():
    said = events(
        bundled("vent.hold", "lang.blame"),
        "caller 0-4 raised 1.3 I have waited", "agent 4.2-5.2 you should have read it",
        "caller 5.4-20 raised 1.3 and waited and waited and waited", "end 40",
    )  # fmt: skip
    held = opened(said, "vent.hold")
    assert held
    until = closed(said, "vent.hold")[0].detected_at
    assert [at for at, _ in cards(said) if held[0].detected_at < at < until] == []


def test_after_an_upsetting_story_prompts_to_sell_or_close_are_held_back():
    said = events(
        bundled("caller.upsetting", "close.confirm"),
        "caller 0-5 my husband died last week", "agent 6-8 oh I see", "agent 30-33 have a nice day goodbye",
        "caller 34-50 wait a moment please", "end 60",
    )  # fmt: skip
    (alert,) = opened(said, "close.confirm")
    assert alert.withheld == "held back: Upsetting event"


def test_a_warning_that_is_ignored_goes_to_supervisors_too():
    said = events(
        bundled("interrupt.agent"),
        "caller 0-6 it broke", "agent 4-7 have", "caller 8-14 no", "agent 12-15 but",
        "caller 16-30 listen to me", "agent 40-41 yes", "caller 44-50 no", "agent 48-51 but", "end 60",
    )  # fmt: skip
    told = updated(said)
    assert told[0].to == ("agent",)
    assert told[-1].to == ("agent", "supervisor")


def test_an_argument_that_goes_on_for_ninety_seconds_goes_to_supervisors():
    lines, at = [], 0
    while at < 130:
        lines += [f"caller {at}-{at + 3} no I sent it back", f"agent {at + 4}-{at + 7} but it is not here"]
        at += 8
    said = events(bundled("argue.loop"), *lines)
    (alert,) = opened(said)
    assert alert.to == ("agent",)
    first = next(e for e in updated(said) if "supervisor" in e.to)
    assert first.detected_at - alert.detected_at == pytest.approx(90, abs=1)


def test_what_is_private_never_goes_to_supervisors():
    book = bundled("agent.raised_voice", profile="eu")
    said = events(book, "agent 0-8 let me see", "agent 10-70 raised 1.4 I told you already", "end 90")
    assert opened(said)[0].private
    assert all(e.to == ("agent",) for e in [*opened(said), *updated(said), *closed(said)])


def test_the_quiet_profile_shows_critical_cards_only():
    book = bundled("interrupt.agent", "caller.not_heard", profile="quiet")
    said = events(
        book, "caller 0-6 it broke", "agent 4-9 have you tried", "caller 10-16 please let me finish", "end 30"
    )
    assert [name for _, name in cards(said)] == ["caller.not_heard"]
    assert opened(said, "interrupt.agent")


def test_what_is_for_the_end_of_the_call_is_shown_when_it_ends():
    lines = ("caller 0-3 you are a useless moron", "agent 4-6 you should have read it", "end 9")
    said = events(bundled("acw.recover", "lang.blame"), *lines)
    (alert,) = opened(said, "acw.recover")
    assert (alert.card, alert.at, alert.private) == (True, 9.0, True)


def test_every_cooldown_leaves_room_for_the_other_rules():
    assert all(number(rule.cooldown) >= 20 for rule in bundled().rules)
