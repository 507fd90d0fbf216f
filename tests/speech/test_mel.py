import numpy as np
import pytest
import soxr
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given
from hypothesis import strategies as st

from monitor.speech.mel import LogMel, MelCache, mel_filters, normalised
from tests.examples import examples


def speechlike(seconds: float, rate: int, seed: int = 3) -> np.ndarray:
    """Noise and tones whose level rises and falls as speech does."""
    times = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(seed)
    tone = sum(np.sin(2 * np.pi * f * times) for f in (130.0, 390.0, 1210.0, 2450.0))
    envelope = np.clip(np.sin(2 * np.pi * 2.3 * times), 0.01, 1.0)
    return ((0.1 * tone + 0.02 * rng.standard_normal(len(times))) * envelope).astype(np.float32)


@pytest.mark.parametrize("bands", [80, 128])
def test_the_filters_are_those_of_faster_whisper(bands: int):
    assert np.allclose(mel_filters(bands), FeatureExtractor(bands).mel_filters, atol=1e-7)


@pytest.mark.parametrize("seconds", [0.31, 1.0, 4.999])
def test_a_window_has_the_values_that_faster_whisper_computes(seconds: float):
    audio = speechlike(seconds, 16000)
    ours = normalised(LogMel().whole(audio))
    theirs = FeatureExtractor(80)(audio)[:, : len(audio) // 160]
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5


@examples(20)
@given(st.lists(st.floats(0.05, 1.5), min_size=2, max_size=6), st.sampled_from([8000, 16000]))
def test_a_window_that_grows_step_by_step_equals_one_computed_at_once(steps: list[float], rate: int):
    audio = speechlike(sum(steps), rate)
    cache = MelCache(LogMel())
    for end in np.cumsum([round(step * rate / 160) * 160 for step in steps]):
        grown = normalised(cache.frames("side", audio[:end], rate))
        sound = audio[:end] if rate == 16000 else soxr.resample(audio[:end], rate, 16000, "HQ")
        at_once = FeatureExtractor(80)(sound)[:, : len(sound) // 160]
        assert np.abs(grown - at_once).max() < 1e-3


def test_only_the_new_frames_of_a_growing_window_are_computed():
    audio = speechlike(8.0, 8000)
    cache = MelCache(LogMel())
    for end in range(4000, 64001, 4000):
        cache.frames("side", audio[:end], 8000)
    assert cache.computed < 2 * 800


def test_two_calls_with_the_same_numbers_do_not_get_each_others_frames():
    one, two = speechlike(2.0, 8000, seed=1), speechlike(3.0, 8000, seed=2)
    cache = MelCache(LogMel())
    cache.frames(("agent", 1), one, 8000)
    assert np.array_equal(
        cache.frames(("agent", 1), two, 8000), MelCache(LogMel()).frames(("agent", 1), two, 8000)
    )


def test_silence_and_windows_shorter_than_a_frame_have_frames_of_their_own():
    assert LogMel().whole(np.zeros(100, np.float32)).shape == (80, 0)
    assert normalised(LogMel().whole(np.zeros(1600, np.float32))) == pytest.approx(-1.5)
