"""The call's memory: who spoke, whose turn it was, what was said; each answer equals the slow formula."""

import random

import pytest

from monitor.events import Floor, Interruption, Prosody, Quality, SpeechEnded, SpeechStarted, Utterance, Word
from monitor.timeline import HORIZON, Mark, Timeline, ms
from monitor.timeline.voice import EffortLevel, Mood, VoiceHistory


def said(line, channel, start, end):
    line.advance(ms(start + 0.12))
    line.take(SpeechStarted(detected_at=start + 0.12, channel=channel, at=start))
    line.advance(ms(end + 0.3))
    line.take(SpeechEnded(detected_at=end + 0.3, channel=channel, start=start, end=end))


def utterance(number, start, *texts, final=True, channel="agent", committed=True):
    words = tuple(
        Word(t, start + i * 0.5, start + i * 0.5 + 0.5, committed=committed) for i, t in enumerate(texts)
    )
    return Utterance(channel=channel, utterance=number, revision=1, start=start, end=start + 0.5 * len(texts),
                     text="", words=words, final=final)  # fmt: skip


def test_talk_in_a_window_equals_the_sum_of_its_pieces_at_every_moment():
    rng, line = random.Random(5), Timeline()  # noqa: S311 - a script, not a secret
    pieces: list[tuple[float, float]] = []
    now = 0.0
    for _ in range(60):
        start = now + rng.uniform(0.4, 3)
        end = start + rng.uniform(0.2, 5)
        said(line, "caller", round(start, 2), round(end, 2))
        pieces.append((round(start, 2), round(end, 2)))
        now = end
        since = line.now - 60_000
        spoken = [(ms(s), ms(e)) for s, e in pieces]
        assert line.talk.spoken("caller", since) == sum(e - max(s, since) for s, e in spoken if e > since)
        assert line.talk.talked["caller"] == sum(e - s for s, e in spoken)


def test_silence_is_what_neither_side_covers():
    rng = random.Random(6)  # noqa: S311 - a script, not a secret
    pieces = []
    for channel in ("agent", "caller"):
        now = 0.0
        while now < 200:
            start = now + rng.uniform(0.4, 4)
            now = start + rng.uniform(0.2, 8)
            pieces.append((round(now, 2), round(start, 2), channel))
    line = Timeline()
    for end, start, channel in sorted(pieces):
        line.advance(ms(end))
        line.take(SpeechEnded(detected_at=end, channel=channel, start=start, end=end))
    covered = sum(any(s <= t / 100 < e for e, s, _ in pieces) for t in range(22_000)) / 100
    assert line.talk.silence(220_000) == pytest.approx(220_000 - 1_000 * covered, abs=500)


def test_both_are_silent_since_the_later_of_the_two_stopped():
    line = Timeline()
    said(line, "caller", 0.0, 5.0)
    said(line, "agent", 4.0, 6.0)
    line.advance(9_000)
    assert line.talk.silent_since() == 6_000
    line.take(SpeechStarted(detected_at=9.0, channel="agent", at=8.9))
    assert line.talk.silent_since() is None


def test_a_turn_begins_with_the_speech_that_took_the_floor_and_ends_with_the_holders_last():
    line = Timeline()
    said(line, "caller", 0.0, 5.0)
    line.take(Floor(detected_at=0.5, at=0.5, holder="caller", previous=None))
    line.take(SpeechStarted(detected_at=5.6, channel="agent", at=5.5))
    line.advance(5_900)
    line.take(Floor(detected_at=5.9, at=5.9, holder="agent", previous="caller"))
    caller, agent = line.talk.turns
    assert (caller.channel, caller.end) == ("caller", 5_000)
    assert (agent.channel, agent.start, agent.end) == ("agent", 5_500, None)
    assert line.talk.turn("agent") is agent
    assert line.talk.turn("caller") is None


def test_words_that_announce_a_hold_make_the_silence_after_them_one():
    line = Timeline()
    said(line, "agent", 0.0, 3.0)
    line.marks.add(Mark("hold", "agent", 1_000, 2_800, "hold the line"))
    line.advance(5_900)
    assert line.talk.holding() is None
    line.advance(6_100)
    assert line.talk.holding().start == 3_000
    line.advance(40_000)
    line.take(SpeechStarted(detected_at=40.1, channel="agent", at=40.0))
    (held,) = line.marks.of(("held",))
    assert (held.start, held.end) == (3_000, 40_000)
    assert line.talk.holding() is None


def test_silence_without_such_words_is_no_hold():
    line = Timeline()
    said(line, "agent", 0.0, 3.0)
    line.advance(60_000)
    assert line.talk.holding() is None


def test_marks_are_found_by_kind_side_and_time():
    line = Timeline()
    line.take(Interruption(start=1.0, at=2.0, by="agent", of="caller"))
    line.take(Interruption(start=5.0, at=6.0, by="caller", of="agent"))
    assert [mark.end for mark in line.marks.of(("interruption",))] == [2_000, 6_000]
    assert [mark.end for mark in line.marks.of(("interruption",), "caller")] == [6_000]
    assert [mark.end for mark in line.marks.of(("interruption",), None, 2_000)] == [6_000]
    assert line.marks.latest(("interruption",)).end == 6_000


def test_words_heard_anew_take_their_marks_back():
    line = Timeline()
    for number, end in ((1, 2_000), (1, 3_000), (2, 9_000)):
        line.marks.add(Mark("apology", "agent", end - 1_000, end, "sorry", number))
    assert line.marks.take_back("agent", 1) == [("apology", "agent")]
    assert [mark.end for mark in line.marks.of(("apology",))] == [9_000]
    assert line.marks.counts["apology", "agent"] == 1
    line.marks.take_back("agent", 2)
    assert ("apology", "agent") not in line.marks.first


