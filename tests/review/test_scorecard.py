"""Every number of a scorecard equals what the events of the call say."""

import json
from collections.abc import Sequence

import pytest

from monitor.call import rejudge
from monitor.events import (
    CallEnded,
    CallStarted,
    Event,
    Hold,
    Note,
    Prosody,
    Quality,
    RaisedVoice,
    SpeechEnded,
    Utterance,
    Word,
)
from monitor.playback import replay_events
from monitor.review.scorecard import Scorecard, Span, longest_gap, merged, scorecard
from monitor.rules.rule_set import RuleSet, load_rules
from monitor.wire import envelope as wire

CALLS = ("difficult-call.flac", "interruptions.flac", "apologies.wav")

Lines = list[dict]


@pytest.fixture(scope="module", params=CALLS)
def heard(request, project) -> tuple[list[Event], Lines]:
    """A bundled call with the words of its ground truth: its events, and the same as read off the wire."""
    events = replay_events([project / "fixtures/audio" / request.param], model="script")
    wired = [wire.encode(event, call="c", sequence=place) for place, event in enumerate(events, 1)]
    return events, [json.loads(line) for line in wired]


def named(lines: Lines, kind: str) -> Lines:
    return [line["data"] for line in lines if line["type"] == f"monitor.{kind}"]


def test_talk_and_interruptions_are_those_on_the_wire(heard):
    events, lines = heard
    card = scorecard(events)
    speech = named(lines, "speech.ended")
    for side in ("agent", "caller"):
        talked = sum(one["end"] - one["start"] for one in speech if one["channel"] == side)
        assert card.talk[side] == pytest.approx(talked, abs=0.006)
        assert card.interruptions[side] == sum(one["by"] == side for one in named(lines, "interruption"))
    assert card.overlap == pytest.approx(sum(one["seconds"] for one in named(lines, "overlap")), abs=0.006)
    assert sum(card.talk_share.values()) == pytest.approx(1.0, abs=0.002)
    (ended,) = named(lines, "call.ended")
    assert (card.seconds, card.talk, card.silence) == (ended["seconds"], ended["talk"], ended["silence"])


def test_the_longest_silence_is_the_longest_gap_on_the_wire(heard):
    events, lines = heard
    card = scorecard(events)
    spoken = sorted((one["start"], one["end"]) for one in named(lines, "speech.ended"))
    longest, until = 0.0, spoken[0][1]
    for start, end in spoken:
        longest, until = max(longest, start - until), max(until, end)
    assert card.longest_silence is not None
    assert card.longest_silence.seconds == pytest.approx(longest, abs=0.006)


def test_every_alert_on_the_wire_is_told_once_unless_it_is_private(heard):
    events, lines = heard
    card = scorecard(events)
    opened = named(lines, "alert.opened")
    shared = [one["alert"] for one in opened if not one["private"]]
    assert [story.event.alert for story in card.alerts] == shared
    assert card.private_alerts == sum(one["private"] for one in opened)
    updates = opened + named(lines, "alert.updated")
    for story in card.alerts:
        shown = [one["detected_at"] for one in updates if one["alert"] == story.event.alert and one["card"]]
        assert list(story.shown) == sorted(shown)


def test_the_share_of_feelings_met_is_the_score_of_the_rules(heard):
    events, lines = heard
    card = scorecard(events)
    (ended,) = named(lines, "call.ended")
    score = ended["scores"].get("empathy_rate")
    if score is None:
        assert not card.feelings
    else:
        assert round(card.feelings_met / len(card.feelings), 3) == score


def test_the_transcript_is_what_was_said_last(heard):
    events, lines = heard
    finals = {
        (one["channel"], one["utterance"]): one["text"] for one in named(lines, "utterance") if one["final"]
    }
    said = [one.text for one in scorecard(events).transcript]
    assert sorted(said) == sorted(text for text in finals.values() if text)


