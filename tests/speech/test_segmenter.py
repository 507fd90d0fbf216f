from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import SpeechSettings
from monitor.speech.segmenter import UtteranceAudio, UtteranceSegmenter
from tests.examples import examples

FRAME = 160
SECOND = 50


def numbered(frames: int) -> np.ndarray:
    """Sound in which each frame holds its own number, so that it shows where it went."""
    return np.repeat(np.arange(frames, dtype=np.float32), FRAME)


def cut(active: np.ndarray, sizes: list[int], levels: np.ndarray | None = None) -> list[UtteranceAudio]:
    numbers = iter(range(1, 1000))
    segmenter = UtteranceSegmenter(8000, SpeechSettings(), lambda: next(numbers))
    sound, levels = numbered(len(active)), np.zeros(len(active), np.float32) if levels is None else levels
    segments, at = [], 0
    for size in [*sizes, len(active)]:
        end = min(at + size, len(active))
        segments += segmenter.feed(at, sound[at * FRAME : end * FRAME], active[at:end], levels[at:end])
        at = end
    return segments + segmenter.finish()


def spoken(*spans: tuple[float, float], seconds: float) -> np.ndarray:
    active = np.zeros(round(seconds * SECOND), bool)
    for start, end in spans:
        active[round(start * SECOND) : round(end * SECOND)] = True
    return active


def frames_in(segment: UtteranceAudio) -> tuple[int, int]:
    audio = segment.audio(segment.end)
    return int(audio[0]), int(audio[-1]) + 1


def test_an_utterance_has_sound_from_before_the_first_speech_to_after_the_last():
    (segment,) = cut(spoken((2.0, 4.0), seconds=6.0), [])
    assert frames_in(segment) == (75, 215)
    assert (segment.start, segment.speech_end, segment.speech_seconds()) == (1.5, 4.0, 2.0)


def test_a_short_pause_does_not_end_an_utterance_and_a_long_one_does():
    assert len(cut(spoken((1.0, 2.0), (2.4, 3.0), seconds=5.0), [])) == 1
    assert len(cut(spoken((1.0, 2.0), (2.6, 3.0), seconds=5.0), [])) == 2


def test_a_monologue_is_cut_where_it_is_quietest_and_nothing_is_lost():
    active, levels = spoken((0.0, 30.0), seconds=31.0), np.zeros(31 * SECOND, np.float32)
    levels[500:505] = -40.0
    segments = cut(active, [7] * 300, levels)
    assert segments[0].end == 502
    assert all(segment.end - segment.first <= 12 * SECOND for segment in segments)
    ends = [frames_in(segment) for segment in segments]
    assert all(a[1] == b[0] for a, b in pairwise(ends))


def test_a_cut_never_goes_behind_words_that_stand():
    numbers = iter(range(1, 10))
    segmenter = UtteranceSegmenter(8000, SpeechSettings(), lambda: next(numbers))
    levels = np.zeros(700, np.float32)
    levels[420:425] = -40.0
    segmenter.feed(0, numbered(500), np.ones(500, bool), levels[:500])
    assert segmenter.open is not None
    segmenter.open.committed_to = 550
    (segment,) = segmenter.feed(500, numbered(200), np.ones(200, bool), levels[500:])
    assert 550 <= segment.end <= 590


SPANS = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 60)), min_size=1, max_size=8)


@examples(60)
@given(SPANS, st.lists(st.integers(1, 90), max_size=40))
def test_blocks_of_any_size_give_the_same_utterances(spans: list[tuple[int, int]], sizes: list[int]):
    active = np.concatenate([np.repeat([True, False], [on, off]) for on, off in spans])
    levels = np.random.default_rng(1).uniform(-60, 0, len(active)).astype(np.float32)
    as_cut = [(s.number, *frames_in(s)) for s in cut(active, sizes, levels)]
    assert as_cut == [(s.number, *frames_in(s)) for s in cut(active, [], levels)]


@examples(60)
@given(SPANS)
def test_every_spoken_frame_is_in_one_utterance_and_only_one(spans: list[tuple[int, int]]):
    active = np.concatenate([np.repeat([True, False], [on, off]) for on, off in spans])
    held = np.zeros(len(active), int)
    for segment in cut(active, []):
        first, end = frames_in(segment)
        held[first:end] += 1
    assert (held[active] == 1).all()
    assert held.max() == 1


def test_speech_inside_a_stretch_is_found_with_a_little_slack():
    (segment,) = cut(spoken((1.0, 2.0), seconds=4.0), [])
    assert segment.speech_within(0.8, 1.5, segment.end) == (1.0, 1.5)
    assert segment.speech_within(1.5, 2.6, segment.end) == (1.5, 2.0)
    assert segment.speech_within(2.2, 2.28, segment.end) is None
    assert segment.speech_within(1.5, 2.6, 90) == (1.5, 1.8)


def test_speech_of_the_next_burst_does_not_count():
    (segment,) = cut(spoken((1.0, 1.4), (1.6, 2.0), seconds=4.0), [])
    assert segment.speech_within(1.0, 1.45, segment.end) == (1.0, 1.4)
    assert segment.speech_within(1.55, 2.4, segment.end) == (1.6, 2.0)
