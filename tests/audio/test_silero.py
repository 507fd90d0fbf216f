"""The model answers the same however it is asked, and sleeps through silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio.silero import ASLEEP_AFTER, FRAME, RATE, Silero
from monitor.audio.upsample import Doubler
from tests.audio.test_gate import calm


def voice(seconds: float = 4.0) -> np.ndarray:
    rate, pcm, _ = calm()
    return (
        Doubler(2).feed(pcm[:, : round(seconds * rate)])[0]
        if rate != RATE
        else pcm[0, : round(seconds * rate)]
    )


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=20))
def test_the_probabilities_are_the_same_bits_whatever_a_call_carries(sizes: list[int]) -> None:
    sound, whole = voice(), Silero()
    expected = np.concatenate([whole.feed(sound), whole.finish()])
    asked, at, parts = Silero(), 0, []
    for size in [*sizes, sound.size]:
        parts.append(asked.feed(sound[at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate([*parts, asked.finish()]), expected)


def test_one_frame_at_a_time_gives_the_same_bits() -> None:
    sound = voice()
    single, many = Silero(), Silero()
    one = [single.feed(sound[at : at + FRAME]) for at in range(0, sound.size, FRAME)]
    np.testing.assert_array_equal(
        np.concatenate([*one, single.finish()]), np.concatenate([many.feed(sound), many.finish()])
    )


def test_a_voice_is_speech_and_noise_is_not() -> None:
    assert np.mean(Silero().feed(voice()) > 0.5) > 0.5
    noise = np.random.default_rng(0).normal(0, 0.05, 4 * RATE).astype(np.float32)
    assert np.mean(Silero().feed(noise) > 0.5) < 0.05


def test_it_sleeps_through_silence_and_wakes_for_the_next_voice() -> None:
    sound = voice()
    silence = np.zeros(40 * FRAME, np.float32)
    model = Silero()
    before, quiet, after = (
        model.feed(sound[: 60 * FRAME]),
        model.feed(silence),
        model.feed(sound[: 60 * FRAME]),
    )
    assert not quiet[ASLEEP_AFTER:].any()
    assert abs(int((after > 0.5).sum()) - int((before > 0.5).sum())) <= 5


def test_a_begun_frame_is_heard_out() -> None:
    model = Silero()
    assert model.feed(voice()[: FRAME + 1]).size == 1
    assert model.finish().size == 1
    assert model.finish().size == 0


@pytest.mark.parametrize("size", [0, 1, 511])
def test_less_than_a_frame_gives_no_answer_yet(size: int) -> None:
    assert Silero().feed(voice()[:size]).size == 0
