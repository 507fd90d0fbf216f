"""The judge: the same facts give the same alerts, however the call was cut; orders; sums; bounded memory."""

import random
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import RulesSettings
from monitor.events import (
    AlertOpened,
    CallStarted,
    Command,
    CommandApplied,
    Difficulty,
    Note,
    Prosody,
    SpeechEnded,
    SpeechStarted,
    Utterance,
    Word,
)
from monitor.judge.judge import Judge
from monitor.rules.rule_set import load_rules
from monitor.rules.script import compile_script
from tests.examples import examples
from tests.judge.judging import bundled, closed, events, opened, updated

QUARREL = (
    "agent 0-3 hello how can I help",
    "caller 4-12 my parcel never arrived and I am really frustrated",
    "agent 10-16 you should have called us before",
    "caller 17-24 raised 1.4 let me finish I already told you that on monday",
    "agent 22-28 raised 1.1 I am sorry I am really sorry sorry again",
    "caller 29-36 raised 1.3 this is ridiculous I want to speak to your manager",
    "agent 52-56 I will send you a new one",
    "caller 58-62 calm 0.1 okay that works for me",
    "agent 70-72 have a nice day goodbye",
)
BABBLE = ("sorry", "I", "will", "send", "you", "should", "have", "broken", "policy")
STARTED = CallStarted(
    call="c", sources=(), rate=8000, band="narrow", model="m", rules_hash="", profile="default"
)


def judged_in_steps(book, facts, end, steps):
    """The judge's words when the call goes on to each of ``steps`` between the facts."""
    judge = Judge(book, words=True)
    said = list(judge.take(STARTED))
    moments = sorted(set(steps))
    for fact in facts:
        while moments and moments[0] < fact.detected_at:
            said += judge.advance(moments.pop(0))
        said += judge.advance(fact.detected_at)
        said += judge.take(fact)
    said += judge.advance(end) + judge.hang_up(end)
    return said


@examples(10)
@given(st.lists(st.integers(0, 4000).map(lambda frame: frame * 0.02), max_size=60))
def test_the_cuts_of_the_call_change_nothing(steps):
    book = bundled()
    script = compile_script(QUARREL)
    whole = judged_in_steps(book, script.facts, script.end, [])
    assert msgspec.json.encode(judged_in_steps(book, script.facts, script.end, steps)) == msgspec.json.encode(
        whole
    )


def test_two_judges_say_the_same_byte_for_byte():
    book = bundled()
    assert msgspec.json.encode(events(book, *QUARREL)) == msgspec.json.encode(events(book, *QUARREL))


def test_nothing_is_said_about_what_has_not_been_heard():
    for event in events(bundled(), *QUARREL):
        assert getattr(event, "at", 0.0) <= event.detected_at + 1e-6


def test_a_quarrel_is_told_from_all_its_sides():
    rules = {event.rule for event in opened(events(bundled(), *QUARREL))}
    assert rules >= {
        "interrupt.agent", "lang.blame", "caller.not_heard", "spiral.mirroring", "apology.excess",
        "caller.escalation", "deadair", "expect.no_when", "repeat.caller", "difficulty",
    }  # fmt: skip


def test_each_alert_explains_itself():
    for event in opened(events(bundled(), *QUARREL)):
        assert event.summary.endswith(".")
        assert 0 < len(event.message) <= 60
        assert event.title == bundled().rule(event.rule).title
        assert event.rationale == bundled().rule(event.rule).rationale
        assert event.measure
        assert event.threshold is not None
        assert event.comparison
        assert event.clears_when
        assert len(event.rule_hash) == 12
        assert event.start <= event.at <= event.detected_at + 1e-6


def test_words_are_quoted_in_the_sentence():
    (alert,) = opened(events(bundled("lang.blame"), "agent 0-4 well you should have read it"))
    assert alert.summary.startswith("The agent said it once in 30 s: “you should have")
    assert alert.evidence[0].channel == "agent"


