"""The view: what is noted for each kind of question, and when the answer may change by itself."""

import pytest

from monitor.events import (
    Floor,
    Gap,
    Interruption,
    Overlap,
    Prosody,
    Quality,
    SpeechEnded,
    SpeechStarted,
    Utterance,
    Word,
)
from monitor.timeline import CALL, Mark, Quantity, Timeline, TimelineView, keys_of, ms, seconds


def speech(line: Timeline, channel: str, start: float, end: float | None = None) -> None:
    """A side speaks from ``start`` to ``end`` (s), or goes on."""
    line.advance(ms(start))
    line.take(SpeechStarted(detected_at=start, channel=channel, at=start))
    if end is not None:
        line.advance(ms(end))
        line.take(SpeechEnded(detected_at=end, channel=channel, start=start, end=end))


def keys(view: TimelineView) -> set[tuple[str, str | None]]:
    return {key for read in view.reads for key in keys_of(read)}


def at(line: Timeline, now: int) -> TimelineView:
    line.advance(now)
    return TimelineView(line)


# --- the conversion ---


@pytest.mark.parametrize("moment", [0.0, 0.001, 17.3, 47.3, 0.1 + 0.2, 3599.999, 1e6])
def test_seconds_become_ms_and_come_back_as_they_were_to_the_ms(moment: float):
    assert seconds(ms(moment)) == round(moment, 3)


def test_half_a_ms_more_or_less_is_the_nearest_ms():
    assert (ms(1.2344), ms(1.2346)) == (1_234, 1_235)


def test_what_comes_in_is_converted_once_for_every_kind_of_fact():
    line = Timeline()
    speech(line, "agent", 0.1, 1.7)
    line.take(Interruption(start=0.3, at=1.1, by="agent", of="caller"))
    line.take(Overlap(start=0.3, end=1.1, seconds=0.8, kind="interruption", by="agent"))
    line.take(Utterance(channel="agent", utterance=1, revision=1, start=0.1, end=1.7, text="so",
                        words=(Word("so", 0.1, 1.7),), final=True))  # fmt: skip
    line.marks.add(Mark("agreement", "agent", 100, 1_700))
    assert line.talk.talked == {"agent": 1_600, "caller": 0}
    assert line.overlapped == 800
    (mark,) = line.marks.of(("interruption",))
    assert (mark.start, mark.end) == (300, 1_100)
    assert (mark.cited().start, mark.cited().end) == (0.3, 1.1)
    assert line.words.of("agent", 0) == [("so", 100, 1_700)]


# --- time ---


def test_a_moment_that_has_not_come_is_noted_and_one_that_has_is_not():
    view = at(Timeline(), 5_000)
    assert view.passed(5_000)
    assert view.changes_at == CALL
    assert not view.passed(7_000)
    assert not view.passed(9_000)
    assert view.changes_at == 7_000


@pytest.mark.parametrize(
    ("quantity", "limit", "reached", "noted"),
    [
        (Quantity(3_000, 1), 5_000, False, 12_000),
        (Quantity(3_001, 2), 5_000, False, 11_000),
        (Quantity(5_000, 1), 5_000, True, CALL),
        (Quantity(5_000, -1), 5_000, True, 10_001),
        (Quantity(5_003, -2), 5_000, True, 10_002),
        (Quantity(4_999, -1), 5_000, False, CALL),
        (Quantity(3_000), 5_000, False, CALL),
    ],
)
def test_a_quantity_is_noted_for_the_first_ms_on_the_other_side_of_the_limit(quantity, limit, reached, noted):
    view = at(Timeline(), 10_000)
    assert view.reached(quantity, limit) is reached
    assert view.changes_at == noted
    if noted < CALL:
        later = Quantity(quantity.value + quantity.rate * (noted - 10_000), quantity.rate)
        before = Quantity(later.value - quantity.rate, quantity.rate)
        assert view.reached(later, limit) is not reached
        assert view.reached(before, limit) is reached


def test_an_evaluation_begins_with_nothing_noted():
    view = at(Timeline(), 1_000)
    view.passed(2_000)
    view.speaking("agent")
    view.begin()
    assert (view.reads, view.changes_at) == (frozenset(), CALL)


# --- marks ---


def marked(*ends: int, kind: str = "apology") -> Timeline:
    line = Timeline()
    for end in ends:
        line.marks.add(Mark(kind, "agent", end - 500, end, "sorry"))
    return line


def test_marks_in_a_window_note_their_kinds_and_when_the_first_of_them_leaves():
    line = marked(1_000, 4_000, 6_000)
    view = at(line, 12_000)
    assert [mark.end for mark in view.marks(("apology", "blame"), "agent", 10_000)] == [4_000, 6_000]
    assert keys(view) == {("apology", "agent"), ("blame", "agent")}
    assert view.changes_at == 14_000
    assert [mark.end for mark in at(line, 13_999).marks(("apology",), "agent", 10_000)] == [4_000, 6_000]
    assert [mark.end for mark in at(line, 14_000).marks(("apology",), "agent", 10_000)] == [6_000]


