"""Dead air is told with its edges, once, between words, and however the sound was cut."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.overlap import SilenceDetector
from monitor.config import OverlapSettings
from monitor.events import Silence
from monitor.playback import replay_events


def flags(*spans: tuple[int, float, float], seconds: float = 20.0) -> np.ndarray:
    active = np.zeros((2, round(seconds * 50)), np.bool_)
    for row, start, end in spans:
        active[row, round(start * 50) : round(end * 50)] = True
    return active


def told(active: np.ndarray, cuts: list[int] | None = None) -> list[Silence]:
    stage, at, found = SilenceDetector(OverlapSettings()), 0, []
    for size in [*(cuts or []), active.shape[1]]:
        found += stage.feed(at, active[:, at : at + size])
        at = min(at + size, active.shape[1])
    return found


def test_a_silence_of_both_sides_is_told_when_somebody_speaks_again():
    found = told(flags((0, 1, 4), (1, 3, 5), (0, 9.5, 10)))
    assert found == [Silence(start=5.0, end=9.5, detected_at=9.52)]


@pytest.mark.parametrize(("pause", "times"), [(2.98, 0), (3.0, 1), (3.02, 1)])
def test_three_seconds_are_a_silence(pause: float, times: int):
    assert len(told(flags((0, 1, 2), (1, 2 + pause, 8)))) == times


def test_one_side_alone_may_pause_as_long_as_it_likes():
    assert told(flags((0, 1, 2), (1, 2, 12), (0, 12, 13))) == []


def test_before_the_first_word_and_after_the_last_nobody_is_kept_waiting():
    assert told(flags((0, 8, 10))) == []


@given(cuts=st.lists(st.integers(1, 300), max_size=12))
def test_the_cuts_do_not_matter(cuts: list[int]):
    active = flags((0, 1, 2), (1, 6, 7), (0, 7.2, 8), (1, 12.3, 14))
    assert told(active, cuts) == told(active)
    assert len(told(active)) == 2


def test_the_dead_air_of_a_real_call_is_told(shared_audio: Path):
    paths = [shared_audio / f"Auto_Repairs_40_UTC_{side}.wav" for side in ("caller", "agent")]
    if not paths[0].exists():
        pytest.skip("the real call is not beside this checkout")
    (silence,) = [event for event in replay_events(paths) if isinstance(event, Silence)]
    assert silence.start == pytest.approx(83.5, abs=0.25)
    assert silence.end - silence.start == pytest.approx(3.8, abs=0.25)