def test_every_alert_that_opened_is_closed_at_the_latest_with_the_call():
    said = events(bundled(), *QUARREL)
    assert {e.alert for e in opened(said)} == {e.alert for e in closed(said)}
    assert {e.reason for e in closed(said)} <= {"cleared", "expired", "call ended"}


def test_without_words_the_rules_that_need_them_are_off_and_say_why():
    judge = Judge(load_rules(), words=False)
    off = {one.rule: one.reason for one in judge.off}
    assert "recogniser" in off["lang.blame"]
    assert "recogniser" in off["expect.no_when"]
    assert "switched off" in off["agent.flat_tone"]
    assert not off.keys() & {"interrupt.agent", "deadair", "agent.monologue", "prep.fumble", "argue.loop"}


def test_rules_for_other_calls_are_off():
    assert "open.good_time" in {one.rule for one in Judge(load_rules(), meta={"direction": "in"}).off}
    assert "open.good_time" not in {one.rule for one in Judge(load_rules(), meta={"direction": "out"}).off}


def test_an_order_is_told_first_and_then_followed():
    book = bundled("lang.blame")
    script = compile_script(("agent 0-4 you should have read it",))
    judge = Judge(book)
    said = [e for fact in script.facts for e in judge.take(fact)]
    (alert,) = opened(said)
    told, shut = judge.order(Command(kind="acknowledge", alert=alert.alert, by="agent"), 6.0)
    assert isinstance(told, CommandApplied)
    assert (told.kind, told.alert, told.by, told.at) == ("acknowledge", alert.alert, "agent", 6.0)
    assert (shut.reason, shut.alert) == ("acknowledged", alert.alert)
    assert judge.order(Command(kind="acknowledge", alert=alert.alert), 7.0)[1:] == []


def test_an_acknowledged_alert_comes_back_only_with_something_new():
    said = events(
        bundled("interrupt.agent"),
        "caller 0-6 it broke", "agent 4-9 have you", "acknowledge 10 interrupt.agent",
        "caller 80-86 it broke again", "agent 84-89 and have you", "end 130",
    )  # fmt: skip
    assert [e.at for e in opened(said)] == [6.4]
    assert closed(said)[0].reason == "acknowledged"


def test_a_rule_whose_alert_was_wrong_rests():
    lines = [
        "agent 0-4 you should have read it",
        "wrong 6 lang.blame",
        "agent 90-94 you should have read it",
        "end 100",
    ]
    said = events(bundled("lang.blame"), *lines)
    assert len(opened(said)) == 1
    assert closed(said)[0].reason == "wrong"
    assert len(opened(events(bundled("lang.blame"), lines[0], *lines[2:]))) == 2


def test_a_softphone_hold_is_no_dead_air_but_asks_for_a_word():
    said = events(bundled("deadair", "hold.checkin"), "agent 0-4 right", "hold 5-60", "agent 61-64 thank you")
    assert [(e.rule, e.at) for e in opened(said)] == [("hold.checkin", 50.0)]


def test_alerts_rest_while_the_line_is_not_to_be_trusted_and_a_note_says_why():
    lines = ["caller 0-6 it broke", "agent 4-9 have you", "caller 10-16 no", "agent 14-18 okay"]
    said = events(bundled("interrupt.agent"), "trouble crosstalk agent 0-20", *lines)
    assert opened(said) == []
    (note,) = [e for e in said if isinstance(e, Note)]
    assert (note.kind, note.text) == (
        "withheld",
        "“Agent interrupts” is withheld: a channel also carries the other side's voice.",
    )
    assert opened(events(bundled("interrupt.agent"), "trouble clipping agent 0-20", *lines))


UNHEARD = [
    (
        "empathy.missing",
        "agent",
        ["caller 0-5 I am really frustrated with this", "caller 31-34 yes", "end 60"],
    ),
    ("listen.silent", "agent", ["caller 0-40 it broke on monday and then it broke again", "end 60"]),
    ("ask.more", "agent", ["caller 0-8 my order has not arrived", "caller 40-44 hello", "end 120"]),
    ("talk.share", "caller", ["agent 0-100 let me tell you all of it", "end 120"]),
]