def test_marks_of_the_whole_call_or_since_a_fixed_moment_do_not_leave():
    view = at(marked(1_000, 4_000), 5_000)
    assert len(view.marks(("apology",), "agent")) == 2
    assert len(view.marks_since(("apology",), "agent", 2_000)) == 1
    assert view.count(("apology",), "agent") == 2
    assert view.latest(("apology",), "agent").end == 4_000
    assert view.first(("apology",), "agent") == 500
    assert view.changes_at == CALL
    assert keys(view) == {("apology", "agent")}


def test_marks_of_either_side_note_both_sides_and_none():
    view = at(marked(1_000), 2_000)
    view.marks(("apology",))
    assert keys(view) == {("apology", "agent"), ("apology", "caller"), ("apology", None)}


# --- speech ---


def test_speech_in_a_window_grows_while_somebody_speaks_and_falls_at_its_far_end():
    line = Timeline()
    speech(line, "agent", 2.0, 4.0)
    speech(line, "agent", 8.0)
    view = at(line, 10_000)
    assert view.spoken("agent", 10_000) == Quantity(4_000, 1)
    assert view.changes_at == 12_000  # the window's edge comes to the first stretch
    view = at(line, 12_000)
    assert view.spoken("agent", 10_000) == Quantity(6_000, 0)
    assert view.changes_at == 14_000  # and leaves it
    view = at(line, 14_000)
    assert view.spoken("agent", 10_000) == Quantity(6_000, 1)
    view = at(line, 20_000)
    assert view.spoken("agent", 10_000) == Quantity(10_000, 0)
    assert keys(view) == {("@speech", "agent")}


