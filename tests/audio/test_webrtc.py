"""WebRTC's votes: the same however the sound is cut, and not deaf on a quiet line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.frames import SPEECH
from monitor.audio.webrtc import WebRtcModel
from tests.audio.test_vad import calm
from tests.examples import examples


def voice() -> np.ndarray:
    rate, pcm, _ = calm()
    return np.ascontiguousarray(pcm[0, : 5 * rate])


def votes(sound: np.ndarray, mode: int = 2) -> list[int]:
    return WebRtcModel(calm()[0], mode, -75.0).feed(sound)


@examples(20)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=10))
def test_the_cuts_do_not_matter(sizes: list[int]) -> None:
    sound, step = voice(), calm()[0] // 100
    vad, at, heard = WebRtcModel(calm()[0], 2, -75.0), 0, []
    for size in [*(sizes * 3), sound.size]:
        heard += vad.feed(sound[at : at + size * step])
        at += size * step
    assert heard == votes(sound)


@pytest.mark.parametrize("gain_db", [-20, -10, 10])
def test_a_quiet_line_is_heard_like_a_loud_one(gain_db: int) -> None:
    """The plain detector loses most of a voice that is 20 dB down; with the running gain it is kept."""
    plain = np.array(votes(voice())) == SPEECH
    moved = np.array(votes(voice() * np.float32(10 ** (gain_db / 20)))) == SPEECH
    assert plain.mean() > 0.4
    assert (plain & moved).sum() > 0.85 * plain.sum()


def test_nothing_below_the_floor_is_speech() -> None:
    assert SPEECH not in votes(voice() * np.float32(1e-5))
