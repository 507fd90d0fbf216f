"""How much one side's sound is the other's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.crosstalk import CrossCorrelation, CrossCorrelator
from tests.audio.voices import Sound, echo, runs, voice
from tests.examples import examples


def compared(pcm: Sound, rate: int, cuts: list[int] = []) -> list[CrossCorrelation]:  # noqa: B006 - it is only read
    comparer = CrossCorrelator(rate, 0.35)
    found = []
    for run in runs(pcm, rate, cuts):
        frames = np.arange(run.first, run.first + run.frames)
        found += comparer.feed(run, frames[(frames % 2 == 1) & (frames > 40)])
    return found


def place(found: list[CrossCorrelation], row: int) -> float:
    return float(np.median([f.correlation[row] for f in found]))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_two_voices_are_not_alike(rate):
    found = compared(np.stack([voice(4, rate, 1), voice(4, rate, 2)]), rate)
    assert max(place(found, 0), place(found, 1)) < 0.3


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("db", [-10, -20, -40])
def test_a_reverberant_echo_is_like_its_voice_at_any_level(rate, db):
    said = voice(4, rate, 1)
    found = compared(np.stack([echo(said, rate, db), said]), rate)
    assert place(found, 0) > 0.45
    assert place(found, 1) < 0.3


def test_the_delay_and_the_level_of_an_echo_are_told():
    said = voice(3, 8000, 1)
    late = np.concatenate([np.zeros(8 * 57, np.float32), said[: -8 * 57]]) * np.float32(0.1)
    found = compared(np.stack([said, late]), 8000)
    assert place(found, 1) > 0.99
    assert np.median([f.lag[1] for f in found]) == pytest.approx(0.057, abs=0.001)
    assert np.median([f.level_difference[1] for f in found]) == pytest.approx(-20, abs=0.5)


def test_a_copy_half_a_sample_late_is_still_a_copy():
    said = voice(3, 8000, 1)
    found = compared(np.stack([said[1:], said[:-1]]), 8000)
    assert place(found, 1) > 0.95


@pytest.mark.parametrize("noise", [0.5, 0.75])
def test_the_correlation_of_a_copy_with_noise_is_that_of_the_formula(noise: float):
    said, other = voice(3, 8000, 1), np.random.default_rng(2).normal(0, 1, 3 * 8000).astype(np.float32)
    scale = (
        float(np.sqrt(np.mean(np.square(said)))) * noise / (4000 / 8000) ** 0.5
    )  # half of it is filtered out
    found = compared(np.stack([said, said + scale * other]), 8000)
    assert place(found, 1) == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.1)
    assert place(found, 1) < 0.97


def test_silence_is_like_nothing():
    found = compared(np.stack([np.zeros(16000, np.float32), voice(2, 8000, 1)]), 8000)
    assert place(found, 0) == pytest.approx(0, abs=1e-6)


@examples(12)
@given(st.lists(st.integers(1, 149), max_size=25), st.sampled_from([8000, 16000]))
def test_any_cut_gives_the_same_bits(cuts, rate):
    said = voice(3, rate, 3)
    pcm = np.stack([echo(said, rate, -15) + voice(3, rate, 4) * np.float32(0.1), said])
    assert compared(pcm, rate, cuts) == compared(pcm, rate)


def test_what_is_asked_again_after_a_long_pause_is_not_mixed_with_what_was_before():
    said = voice(6, 8000, 1)
    pcm = np.stack([echo(said, 8000, -15), said])
    often = CrossCorrelator(8000, 0.35)
    rarely = CrossCorrelator(8000, 0.35)
    last = [], []
    for run in runs(pcm, 8000, list(range(2, 300, 2))):
        requested = np.array([run.first + 1])
        last[0].append(often.feed(run, requested)[0])
        seldom = requested if run.first in (50, 200, 298) else requested[:0]
        last[1].extend(rarely.feed(run, seldom))
    assert last[1] == [found for found in last[0] if found.frame in (51, 201, 299)]