@pytest.mark.parametrize("now", range(12_000, 40_000, 900))
def test_speech_in_a_window_is_what_its_rate_says_until_the_noted_moment(now: int):
    line = Timeline()
    for start, end in ((1.0, 3.5), (4.1, 9.9), (11.0, 12.0)):
        speech(line, "caller", start, end)
    view = at(line, now)
    told = view.spoken("caller", 8_000)
    until = min(view.changes_at, now + 3_000)
    for later in (now + 1, (now + until) // 2, until):
        line.advance(later)
        assert TimelineView(line).spoken("caller", 8_000).value == told.value + told.rate * (later - now)


def test_silence_notes_both_sides_and_a_lost_device_begins_it_anew():
    line = Timeline()
    speech(line, "agent", 1.0, 2.0)
    view = at(line, 5_000)
    assert view.silent_since() == 2_000
    assert keys(view) == {("@speech", "agent"), ("@speech", "caller"), ("@holds", None)}
    changed = line.take(Gap(channel="agent", at=5.0, seconds=1.5))
    assert set(changed) <= keys(view)
    assert changed
    assert at(line, 7_000).silent_since() == 6_500


def test_a_hold_that_was_announced_is_noted_for_the_moment_at_which_it_is_one():
    line = Timeline()
    speech(line, "agent", 1.0, 3.0)
    line.marks.add(Mark("hold", "agent", 2_000, 2_900, "one moment"))
    view = at(line, 4_000)
    assert view.holding() is None
    assert view.changes_at == 6_000
    assert ("hold", "agent") in keys(view)
    assert at(line, 5_999).holding() is None
    assert at(line, 6_000).holding().start == 3_000


def test_a_run_of_speech_ends_by_itself_when_a_pause_is_long_enough():
    line = Timeline()
    speech(line, "caller", 1.0, 4.0)
    line.take(Floor(detected_at=1.0, at=1.0, holder="caller", previous=None))
    view = at(line, 5_000)
    turn = view.turn("caller")
    assert view.spoken_run(turn, 3_000) == 1_000
    assert view.changes_at == 7_000
    assert keys(view) == {("@floor", None), ("@speech", "caller")}
    assert at(line, 7_000).spoken_run(turn, 3_000) is None


def test_the_first_long_turn_is_noted_for_when_it_is_long():
    line = Timeline()
    speech(line, "caller", 2.0)
    line.take(Floor(detected_at=2.5, at=2.5, holder="caller", previous=None))
    view = at(line, 6_000)
    assert view.first_long_turn("caller", 10_000) is None
    assert view.changes_at == 12_000
    assert at(line, 12_000).first_long_turn("caller", 10_000).start == 2_000


# --- words ---


def words(line: Timeline, end: float) -> None:
    said = tuple(Word("so", at / 2, at / 2 + 0.5) for at in range(int(end * 2)))
    line.take(Utterance(channel="agent", utterance=1, revision=1, start=0.0, end=end, text="", words=said,
                        final=True))  # fmt: skip


def test_the_last_word_is_the_last_for_a_time():
    line = Timeline()
    words(line, 10.0)
    view = at(line, 11_000)
    assert view.last_word("agent", 9_000).end == 10_000
    assert (view.changes_at, keys(view)) == (19_000, {("@words", "agent")})
    assert at(line, 18_999).last_word("agent", 9_000).end == 10_000
    assert at(line, 19_000).last_word("agent", 9_000) is None
    assert view.last_word("caller", 9_000) is None


def test_words_since_a_moment_are_those_that_began_there():
    line = Timeline()
    words(line, 10.0)
    view = at(line, 11_000)
    assert [word.start for word in view.words_since("agent", 8_750)] == [9_000, 9_500]
    assert view.changes_at == CALL


def test_a_revision_keeps_what_is_the_same_and_converts_what_is_new():
    line = Timeline()
    words(line, 2.0)
    words(line, 3.0)
    assert [word.end for word in line.words.of("agent", 0)] == [500, 1_000, 1_500, 2_000, 2_500, 3_000]
    words(line, 1.0)
    assert [word.end for word in line.words.of("agent", 0)] == [500, 1_000]
    assert line.words.last("agent") == ("so", 500, 1_000)


def test_what_a_side_said_is_known_half_a_second_later_or_with_its_words_or_after_three_seconds():
    line = Timeline()
    speech(line, "agent", 0.0, 6.0)
    view = at(line, 6_200)
    assert not view.heard("agent", 6_000)
    assert view.changes_at == 6_500
    view = at(line, 6_500)
    assert not view.heard("agent", 6_000)
    assert view.changes_at == 9_000
    assert keys(view) == {("@speech", "agent"), ("@words", "agent")}
    words(line, 6.0)
    assert at(line, 6_600).heard("agent", 6_000)


def test_without_words_the_patience_has_an_end():
    line = Timeline()
    speech(line, "agent", 0.0, 6.0)
    assert not at(line, 8_999).heard("agent", 6_000)
    assert at(line, 9_000).heard("agent", 6_000)


# --- how a side sounds ---


def voice(line: Timeline, start: float, end: float, effort: float = 0.0, rate: float = 4.0) -> set[object]:
    """Prosody events of the agent from ``start`` to ``end`` (s); the keys that they changed."""
    changed: set[object] = set()
    for step in range(round(start * 10) + 1, round(end * 10) + 1):
        line.advance(100 * step)
        changed |= set(line.take(Prosody(
            detected_at=step / 10, channel="agent", at=step / 10, level_dbfs=-20.0, effort=effort,
            rate_sps=rate, voiced=1.0, pitch_st=1.0,
        )))  # fmt: skip
    return changed


def test_a_raised_voice_notes_when_it_is_long_ago_and_changes_only_while_it_is_raised():
    line = Timeline()
    assert ("@effort", "agent") not in voice(line, 0.0, 2.0)
    assert ("@effort", "agent") in voice(line, 2.0, 4.0, effort=1.3)
    view = TimelineView(line)
    assert view.raised("agent", 1.0) == (2_000, 4_000)
    assert view.changes_at == 6_501
    assert keys(view) == {("@effort", "agent")}
    assert at(line, 6_500).raised("agent", 1.0) == (2_000, 4_000)
    assert at(line, 6_501).raised("agent", 1.0) is None


def test_a_quick_pace_notes_its_own_key_which_an_ordinary_pace_does_not_change():
    line = Timeline()
    assert ("@pace", "agent") not in voice(line, 0.0, 12.0)
    assert ("@pace", "agent") in voice(line, 12.0, 12.1, rate=6.0)
    view = TimelineView(line)
    assert view.quick_pace("agent")[0].rate == 6.0
    assert (keys(view), view.changes_at) == ({("@pace", "agent")}, 12_601)
    assert at(line, 12_601).quick_pace("agent") is None
    assert ("@pace", "agent") in voice(line, 12.7, 12.8, rate=6.0)
    assert ("@pace", "agent") in voice(line, 12.8, 12.9)
    assert ("@pace", "agent") not in voice(line, 12.9, 13.5)


def test_sounds_in_a_window_note_when_the_first_of_them_leaves():
    line = Timeline()
    voice(line, 0.0, 3.0)
    view = at(line, 3_050)
    assert view.sounds("agent", 2_000)[0].at == 1_100
    assert view.changes_at == 3_101
    assert at(line, 3_101).sounds("agent", 2_000)[0].at == 1_200
    assert view.typical("agent", "rate", 1_000) == 4.0
    assert keys(view) == {("@voice", "agent")}


# --- the rest ---


def test_difficulty_metadata_and_the_parts_of_the_call_have_keys_of_their_own():
    line = Timeline(meta={"order": {"value": 7}})
    view = at(line, 1_000)
    assert view.difficulty() == (0.0, 0)
    assert view.hardest() == 0.0
    assert keys(view) == set(line.set_difficulty(40.0))
    assert line.set_difficulty(40.0) == ()
    assert (view.difficulty(), view.hardest()) == ((40.0, 1_000), 40.0)
    view.begin()
    assert view.known("order.value") == 7
    assert view.known("order.value.more") is None
    assert keys(view) == set(line.learn({"vip": True}))
    view.begin()
    assert not view.opened()
    assert not view.closing()
    assert {("turn", "agent"), ("closing", "agent"), ("closing", "caller")} <= keys(view)


def test_a_trouble_of_the_line_changes_no_answer():
    line = Timeline()
    assert line.take(Quality.of("crosstalk", "agent", 3.0)) == ()
