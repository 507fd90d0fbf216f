"""From votes to stretches of speech: bursts dropped, gaps bridged, edges where the votes began."""

from monitor.audio.frames import QUIET, SPEECH, UNSURE
from monitor.audio.vad import Hysteresis, SpeechSegmenter
from monitor.events import Event, SpeechEnded, SpeechStarted

HYSTERESIS = Hysteresis(step=0.02, onset_frames=2, offset_frames=3, min_speech=0.12, min_silence=0.3)


def voice(*runs: tuple[int, int], hysteresis: Hysteresis = HYSTERESIS) -> tuple[SpeechSegmenter, list[Event]]:
    """A voice that has heard so many votes of each kind, one 20 ms frame each."""
    heard = SpeechSegmenter("agent", hysteresis)
    return heard, heard.feed([vote for vote, size in runs for _ in range(size)])


def told(*runs: tuple[int, int]) -> list[Event]:
    return voice(*runs)[1]


def test_a_stretch_begins_where_its_first_vote_did_and_ends_with_its_last() -> None:
    assert told((QUIET, 10), (SPEECH, 20), (QUIET, 30)) == [
        SpeechStarted(channel="agent", at=0.2, detected_at=0.32),
        SpeechEnded(channel="agent", start=0.2, end=0.6, detected_at=0.9),
    ]


def test_a_burst_shorter_than_the_shortest_is_dropped() -> None:
    assert told((QUIET, 10), (SPEECH, 5), (QUIET, 30)) == []


def test_two_bursts_close_together_are_one_stretch() -> None:
    (started, ended) = told((QUIET, 10), (SPEECH, 4), (QUIET, 8), (SPEECH, 4), (QUIET, 30))
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert (started.at, ended.start, ended.end) == (0.2, 0.2, 0.52)


def test_a_gap_of_less_than_the_bridge_does_not_end_a_stretch() -> None:
    assert len(told((SPEECH, 20), (QUIET, 14), (SPEECH, 20), (QUIET, 30))) == 2
    assert len(told((SPEECH, 20), (QUIET, 15), (SPEECH, 20), (QUIET, 30))) == 4


def test_votes_in_between_keep_speech_up_but_do_not_begin_it() -> None:
    assert told((UNSURE, 50)) == []
    (_, ended) = told((SPEECH, 10), (UNSURE, 30), (QUIET, 30))
    assert isinstance(ended, SpeechEnded)
    assert ended.end == 0.8


def test_the_flag_turns_where_it_could_be_known() -> None:
    heard, _ = voice((QUIET, 10), (SPEECH, 10), (QUIET, 10))
    assert [(transition.frame, transition.on) for transition in heard.transitions] == [
        (11, True),
        (22, False),
    ]


def test_a_detectors_step_of_32_ms_falls_on_whole_frames() -> None:
    hysteresis = Hysteresis(step=0.032, onset_frames=2, offset_frames=3, min_speech=0.12, min_silence=0.3)
    heard, events = voice((QUIET, 5), (SPEECH, 10), hysteresis=hysteresis)
    assert [transition.frame for transition in heard.transitions] == [11], (
        "the seventh vote ends at 0.224 s, in frame 11"
    )
    assert events == [SpeechStarted(channel="agent", at=0.16, detected_at=0.3)]


def test_what_is_open_closes_when_the_call_ends() -> None:
    heard, _ = voice((SPEECH, 20))
    assert heard.finish([], frames=20) == [SpeechEnded(channel="agent", start=0.0, end=0.4, detected_at=0.4)]
    assert heard.finish([], frames=20) == []
