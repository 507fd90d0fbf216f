"""Whose speech is only the other side's voice."""

import numpy as np
import pytest

from monitor.audio.crosstalk import CrosstalkDetector, CrosstalkResult, _Row
from monitor.audio.frames import FrameBlock
from monitor.config import QualitySettings
from tests.audio.voices import Sound, echo, hum, voice
from tests.talk import active

RATE = 8000
AGENT, CALLER = 0, 1


def guarded(pcm: Sound, talk: np.ndarray) -> CrosstalkResult:
    return CrosstalkDetector(RATE, QualitySettings()).feed(FrameBlock(0, pcm, RATE), talk)


def share(flags: np.ndarray, start: float, end: float) -> float:
    return float(flags[round(start * 50) : round(end * 50)].mean())


@pytest.mark.parametrize("db", [-12, -20, -35])
def test_the_callers_voice_in_the_agents_microphone_is_no_speech_of_the_agent(db):
    said = voice(6, RATE, 1)
    talk = active("caller 0.1-6", "agent 0.2-6", seconds=6)
    heard = guarded(np.stack([echo(said, RATE, db) + hum(6, RATE, 2, 1e-4), said]), talk)
    assert share(heard.crosstalk[AGENT], 0.5, 6) > 0.95
    assert share(heard.crosstalk[CALLER], 0, 6) < 0.02


def test_the_ring_of_a_room_after_the_caller_stopped_is_no_speech_either():
    said = np.concatenate([voice(3, RATE, 1), np.zeros(3 * RATE, np.float32)])
    talk = active("caller 0.1-3", "agent 0.2-3.4", seconds=6)
    heard = guarded(np.stack([echo(said, RATE, -15), said]), talk)
    assert share(heard.crosstalk[AGENT], 0.5, 3.4) > 0.95


def test_two_who_talk_at_once_keep_their_words():
    talk = active("caller 0-6", "agent 0-6", seconds=6)
    heard = guarded(np.stack([voice(6, RATE, 1), voice(6, RATE, 2)]), talk)
    assert heard.crosstalk.mean() < 0.03


def test_who_speaks_over_an_echo_of_the_other_keeps_most_words():
    said, answer = voice(6, RATE, 1), voice(6, RATE, 2)
    talk = active("caller 0-6", "agent 0-6", seconds=6)
    heard = guarded(np.stack([answer + echo(said, RATE, -20), said]), talk)
    assert share(heard.crosstalk[AGENT], 0, 6) < 0.3


def test_nothing_is_compared_where_one_side_speaks_alone():
    talk = active("caller 0-3", "agent 4-6", seconds=6)
    assert guarded(np.stack([voice(6, RATE, 1), voice(6, RATE, 2)]), talk).decisions == []


def test_decisions_wait_half_a_second_after_an_echo():
    said = np.concatenate([voice(3, RATE, 1), np.zeros(3 * RATE, np.float32)])
    talk = active("caller 0.1-3", "agent 0.2-3.2", seconds=6)
    heard = guarded(np.stack([echo(said, RATE, -15), said]), talk)
    last = max(v.frame for v in heard.decisions if v.crosstalk[AGENT])
    assert heard.suppressed[last : last + 26].all()
    assert not heard.suppressed[last + 26 :].any()


def test_one_sound_on_both_channels_stays_with_the_louder_one():
    said = voice(4, RATE, 1)
    talk = active("caller 0-4", "agent 0-4", seconds=4)
    heard = guarded(np.stack([said * np.float32(0.3), said]), talk)
    assert share(heard.crosstalk[AGENT], 0.5, 4) > 0.95
    assert not heard.crosstalk[CALLER].any()


def test_one_sound_on_both_channels_at_one_level_is_left_to_both_and_hushed():
    said = voice(4, RATE, 1)
    talk = active("caller 0-4", "agent 0-4", seconds=4)
    heard = guarded(np.stack([said, said]), talk)
    assert not heard.crosstalk.any()
    assert share(heard.suppressed, 0.5, 4) == 1


def test_a_run_without_frames_changes_nothing():
    guard = CrosstalkDetector(RATE, QualitySettings())
    pcm = np.stack([voice(1, RATE, 1), voice(1, RATE, 2)])
    guard.feed(FrameBlock(0, pcm, RATE), active("caller 0-1", "agent 0-1", seconds=1))
    nothing = guard.feed(FrameBlock(50, pcm[:, :0], RATE), np.zeros((2, 0), bool))
    assert nothing.crosstalk.shape == (2, 0)


def test_crosstalk_takes_two_measurements_to_begin_and_two_to_end():
    row = _Row()
    steps = [
        (0.5, False), (0.5, True), (0.2, True), (0.32, True), (0.2, True), (0.2, False),
        (0.35, False), (0.35, False), (0.5, True),
    ]  # fmt: skip
    for correlation, expected in steps:
        assert row.update(correlation, 0.42, active=True) is expected
