"""Clipping by the shape of the wave."""

import numpy as np
import pytest

from monitor.audio.quality import is_clipped
from tests.audio.voices import voice


def mu_law(sound):
    """Through an 8-bit telephone line and back."""
    size = np.round(np.log1p(255 * np.minimum(np.abs(sound), 1)) / np.log(256) * 127) / 127
    return (np.sign(sound) * (256**size - 1) / 255).astype(np.float32)


def resampled(sound, rate):
    soxr = pytest.importorskip("soxr")
    return soxr.resample(sound, 48000, rate).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("gain", [0.1, 1.0, 3.9])
def test_loud_and_quiet_speech_is_not_clipped(rate, gain):
    for seed in range(6):
        said = voice(1, rate, seed) * np.float32(gain)
        assert not is_clipped(said, rate, 0.01)
        assert not is_clipped(mu_law(said), rate, 0.01)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("gain", [0.1, 1.0])
def test_speech_that_was_cut_off_is_clipped_at_any_level_afterwards(rate, gain):
    for seed in range(6):
        cut = np.clip(voice(1, rate, seed) * 16, -0.9, 0.9) * np.float32(gain)
        assert is_clipped(cut, rate, 0.01)
        assert is_clipped(mu_law(cut), rate, 0.01)


def test_speech_that_was_cut_off_and_then_resampled_is_clipped():
    for seed in range(6):
        cut = np.clip(voice(1, 48000, seed) * 16, -0.9, 0.9)
        assert is_clipped(resampled(cut, 16000), 16000, 0.01)


def test_cut_off_on_one_side_only_is_clipped_too():
    assert is_clipped(np.minimum(voice(1, 8000, 1) * 8, 0.5).astype(np.float32), 8000, 0.01)


@pytest.mark.parametrize(
    "sound", [np.zeros(8000, np.float32), np.zeros(0, np.float32), np.ones(9, np.float32)]
)
def test_nothing_is_not_clipped(sound):
    assert not is_clipped(sound, 8000, 0.01)