def test_old_things_are_forgotten_and_still_counted():
    line = Timeline()
    for second in range(2000):
        line.advance(1_000 * second)
        line.marks.add(Mark("apology", "agent", 1_000 * (second - 1), 1_000 * second, "sorry", second))
    assert len(line.marks.of(("apology",))) <= HORIZON // 1_000 + 2
    assert line.marks.counts["apology", "agent"] == 2000


def test_a_later_revision_replaces_the_words_of_an_utterance():
    line = Timeline()
    line.take(utterance(1, 0.0, "you", "should"))
    line.take(utterance(1, 0.0, "you", "could", "try"))
    assert [word.text for word in line.words.of("agent", 0)] == ["you", "could", "try"]


def test_words_that_may_change_are_not_words_yet():
    line = Timeline()
    line.take(utterance(1, 0.0, "you", "should", final=False, committed=False))
    assert line.words.of("agent", 0) == []


def test_what_was_said_is_known_up_to_the_last_words_or_three_seconds_ago():
    line = Timeline()
    said(line, "agent", 0.0, 4.0)
    assert line.words.heard_until("agent") == 1_300
    line.advance(6_000)
    assert line.words.heard_until("agent") == 3_000
    line.take(utterance(1, 0.0, *"one two three four five six seven eight".split()))  # noqa: SIM905 - reads as speech
    assert line.words.heard_until("agent") == 5_500
    assert line.words.heard_until("caller") == 5_500


def test_without_a_recogniser_nothing_is_waited_for():
    line = Timeline(words=False)
    said(line, "agent", 0.0, 4.0)
    assert line.words.heard_until("agent") == line.now


def test_a_trouble_lasts_until_it_is_said_to_be_over():
    line = Timeline()
    line.take(Quality.of("crosstalk", "agent", 3.0))
    assert line.troubled(("crosstalk",), None) == "crosstalk"
    assert line.troubled(("crosstalk",), "caller") is None
    assert line.troubled(("clipping",), None) is None
    line.take(Quality.of("crosstalk", "agent", 3.0, end=9.0))
    assert line.troubled(("crosstalk",), None) is None


# --- how a side sounds ---


def hold(held, *pieces):
    """Feeds (ms, effort) pieces of fully voiced speech; when the level turned."""
    at, turns = 0, []
    for length, effort in pieces:
        for _ in range(length // 100):
            at += 100
            if held.take(at, effort, 100):
                turns.append((at, held.raised))
    return turns


def test_a_voice_is_raised_after_eight_tenths_of_voiced_effort_and_lowered_after_a_second():
    pieces = (2_000, 0.0), (2_000, 1.2), (2_000, 0.2)
    assert hold(EffortLevel(1.0), *pieces) == [(2_800, True), (5_000, False)]


def test_a_burst_that_is_too_short_raises_nothing():
    pieces = (2_000, 0.0), (700, 1.5), (2_000, 0.2), (700, 1.5), (1_000, 0.9)
    assert hold(EffortLevel(1.0), *pieces) == []


def test_between_the_two_thresholds_nothing_turns():
    assert hold(EffortLevel(1.0), (1_000, 1.2), (5_000, 0.6)) == [(800, True)]


def test_unvoiced_moments_do_not_count():
    held = EffortLevel(1.0)
    assert not any(held.take(100 * i, 1.5, 0) for i in range(100))


def test_shares_of_voice_add_up_exactly():
    """Eight events of 0.7 voiced speech are 560 ms, four of 0.6 are 240 ms: together the 0.8 s to the ms."""
    voice = VoiceHistory()
    shares = [0.7] * 8 + [0.6] * 4
    turned = [
        voice.take(Prosody(channel="agent", at=place / 10, level_dbfs=-20.0, effort=1.2, voiced=share))
        for place, share in enumerate(shares, 1)
    ]
    assert not any(turned[:-1])
    assert {held.on for held in turned[-1]} == {1.0, 0.75, 0.5}


def test_a_new_outburst_after_a_long_pause_is_not_the_old_one_going_on():
    held = EffortLevel(1.0)
    hold(held, (2_000, 1.2))
    held.take(60_000, 1.2, 100)
    assert held.stretch(60_000) == (59_900, 60_000)
    assert held.stretch(70_000) is None


def test_the_mood_of_a_long_call_fits_into_a_few_cells():
    mood = Mood()
    for half in range(7200 * 2):
        mood.take(half * 500, 1.0 if half * 500 < 1_440_000 else 0.0)
    assert mood.mean(0, 1_440_000) == pytest.approx(1.0, abs=0.05)
    assert mood.mean(5_760_000, 7_200_000) == 0.0
    assert len(mood._sums) <= 65


def test_ones_own_pace_is_known_after_ten_seconds_of_speech():
    voice = VoiceHistory()
    for step in range(300):
        rate = 4.0 + (step % 3 - 1)
        voice.take(Prosody(channel="agent", at=step / 10, level_dbfs=-20.0, rate_sps=rate, voiced=1.0))
        assert (voice.pace_limit is None) == (step < 99)
    assert voice.pace_mean == pytest.approx(4.0, abs=0.1)
    assert voice.pace_limit == pytest.approx(4.0 + 1.5 * (2 / 3) ** 0.5, abs=0.15)
