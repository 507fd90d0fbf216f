"""A telephone's side is told from a microphone's, and nothing is said where the two are alike or unclear."""

import numpy as np
import pytest
import soxr

from monitor.audio.band import MAX_FRAMES, MIN_FRAMES, WIDE_RATE, TelephoneBandDetector
from monitor.audio.frames import FrameBlock
from monitor.audio.quality import QualityMonitor
from monitor.config import QualitySettings

SECOND = WIDE_RATE
ALL = np.ones((2, 50), np.bool_)


def voice(seconds: int, seed: int) -> np.ndarray:
    """Vowels below 3.4 kHz with a hiss up to 7 kHz in one frame of five, and a little noise all over."""
    random = np.random.default_rng(seed)
    times = np.arange(seconds * SECOND) / SECOND
    vowels = sum(np.sin(2 * np.pi * (110 + 17 * seed) * n * times) / n for n in range(1, 22))
    hiss = np.diff(random.normal(0, 0.3, times.size + 1)) * (times % 0.1 < 0.02)
    return (0.05 * (vowels + hiss) + random.normal(0, 1e-4, times.size)).astype(np.float32)


def telephone(sound: np.ndarray) -> np.ndarray:
    """Through 8 kHz and mu-law steps, and back."""
    narrow = soxr.resample(sound, WIDE_RATE, 8000)
    steps = np.sign(narrow) * np.round(np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    back = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return np.resize(soxr.resample(back, 8000, WIDE_RATE), sound.size).astype(np.float32)


def judged(agent: np.ndarray, caller: np.ndarray, active: np.ndarray = ALL) -> int | None:
    bands = TelephoneBandDetector()
    for at in range(0, agent.size, SECOND):
        if not bands.done:
            bands.feed(np.stack([agent[at : at + SECOND], caller[at : at + SECOND]]), active)
    return bands.telephone_row


@pytest.mark.parametrize("gain", [0.05, 1.0])
def test_the_side_that_came_through_a_telephone_is_found_at_any_level(gain: float):
    one, two = voice(12, 1), voice(12, 2)
    assert judged(gain * telephone(one), two) == 0
    assert judged(one, gain * telephone(two)) == 1


def test_two_alike_sides_tell_nothing():
    one, two = voice(12, 1), voice(12, 2)
    assert judged(one, two) is None
    assert judged(telephone(one), telephone(two)) is None


def test_a_noisy_telephone_is_not_sure():
    noise = np.random.default_rng(3).normal(0, 2e-3, 12 * SECOND).astype(np.float32)
    assert judged(telephone(voice(12, 1)) + noise, voice(12, 2)) is None


def test_a_silent_side_is_not_narrow():
    assert judged(np.zeros(12 * SECOND, np.float32), voice(12, 2)) is None


def test_ten_seconds_of_speech_of_each_side_are_needed():
    few = ALL.copy()
    few[0, 40:] = False
    seconds = MIN_FRAMES // 40
    one, two = telephone(voice(seconds + 1, 1)), voice(seconds + 1, 2)
    assert judged(one[: seconds * SECOND], two[: seconds * SECOND], few) is None
    assert judged(one, two, few) == 0


def test_it_stops_listening_when_nothing_new_is_to_be_learnt():
    bands, sound = TelephoneBandDetector(), np.stack([voice(1, 1), voice(1, 2)])
    for _ in range(MAX_FRAMES // 50):
        assert not bands.done
        bands.feed(sound, ALL)
    assert bands.done
    assert bands.telephone_row is None


@pytest.mark.parametrize("step", [40, 333, 20_000])
def test_quality_tells_it_once_and_at_the_same_moment_however_the_sound_is_cut(step: int):
    pcm = np.stack([voice(15, 1), telephone(voice(15, 2))])
    stage, told, frame = QualityMonitor(WIDE_RATE, QualitySettings()), [], WIDE_RATE // 50
    active = np.ones((2, 750), np.bool_)
    for first in range(0, 750, step):
        part = slice(first, first + step)
        run = FrameBlock(first, pcm[:, first * frame : (first + step) * frame], WIDE_RATE)
        told.append(stage.feed(run, active[:, part]).telephone_side)
    assert [one for one in told if one] == [("caller", 10.0)]