def test_a_call_that_was_cut_off_is_summed_from_its_facts(heard):
    events, _ = heard
    whole, cut = scorecard(events), scorecard(events[:-1])
    assert not cut.complete
    assert cut.notice
    assert cut.talk == pytest.approx(whole.talk, abs=0.011)
    assert cut.overlap == pytest.approx(whole.overlap, abs=0.011)
    assert cut.silence == pytest.approx(whole.silence, abs=0.05)
    assert cut.interruptions == whole.interruptions


# --- what was due ---


def words_of(text: str, start: float) -> tuple[Word, ...]:
    return tuple(
        Word(text=word, start=round(start + 0.3 * place, 2), end=round(start + 0.3 * place + 0.25, 2))
        for place, word in enumerate(text.split())
    )


def conversation(
    *said: tuple[str, float, str],
    seconds: float = 120.0,
    troubles: Sequence[Quality] = (),
    book: RuleSet | None = None,
) -> Scorecard:
    """The card of a call in which these things were said (side, start, words), as the rules judged it."""
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="script", rules_hash="", profile="default"
    )
    events: list[Event] = [started, *troubles]
    for number, (side, start, text) in enumerate(said):
        words = words_of(text, start)
        end = words[-1].end
        events.append(SpeechEnded(detected_at=end, channel=side, start=start, end=end))
        events.append(
            Utterance(
                detected_at=end,
                channel=side,
                utterance=number,
                revision=1,
                start=start,
                end=end,
                text=text,
                words=words,
                final=True,
            )
        )
    events.append(
        CallEnded(
            detected_at=seconds,
            seconds=seconds,
            talk={"agent": 1.0, "caller": 1.0},
            overlap=0.0,
            silence=0.0,
            interruptions={"agent": 0, "caller": 0},
            alerts={},
        )
    )
    judged = rejudge(sorted(events, key=lambda event: event.detected_at), book or load_rules())
    return scorecard([event for events in judged for event in events])


def test_a_promise_is_told_with_its_date_or_without():
    card = conversation(
        ("agent", 1.0, "I will send you a new one by Friday."), ("agent", 40.0, "I will call you back.")
    )
    assert [promise.when is not None for promise in card.promises] == [True, False]
    assert "riday" in str(card.promises[0].when)
    assert card.promises_dated == 1
    assert any("no date given" in line for line in card.draft)


def test_a_date_in_two_parts_is_one_date():
    card = conversation(("agent", 1.0, "I will call you tomorrow at noon."))
    assert [promise.when for promise in card.promises] == ["tomorrow at noon"]


def test_a_feeling_counts_as_met_only_by_understanding_in_time():
    met = conversation(("caller", 1.0, "I am really frustrated with this."),
                       ("agent", 5.0, "I understand how frustrating that is."))  # fmt: skip
    late = conversation(("caller", 1.0, "I am really frustrated with this."),
                        ("agent", 60.0, "I understand how frustrating that is."))  # fmt: skip
    assert (met.feelings_met, len(met.feelings)) == (1, 1)
    assert (late.feelings_met, len(late.feelings)) == (0, 1)


def test_what_a_dead_channel_did_not_let_through_is_nobodys_failure():
    said = [("caller", 1.0, "I am really frustrated."), ("caller", 9.0, "And another thing is the invoice.")]
    dead = Quality.of("dead_channel", "agent", 0.0, detected_at=0.0)
    assert (len(conversation(*said).feelings), len(conversation(*said).open_items)) == (1, 1)
    card = conversation(*said, troubles=[dead])
    assert (card.feelings, card.open_items) == ((), ())


def test_a_feeling_at_the_very_end_is_nobodys_failure():
    card = conversation(("caller", 1.0, "I am really frustrated with this."), seconds=20.0)
    assert card.feelings == ()


def test_a_matter_without_an_answer_stays_open():
    asked = ("caller", 1.0, "And another thing is the invoice.")
    answered = conversation(asked, ("agent", 6.0, "I will send you a corrected one."))
    assert [item.text for item in conversation(asked).open_items] == ["another thing is the invoice."]
    assert answered.open_items == ()


