"""Scoring by hand-made events: each count can be told from the lines above it."""

import pytest

from monitor.events import (
    AlertOpened,
    AlertUpdated,
    CallStarted,
    Channel,
    DeadAir,
    Event,
    Hold,
    Interruption,
    Level,
    Overlap,
    Phrase,
    Quality,
    RaisedVoice,
    Utterance,
    Word,
)
from monitor.review.evaluate import Score, evaluate, total
from monitor.review.truth import ExpectedAlert, TrueEvent, TrueUtterance, TrueWord, Truth
from tests.alerts import made


def truth(
    *events: TrueEvent,
    expected: tuple[ExpectedAlert, ...] = (),
    allowed: tuple[str, ...] = (),
    said: str = "",
) -> Truth:
    words = tuple(
        TrueWord(channel="agent", text=text, start=float(n), end=n + 0.4)
        for n, text in enumerate(said.split())
    )
    return Truth(
        call="made-up", about="", audio=("made-up.wav",), rate=8000, band="narrow", seconds=60.0, voices={},
        utterances=(TrueUtterance(channel="agent", start=0, end=9, text=said),), words=words, events=events,
        expected_alerts=expected, allowed_alerts=allowed,
    )  # fmt: skip


def interruption(at: float, by: Channel = "agent") -> Interruption:
    of: Channel = "caller" if by == "agent" else "agent"
    return Interruption(detected_at=at + 1.2, start=at, at=at + 1.2, by=by, of=of)


def cut_in(at: float, by: Channel = "agent") -> TrueEvent:
    return TrueEvent(kind="interruption", by=by, start=at, end=at + 0.6, overlap=0.6)


def alert(rule: str, at: float, level: Level = "warn", channel: Channel | None = "agent") -> AlertOpened:
    return made(AlertOpened, at, alert=f"{rule}@{at}", rule=rule, level=level, channel=channel)


def heard(text: str) -> list[Event]:
    """A recogniser heard ``text`` from the agent, a word a second, known two seconds late."""
    words = tuple(Word(word, float(n), n + 0.4) for n, word in enumerate(text.split()))
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="m", rules_hash="", profile=""
    )
    said = Utterance(
        detected_at=len(words) + 2.0,
        channel="agent",
        utterance=1,
        revision=2,
        start=0,
        end=9,
        text=text,
        words=words,
        final=True,
    )
    return [started, said]


def test_a_found_a_missed_and_a_wrong_interruption_are_counted_apart():
    events = [interruption(10.2), interruption(40.0)]
    score = evaluate(events, truth(cut_in(10.0), cut_in(20.0))).kinds["interruption"]
    assert (score.found, score.missed, score.wrong) == (1, 1, 1)
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)
    assert score.delays == pytest.approx((1.4,))


def test_one_claim_does_not_answer_for_two_interruptions():
    score = evaluate([interruption(10.2)], truth(cut_in(10.0), cut_in(10.8))).kinds["interruption"]
    assert (score.found, score.missed) == (1, 1)


def test_an_interruption_by_the_other_side_is_another_one():
    score = evaluate([interruption(10.0, by="caller")], truth(cut_in(10.0))).kinds["interruption"]
    assert (score.found, score.missed, score.wrong) == (0, 1, 1)


def test_a_backchannel_in_a_pause_may_be_claimed_but_need_not_be():
    inside = TrueEvent(kind="backchannel", by="agent", start=5.0, end=5.4, overlap=0.4)
    in_pause = TrueEvent(kind="backchannel", by="agent", start=9.0, end=9.4)
    claim = Overlap(detected_at=6.0, start=5.0, end=5.4, by="agent", kind="backchannel")
    score = evaluate([claim], truth(inside, in_pause)).kinds["backchannel"]
    assert (score.found, score.missed, score.wrong) == (1, 0, 0)


def test_a_raised_voice_is_claimed_when_it_begins_and_lasts_until_it_is_said_to_be_over():
    begun = RaisedVoice(detected_at=10.9, channel="caller", start=10.0)
    over = RaisedVoice(detected_at=13.0, channel="caller", start=10.0, end=11.5)
    other = RaisedVoice(detected_at=31.0, channel="caller", start=30.0, end=31.0)
    raised = TrueEvent(kind="raised", by="caller", start=9.8, end=11.5)
    score = evaluate([begun, over, other], truth(raised)).kinds["raised"]
    assert (score.found, score.missed, score.wrong) == (1, 0, 1)
    assert score.delays == pytest.approx((1.1,))


def test_dead_air_is_what_the_judge_says_it_is():
    dead = TrueEvent(kind="dead_air", start=20.0, end=30.0)
    events = [DeadAir(detected_at=28.0, start=20.0), DeadAir(detected_at=30.1, start=20.0, end=30.0)]
    score = evaluate(events, truth(dead)).kinds["dead_air"]
    assert (score.found, score.missed, score.wrong, score.delays) == (1, 0, 0, (8.0,))


def test_a_silence_or_a_hold_during_hold_music_is_that_music_and_not_dead_air():
    music = TrueEvent(kind="hold_music", start=20.0, end=50.0)
    for claim in (DeadAir(detected_at=28.0, start=20.0, end=50.0), Hold(detected_at=23.0, start=20.0)):
        kinds = evaluate([claim], truth(music)).kinds
        assert kinds["hold_music"].f1 == 1.0
        assert "dead_air" not in kinds