@pytest.mark.parametrize(("rule", "dead", "lines"), UNHEARD)
def test_what_a_dead_channel_did_not_let_through_is_not_missed(rule: str, dead: str, lines: list[str]):
    """The same talk raises the alert where the side was merely silent."""
    assert opened(events(bundled(rule), *lines))
    said = events(bundled(rule), f"trouble dead_channel {dead} 0-120", *lines)
    assert opened(said) == []
    assert [e.text for e in said if isinstance(e, Note)] == [
        f"“{bundled().rule(rule).title}” is withheld: a channel is silent (no signal)."
    ]


def test_what_the_living_side_owes_itself_is_missed_all_the_same():
    lines = ["agent 0-4 we will send somebody out to you", "end 40"]
    said = events(bundled("expect.no_when"), "trouble dead_channel caller 0-40", *lines)
    assert [e.rule for e in opened(said)] == ["expect.no_when"]


def test_the_sums_of_a_call():
    judge = Judge(bundled("interrupt.agent"))
    script = compile_script(("caller 0-6 it broke", "agent 4-9 have you", "caller 20-30 no"))
    for fact in script.facts:
        judge.take(fact)
    judge.hang_up(40.0)
    totals = judge.totals
    assert totals["talk"] == {"agent": 5.0, "caller": 16.0}
    assert totals["overlap"] == pytest.approx(2.0, abs=0.05)
    assert totals["silence"] == pytest.approx(40 - 19)
    assert totals["interruptions"] == {"agent": 1, "caller": 0}
    assert totals["alerts"] == {"interrupt.agent": 1}


def test_a_long_stretch_that_encloses_a_short_one_is_covered_once():
    judge = Judge(bundled("deadair"))
    for fact in compile_script(("caller 0-20 on and on", "agent 5-6 mm", "agent 8-9 mm")).facts:
        judge.take(fact)
    judge.hang_up(30.0)
    assert judge.totals["silence"] == pytest.approx(10.0)


def test_the_scorecard_counts_how_often_distress_was_met():
    judge = Judge(bundled("score.empathy_rate"))
    lines = ("caller 0-4 I am really frustrated", "agent 5-9 I understand how frustrating that is",
             "caller 40-44 I am so angry about it", "agent 46-50 what is your number")  # fmt: skip
    for fact in compile_script(lines).facts:
        judge.take(fact)
    judge.hang_up(90.0)
    assert judge.totals["scores"]["empathy_rate"] == 0.5


def test_difficulty_is_told_when_it_changes_with_its_parts_and_a_verdict_after_a_minute():
    said = [e for e in events(bundled("difficulty"), *QUARREL) if isinstance(e, Difficulty)]
    assert all(e.score == pytest.approx(min(100.0, sum(e.parts.values()))) for e in said)
    assert all(e.at % 5 == 0 or e is said[-1] for e in said)
    assert [e.verdict for e in said if e.at < 60] == [None] * sum(e.at < 60 for e in said)
    assert said[-1].verdict == "very difficult"
    assert {"raised voice", "anger", "repetition"} <= said[-1].parts.keys()


def test_words_that_come_late_are_judged_when_they_come():
    judge = Judge(bundled("lang.blame"))
    words = tuple(
        Word(text, i * 0.3, i * 0.3 + 0.3) for i, text in enumerate(("you", "should", "have", "read", "it"))
    )
    late = Utterance(
        detected_at=9.0,
        channel="agent",
        utterance=1,
        revision=1,
        start=0.0,
        end=1.5,
        text="",
        words=words,
        final=True,
    )
    said = judge.advance(9.0) + judge.take(late)
    (alert,) = [e for e in said if isinstance(e, AlertOpened)]
    assert alert.detected_at == 9.0
    assert alert.at == pytest.approx(1.2, abs=0.4)