def test_apologies_are_counted_by_the_agent_alone():
    card = conversation(
        ("caller", 1.0, "I am sorry to bother you."), ("agent", 4.0, "I'm sorry. And sorry again.")
    )
    assert [apology.channel for apology in card.apologies] == ["agent", "agent"]


OWN_RULES = """\
- rule: apology.ours
  title: Ours
  rationale: An apology of ours.
  measure: {count: {of: apology, by: agent, window: 120s}}
  at_least: 2
  message: Enough of that.
  tests:
    - {call: ["agent 0-3 mea culpa", "agent 4-7 mea culpa"], alerts: [7.6]}
"""
OWN_APOLOGY = "class: apology\nabout: How we apologise.\nphrases: |\n  mea culpa\n"
SORRIES = [("agent", at, "I am so sorry.") for at in (1.0, 10.0, 20.0, 30.0, 40.0, 50.0)]


def test_with_rules_of_ones_own_the_report_agrees_with_their_alerts(tmp_path):
    """The bundled phrases are not asked a second time: where the rules hear no apology, there is none."""
    (tmp_path / "phrases" / "en").mkdir(parents=True)
    (tmp_path / "phrases" / "en" / "apology.yaml").write_text(OWN_APOLOGY)
    (tmp_path / "rules.yaml").write_text(OWN_RULES)
    own = load_rules([tmp_path])
    mute = conversation(*SORRIES, book=own)
    assert (mute.apologies, mute.alerts) == ((), ())
    ours = conversation(("agent", 1.0, "Mea culpa."), ("agent", 10.0, "Mea culpa."), book=own)
    assert [one.text for one in ours.apologies] == ["Mea culpa.", "Mea culpa."]
    assert [story.event.rule for story in ours.alerts] == ["apology.ours"]
    bundled = conversation(*SORRIES)
    assert len(bundled.apologies) == 6
    assert "apology.excess" in {story.event.rule for story in bundled.alerts}


def test_whatever_a_detector_found_is_in_the_report_by_its_name():
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )
    raised = [
        RaisedVoice(detected_at=5.0, channel="caller", start=3.0),
        RaisedVoice(detected_at=9.0, channel="caller", start=3.0, end=8.0),
    ]
    card = scorecard([started, *raised, Hold(detected_at=12.0, start=10.0)])
    found = [(mark.name, mark.channel, mark.start, mark.end) for mark in card.marks]
    assert found == [("raised_voice", "caller", 3.0, 8.0), ("hold", "caller", 10.0, None)]


def test_without_a_recogniser_no_words_are_claimed():
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )
    card = scorecard([started, SpeechEnded(detected_at=3.0, channel="agent", start=1.0, end=3.0)])
    assert not card.has_words
    assert card.transcript == ()
    assert card.talk["agent"] == 2.0


def test_reasons_why_a_rule_rests_are_no_notes():
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )
    note = Note(detected_at=2.0, at=2.0, channel="agent", kind="withheld", text="x rests")
    assert scorecard([started, note]).notes == ()


def test_how_the_agent_sounded_is_left_out_where_the_profile_hides_it():
    started = CallStarted(
        call="c", sources=(), rate=8000, band="narrow", model="none", rules_hash="", profile="eu"
    )
    voices = [
        Prosody(detected_at=1.0, channel=side, at=1.0, level_dbfs=-20.0, level_db=2.0)
        for side in ("agent", "caller")
    ]
    card = scorecard([started, *voices], hide_agent_voice=True)
    assert card.curves["agent"].points == ()
    assert [point.level_db for point in card.curves["caller"].points] == [2.0]


def test_stretches_that_touch_or_overlap_are_one():
    assert merged([Span(3.0, 5.0), Span(0.0, 1.0), Span(1.0, 2.0), Span(3.5, 4.0)]) == [
        Span(0.0, 2.0),
        Span(3.0, 5.0),
    ]


def test_silence_before_the_first_word_and_after_the_last_is_no_gap():
    assert longest_gap([Span(10.0, 11.0)]) is None
    assert longest_gap([Span(10.0, 11.0), Span(13.0, 14.0), Span(14.5, 15.0)]) == Span(11.0, 13.0)
