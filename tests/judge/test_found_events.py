"""What the judge finds is an event: phrases, raised voices, holds, dead air, and how expectations ended."""

import msgspec
import pytest

from monitor.call import rejudge
from monitor.events import (
    DERIVED,
    CallStarted,
    DeadAir,
    Event,
    Expectation,
    Hold,
    Phrase,
    RaisedVoice,
    Utterance,
    Word,
)
from monitor.judge.judge import Judge
from monitor.review.findings import standing_phrases
from monitor.rules.script import compile_script
from tests.judge.judging import book_of, bundled, events, opened


def of(said: list[Event], kind: type[Event]) -> list[Event]:
    return [event for event in said if isinstance(event, kind)]


def uttered(text: str, revision: int, *, final: bool = False) -> Utterance:
    words = tuple(Word(word, 0.3 * at, 0.3 * at + 0.25) for at, word in enumerate(text.split()))
    return Utterance(
        detected_at=2.0 + revision, channel="agent", utterance=1, revision=revision, start=0.0,
        end=words[-1].end, text=text, words=words, final=final,
    )  # fmt: skip


# --- phrases ---


def test_a_phrase_is_told_with_its_words_side_and_time():
    said = events(bundled("apology.excess"), "agent 0-4 I am sorry", "caller 6-8 I am sorry")
    apologies = [phrase for phrase in of(said, Phrase) if phrase.of == "apology" and phrase.certain]
    assert [(one.channel, one.start, one.end, one.text) for one in apologies] == [
        ("agent", 0.0, 4.0, "I am sorry"),
        ("caller", 6.0, 8.0, "I am sorry"),
    ]


def test_a_phrase_that_a_revision_takes_back_is_withdrawn_and_told_once():
    judge = Judge(bundled("apology.excess"))
    said = [
        event for one in (uttered("I am sorry", 1), uttered("I am sorry", 2)) for event in judge.take(one)
    ]
    assert [one.withdrawn for one in of(said, Phrase) if one.of == "apology"] == [False]
    revised = judge.take(uttered("I am sorting it", 3, final=True))
    (gone,) = [one for one in of(revised, Phrase) if one.of == "apology"]
    assert gone.withdrawn
    assert not [one for one in standing_phrases([*said, *revised]) if one.of == "apology"]


def test_what_stands_at_the_end_is_what_the_last_revision_says():
    judge = Judge(bundled("apology.excess"))
    said: list[Event] = []
    for revision, text in enumerate(("I am", "I am so", "I am so sorry", "I am sorry about it"), 1):
        said += judge.take(uttered(text, revision, final=revision == 4))
    alone = Judge(bundled("apology.excess")).take(uttered("I am sorry about it", 4, final=True))
    standing, whole = ([(one.of, one.text) for one in standing_phrases(events)] for events in (said, alone))
    assert sorted(standing) == sorted(whole)
    assert ("apology", "I am sorry about it") in standing or ("apology", "I am sorry") in standing


def test_what_was_perhaps_said_is_told_as_such_and_stands_for_nothing():
    said = events(bundled("close.confirm"), "agent 0-4 that all sortid for you", "agent 10-12 goodbye")
    checks = [phrase for phrase in of(said, Phrase) if phrase.of == "resolution_check"]
    assert checks
    assert not any(phrase.certain for phrase in checks)
    assert not [one for one in standing_phrases(said) if one.of == "resolution_check"]


# --- states ---


def test_a_raised_voice_begins_when_it_is_held_and_ends_with_its_last_raised_sound():
    said = events(bundled("difficulty"), "caller 0-6 raised 1.4 it broke", "caller 6-12 it broke", "end 20")
    begun, over = of(said, RaisedVoice)
    assert (begun.channel, begun.start, begun.end) == ("caller", 0.0, None)
    assert begun.detected_at == pytest.approx(1.26, abs=0.1)
    assert (over.start, over.end) == (0.0, pytest.approx(6.0, abs=0.1))
    assert over.detected_at <= 8.6


def test_after_a_pause_a_raised_voice_is_another_one_and_a_calm_one_is_none():
    lines = [
        "caller 0-6 raised 1.4 it broke",
        "caller 20-26 raised 1.4 again",
        "caller 40-46 raised 0.6 well",
    ]
    begun = [one for one in of(events(bundled("difficulty"), *lines), RaisedVoice) if one.end is None]
    assert [one.start for one in begun] == [0.0, 20.0]