def test_words_that_may_still_change_open_nothing():
    judge = Judge(bundled("lang.blame"))
    words = tuple(
        Word(t, i * 0.3, i * 0.3 + 0.3, committed=False)
        for i, t in enumerate(("you", "should", "have", "read"))
    )
    shaky = Utterance(
        detected_at=2.0,
        channel="agent",
        utterance=1,
        revision=1,
        start=0.0,
        end=1.2,
        text="",
        words=words,
        final=False,
    )
    assert judge.take(shaky) == []


def test_a_missing_word_is_not_held_against_the_agent_before_it_can_be_known():
    facts = compile_script(
        ("agent 0-4 I will send it", "agent 4.5-8 by friday you will have it", "caller 9-20 good")
    ).facts
    late = [
        replace_known(fact, 13.5) if isinstance(fact, Utterance) and fact.start == 4.5 else fact
        for fact in facts
    ]
    judge = Judge(bundled("expect.no_when"))
    said = []
    for fact in sorted(late, key=lambda fact: fact.detected_at):
        said += judge.advance(fact.detected_at) + judge.take(fact)
    assert opened(said + judge.advance(20.0)) == []


def replace_known(fact, known):
    return msgspec.structs.replace(fact, detected_at=known)


def test_a_long_call_takes_no_more_memory_than_a_short_one():
    def size(minutes: int) -> int:
        judge = Judge(bundled(), RulesSettings())
        rng = random.Random(3)  # noqa: S311 - a script, not a secret
        now, number = 0.0, 0
        while now < minutes * 60:
            for channel in ("caller", "agent"):
                end = now + rng.uniform(1, 6)
                number += 1
                judge.take(SpeechStarted(detected_at=now + 0.1, channel=channel, at=now))
                for step in range(int((end - now) * 2)):
                    at = now + step / 2
                    judge.take(
                        Prosody(
                            detected_at=at + 0.1,
                            channel=channel,
                            at=at,
                            level_dbfs=-20.0,
                            effort=rng.random(),
                            voiced=1.0,
                        )
                    )
                judge.take(SpeechEnded(detected_at=end + 0.3, channel=channel, start=now, end=end))
                words = tuple(Word(t, now, end) for t in rng.choices(BABBLE, k=6))
                heard = Utterance(
                    detected_at=end + 0.4, channel=channel, utterance=number, revision=1, start=now, end=end,
                    text="", words=words, final=True,
                )  # fmt: skip
                judge.take(heard)
                now = end + rng.uniform(0.3, 1)
        return reachable(judge)

    assert size(40) < 1.2 * size(15)


def reachable(root) -> int:
    """How many container objects hang on ``root`` (rules and phrases, which are shared, included)."""
    import gc

    seen, todo = set(), [root]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type) or (callable(one) and not hasattr(one, "__self__")):
            continue
        seen.add(id(one))
        if type(one).__module__ != "builtins" or isinstance(one, dict | list | tuple | set | frozenset):
            todo += gc.get_referents(one)
    return len(seen)


def test_overrides_of_one_call_do_not_leak_into_the_next():
    book = bundled("interrupt.agent")
    first = events(book, "caller 0-6 it broke", "agent 4-9 have you")
    again = events(replace(book), "caller 0-6 it broke", "agent 4-9 have you")
    assert msgspec.json.encode(first) == msgspec.json.encode(again)


def test_an_interruption_more_makes_the_open_alert_graver():
    said = events(
        bundled("interrupt.agent"),
        "caller 0-6 it broke", "agent 4-9 have you", "caller 10-16 no", "agent 14-18 okay",
        "caller 19-25 listen",         "agent 23-28 but", "caller 29-35 listen", "agent 33-38 but",
    )  # fmt: skip
    (alert,) = opened(said)
    assert alert.level == "info"
    steps = [(e.level, e.to, e.measured) for e in updated(said) if e.measured != alert.measured]
    assert ("warn", ("agent",), 2) in steps
    assert steps[-1] == ("warn", ("agent", "supervisor"), 4)
