"""Blocks of any size become whole 20 ms frames, and the last one is filled up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.frames import Framer, seconds
from monitor.events import Block


@given(rate=st.sampled_from([8000, 16000]), sizes=st.lists(st.integers(0, 900), max_size=12))
def test_frames_follow_each_other_without_a_hole(rate: int, sizes: list[int]) -> None:
    sound = np.random.default_rng(0).normal(size=(2, sum(sizes))).astype(np.float32)
    framer, at, runs = Framer(rate), 0, []
    for size in sizes:
        runs.append(framer.feed(Block(at, sound[:, at : at + size])))
        at += size
    runs.append(framer.finish())
    whole = np.concatenate([run.pcm for run in runs], axis=1)
    np.testing.assert_array_equal(whole[:, :at], sound)
    assert not whole[:, at:].any()
    assert whole.shape[1] == -(-at // (rate // 50)) * (rate // 50)
    assert framer.received == at
    assert [run.first for run in runs] == np.cumsum([0, *(run.frames for run in runs)])[:-1].tolist()


def test_the_framer_keeps_nothing_of_the_callers_array() -> None:
    framer, pcm = Framer(8000), np.ones((2, 100), np.float32)
    framer.feed(Block(0, pcm))
    pcm[:] = 5.0
    assert framer.finish().pcm.max() == 1.0


@pytest.mark.parametrize(("frames", "time"), [(0, 0.0), (1, 0.02), (57, 1.14), (180_000, 3600.0)])
def test_time_is_computed_from_the_count_and_never_drifts(frames: int, time: float) -> None:
    assert seconds(frames) == time