def test_nobody_can_say_whether_a_hold_without_music_was_one():
    assert evaluate([Hold(detected_at=23.0, start=20.0, end=40.0)], truth()).kinds == {}


def test_a_fault_said_in_pieces_is_one_fault():
    bleed = TrueEvent(kind="crosstalk", by="agent", start=0.0, end=50.0)
    events = [
        Quality.of("crosstalk", "agent", 3.0, detected_at=4.0),
        Quality.of("crosstalk", "agent", 3.0, end=5.5, detected_at=6.0),
        Quality.of("crosstalk", "agent", 21.0, detected_at=22.0),
        Quality.of("clipping", "agent", 29.0, detected_at=30.0),
    ]
    kinds = evaluate(events, truth(bleed)).kinds
    assert (kinds["crosstalk"].found, kinds["crosstalk"].wrong, kinds["crosstalk"].delays) == (1, 0, (4.0,))
    assert (kinds["clipping"].found, kinds["clipping"].wrong) == (0, 1)


def test_apologies_are_scored_only_where_words_were_heard():
    sorry = TrueEvent(kind="apology", by="agent", start=1.0, end=1.4)
    assert "apology" not in evaluate([], truth(sorry, said="I'm sorry")).kinds
    said = Phrase(detected_at=4.0, channel="agent", start=0.0, end=1.4, of="apology", text="I'm sorry")
    gone = [
        Phrase(detected_at=at, channel="agent", start=30.0, end=31.0, of="apology", withdrawn=withdrawn)
        for at, withdrawn in ((32.0, False), (33.0, True))
    ]
    events = [*heard("I'm sorry"), said, *gone]
    score = evaluate(events, truth(sorry, said="I'm sorry")).kinds["apology"]
    assert (score.found, score.missed, score.wrong, score.delays) == (1, 0, 0, (3.0,))


def test_word_errors_count_what_is_missing_added_and_changed():
    words = evaluate(heard("I am so Sorry"), truth(said="I am sorry, Maria")).word_errors
    assert words["agent"] == (2, 4)


EXPECTED = ExpectedAlert(rule="interrupt.agent", channel="agent", from_=10, to=14)


def test_an_alert_in_its_window_is_met_and_one_outside_is_unexpected():
    evaluation = evaluate(
        [alert("interrupt.agent", 12), alert("interrupt.agent", 40)], truth(expected=(EXPECTED,))
    )
    assert [one.at for one in evaluation.met] == [12]
    assert [one.at for one in evaluation.unexpected] == [40]
    assert not evaluation.missed


def test_an_alert_about_the_other_side_does_not_meet_the_expectation():
    evaluation = evaluate([alert("interrupt.agent", 12, channel="caller")], truth(expected=(EXPECTED,)))
    assert (len(evaluation.missed), len(evaluation.unexpected)) == (1, 1)


def test_alerts_of_info_level_and_allowed_ones_surprise_nobody():
    events = [alert("talk.share", 5, level="info"), alert("calm.credit", 6)]
    assert not evaluate(events, truth(allowed=("calm.credit",))).unexpected


def test_an_alert_that_grows_to_a_warning_is_one():
    opened = alert("deadair", 12, level="info")
    fields = {name: getattr(opened, name) for name in opened.__struct_fields__}
    grown = AlertUpdated(**{**fields, "level": "warn", "detected_at": 19.0, "at": 19.0})
    assert [one.level for one in evaluate([opened, grown], truth()).unexpected] == ["warn"]


def test_alerts_on_words_are_due_only_where_words_were_heard():
    needs_words = ExpectedAlert(rule="lang.blame", from_=0, to=9, words=True)
    assert not evaluate([], truth(expected=(needs_words,))).missed
    assert len(evaluate(heard("oh"), truth(expected=(needs_words,), said="oh")).missed) == 1


def test_what_is_right_only_without_words_is_a_surprise_with_them():
    silence = ExpectedAlert(rule="deadair", from_=0, to=9, wordless=True)
    assert not evaluate([alert("deadair", 5)], truth(expected=(silence,))).unexpected
    with_words = evaluate([*heard("oh"), alert("deadair", 5)], truth(expected=(silence,), said="oh"))
    assert (len(with_words.unexpected), len(with_words.missed)) == (1, 0)


def test_an_optional_alert_is_met_or_not_but_never_missed():
    optional = ExpectedAlert(rule="deadair", from_=0, to=9, may=True)
    assert not evaluate([], truth(expected=(optional,))).missed
    assert len(evaluate([alert("deadair", 5)], truth(expected=(optional,))).met) == 1


def test_several_calls_add_up():
    first = evaluate([interruption(10.0)], truth(cut_in(10.0)))
    second = evaluate([alert("deadair", 5)], truth(cut_in(30.0)))
    both = total([first, second])
    assert both.kinds["interruption"] == Score(found=1, missed=1, delays=(1.2,))
    assert (both.worst_f1, len(both.unexpected)) == (pytest.approx(2 / 3), 1)


def test_nothing_happened_and_nothing_was_said_is_no_score_at_all():
    evaluation = evaluate([], truth())
    assert (evaluation.kinds, evaluation.worst_f1) == ({}, 1.0)


def test_the_ninetieth_percentile_is_a_delay_that_was_measured():
    delays = tuple(float(n) for n in range(1, 11))
    assert Score(found=10, delays=delays).summary()["delay_p90"] == 9.0
