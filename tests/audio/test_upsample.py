"""Twice the rate: the same sound, a millisecond later, however it was cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.upsample import HALF, Upsampler


@given(sizes=st.lists(st.integers(0, 300), max_size=20))
def test_the_cuts_do_not_matter(sizes: list[int]) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, sum(sizes))).astype(np.float32)
    cut, at, parts = Upsampler(), 0, [np.zeros((2, 0), np.float32)]
    for size in sizes:
        parts.append(cut.feed(sound[:, at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), Upsampler().feed(sound))


def test_a_tone_stays_that_tone_one_millisecond_late() -> None:
    for hertz, error in ((200.0, 1e-3), (1000.0, 1e-3), (2500.0, 0.01), (3000.0, 0.03), (3400.0, 0.1)):
        tone = np.sin(2 * np.pi * hertz * np.arange(800) / 8000).astype(np.float32)
        expected = np.sin(2 * np.pi * hertz * (np.arange(1600) - 2 * HALF) / 16_000)
        heard = Upsampler(1).feed(tone[None])[0]
        assert np.abs(heard - expected)[4 * HALF :].max() < error, hertz
