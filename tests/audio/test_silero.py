"""The model answers the same however it is asked, as the original does, and sleeps through silence."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.silero import ASLEEP_AFTER, CONTEXT, FRAME, RATE, SileroModel
from monitor.audio.upsample import Upsampler
from monitor.resources import resource
from tests.audio.test_vad import calm
from tests.examples import examples


def voices(seconds: float = 4.0) -> np.ndarray:
    """Both sides of the calm call at 16 kHz, [2, n]."""
    rate, pcm, _ = calm()
    pcm = pcm[:, : round(seconds * rate)]
    return Upsampler(2).feed(pcm) if rate != RATE else pcm


def whole(sound: np.ndarray) -> np.ndarray:
    model = SileroModel()
    return np.concatenate([model.feed(sound), model.finish()], axis=1)


def original(side: np.ndarray) -> np.ndarray:
    """What the unchanged model says of one side, a frame at a time."""
    session = onnxruntime.InferenceSession(resource("models/silero/silero_vad_16k_sequence.onnx"))
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), side])
    hidden = cell = np.zeros((1, 1, 128), np.float32)
    said = []
    for at in range(0, side.size - FRAME + 1, FRAME):
        window = padded[None, at : at + CONTEXT + FRAME]
        feeds = {"input": window, "h": hidden, "c": cell}
        answer, hidden, cell = session.run(["speech_probs", "hn", "cn"], feeds)
        said.append(answer[0])
    return np.array(said)


def test_it_says_of_each_side_what_the_original_says() -> None:
    sound = voices(20.0)[:, : 600 * FRAME]
    expected = np.stack([original(side) for side in sound])
    assert (expected > 0.5).mean(axis=1).min() > 0.1
    np.testing.assert_allclose(SileroModel().feed(sound), expected, atol=2e-5)


@examples(15)
@given(
    sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=20),
    silent=st.sampled_from([None, 0, 1]),
)
def test_the_probabilities_are_the_same_bits_whatever_a_call_carries(
    sizes: list[int], silent: int | None
) -> None:
    sound = voices()
    if silent is not None:
        sound[silent, 20 * FRAME + 7 : 50 * FRAME] = 0.0
    asked, at, parts = SileroModel(), 0, []
    for size in [*sizes, sound.shape[1]]:
        parts.append(asked.feed(sound[:, at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate([*parts, asked.finish()], axis=1), whole(sound))


def test_one_frame_at_a_time_gives_the_same_bits() -> None:
    sound, model = voices(), SileroModel()
    one = [model.feed(sound[:, at : at + FRAME]) for at in range(0, sound.shape[1], FRAME)]
    np.testing.assert_array_equal(np.concatenate([*one, model.finish()], axis=1), whole(sound))


def test_a_side_hears_nothing_of_the_other() -> None:
    sound = voices()
    alone = np.stack([sound[0], np.zeros_like(sound[0])])
    np.testing.assert_array_equal(whole(sound)[0], whole(alone)[0])
    np.testing.assert_array_equal(whole(sound[::-1])[::-1], whole(sound))
    assert not whole(alone)[1].any()


def test_a_voice_is_speech_and_noise_is_not() -> None:
    sound = voices()
    sound[1] = np.random.default_rng(0).normal(0, 0.05, sound.shape[1])
    speech, noise = (whole(sound) > 0.5).mean(axis=1)
    assert speech > 0.5
    assert noise < 0.05


def test_it_sleeps_through_silence_and_wakes_for_the_next_voice() -> None:
    sound = voices()[:, : 60 * FRAME]
    silence = np.zeros((2, 40 * FRAME), np.float32)
    model = SileroModel()
    before, quiet, after = model.feed(sound), model.feed(silence), model.feed(sound)
    assert not quiet[:, ASLEEP_AFTER:].any()
    awake = [(probabilities[0] > 0.5).sum() for probabilities in (before, after)]
    assert abs(int(awake[0]) - int(awake[1])) <= 5


def test_a_begun_frame_is_heard_out() -> None:
    model = SileroModel()
    assert model.feed(voices()[:, : FRAME + 1]).shape == (2, 1)
    assert model.finish().shape == (2, 1)
    assert model.finish().shape == (2, 0)


@pytest.mark.parametrize("size", [0, 1, 511])
def test_less_than_a_frame_gives_no_answer_yet(size: int) -> None:
    assert SileroModel().feed(voices()[:, :size]).size == 0