def test_an_open_state_ends_with_the_call():
    said = events(bundled("difficulty"), "caller 0-6 raised 1.4 it broke", "end 6.5")
    assert [one.end for one in of(said, RaisedVoice)] == [None, pytest.approx(6.0, abs=0.1)]
    assert of(said, RaisedVoice)[-1].detected_at == 6.5


def test_a_softphones_hold_is_told_when_it_begins_and_when_it_is_over():
    said = events(bundled("hold.often"), "agent 0-4 let me see", "hold 5-50", "agent 51-55 right")
    assert [(one.start, one.end) for one in of(said, Hold)] == [(5.0, None), (5.0, 50.0)]
    assert not of(said, DeadAir)


def test_words_that_announce_a_hold_make_the_silence_after_them_one():
    said = events(bundled("hold.often"), "agent 0-4 please hold the line", "agent 30-33 thank you")
    begun, over = of(said, Hold)
    assert (begun.start, over.end) == (4.0, 30.0)
    assert begun.detected_at == pytest.approx(7.0, abs=0.1)
    assert not of(said, DeadAir)


def test_eight_seconds_of_silence_are_dead_air_until_somebody_speaks():
    said = events(bundled("deadair"), "agent 0-4 let me see", "caller 20-22 hello", "end 25")
    begun, over = of(said, DeadAir)
    assert (begun.start, begun.end, begun.detected_at) == (4.0, None, 12.0)
    assert (over.start, over.end) == (4.0, 20.0)


@pytest.mark.parametrize("end", ["end 12.5", "end 30"])
def test_silence_before_the_first_word_is_no_dead_air(end: str):
    assert not of(events(bundled("deadair"), end), DeadAir)


def test_a_profile_that_hides_the_agents_effort_tells_nobody_of_the_agents_raised_voice():
    lines = ["agent 0-6 raised 1.4 it broke", "caller 10-16 raised 1.4 it broke"]
    hidden = of(events(bundled(profile="eu"), *lines), RaisedVoice)
    assert {one.channel for one in hidden} == {"caller"}
    assert {one.channel for one in of(events(bundled(), *lines), RaisedVoice)} == {"agent", "caller"}


# --- expectations ---


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


# --- any other fact ---

COUNTS = """\
- rule: talk.cut
  title: Cut
  rationale: It counts.
  measure: {{count: {{of: {of}, by: {by}, window: 60s}}}}
  at_least: 2
  message: Let them finish.
  tests:
    - {{call: [{call}], alerts: [{at}]}}
    - {{call: ["caller 0-5 hello"], alerts: []}}
"""


@pytest.mark.parametrize(
    ("of_", "by", "call", "at"),
    [
        ("interruption", "agent", '"interruption agent 5", "interruption agent 9"', 9),
        ("raised_voice", "caller", '"caller 0-4 raised 1.4 no", "caller 20-24 raised 1.4 no"', 21.2),
        ("apology", "agent", '"agent 0-3 I am sorry", "agent 10-13 I am sorry"', 13),
        ("silence_of_nobody", "caller", "", 0),
    ],
)
def test_one_measure_counts_any_fact(tmp_path, of_: str, by: str, call: str, at: float):
    text = COUNTS.format(of=of_, by=by, call=call, at=at)
    if not call:
        with pytest.raises(Exception, match="there are no phrases silence_of_nobody"):
            book_of(text, tmp_path)
        return
    book = book_of(text, tmp_path)
    (rule,) = [one for one in book.rules if one.rule == "talk.cut"]
    lines = rule.tests[0].call
    (alert,) = opened(events(type(book)(rules=(rule,)), *lines), "talk.cut")
    assert alert.at == pytest.approx(at, abs=0.5)
    assert alert.evidence.measure == of_


def test_judging_a_journal_again_makes_the_same_events_anew():
    lines = ("caller 0-6 raised 1.4 I am really frustrated", "agent 7-11 I will call you back",
             "caller 30-33 hello", "end 60")  # fmt: skip
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="script", rules_hash="", profile="default"
    )
    book = bundled()
    once = [event for some in rejudge([started, *compile_script(lines).facts], book) for event in some]
    again = [event for some in rejudge(once, book) for event in some]
    assert again == once
    assert {Phrase, RaisedVoice, DeadAir, Expectation} <= {type(event) for event in once}
    assert not [one for one in compile_script(lines).facts if isinstance(one, DERIVED)]
