import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.effort import Baseline, EffortInput, RunningMedian, VocalEffortTracker, effort
from monitor.config import ProsodySettings

SETTINGS = ProsodySettings()
CALM, RAISED = EffortInput(2.0, -12.0, -25.0), EffortInput(10.0, -5.0, -15.0)


def speak(speaker, sound, seconds, *, alone=True):
    """The efforts of ``seconds`` of a steady voice, all of it voiced, one each 0.1 s."""
    efforts = []
    for _ in range(round(seconds / 0.1)):
        shift = speaker.compare(sound)
        speaker.learn(sound, 0.1, shift, alone=alone)
        efforts.append(shift.effort if shift else None)
    return efforts


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=200))
def test_the_running_median_is_the_median(values):
    running = RunningMedian(-12, 36, 0.2)
    for value in values:
        running.add(value, 1.0)
    low, high = np.quantile(np.clip(values, -12, 36), [0.5], method="lower")[0], np.quantile(
        np.clip(values, -12, 36), [0.5], method="higher")[0]  # fmt: skip
    assert low - 0.21 <= running.median <= high + 0.21


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=60), st.floats(1e-6, 1e6))
def test_scaling_all_weights_changes_no_median(values, factor):
    plain, scaled = RunningMedian(-45, 30, 0.25), RunningMedian(-45, 30, 0.25)
    for value in values:
        plain.add(value, 1.0)
        scaled.add(value, 1.0)
    scaled.scale(factor)
    assert scaled.median == pytest.approx(plain.median, abs=0.26)


def test_after_a_half_life_the_old_counts_half():
    baseline = Baseline(half_life=30.0)
    for _ in range(300):
        baseline.learn(EffortInput(0.0, -10.0, -30.0), 0.1)
    # 30 s weigh half of what they and all before would; the new outweighs them after 30 log2(1.5) = 17.5 s.
    for _ in range(170):
        baseline.learn(EffortInput(10.0, -10.0, -30.0), 0.1)
    assert baseline.median.pitch == pytest.approx(0, abs=0.3)
    for _ in range(10):
        baseline.learn(EffortInput(10.0, -10.0, -30.0), 0.1)
    assert baseline.median.pitch == pytest.approx(10, abs=0.3)


def test_a_baseline_keeps_its_median_through_hours_of_speech():
    baseline = Baseline(half_life=30.0)
    for _ in range(200_000):
        baseline.learn(CALM, 0.1)
    assert baseline.median.pitch == pytest.approx(CALM.pitch, abs=0.2)


def test_no_effort_is_told_before_three_voiced_seconds():
    efforts = speak(VocalEffortTracker(SETTINGS), CALM, 4)
    assert efforts[:30] == [None] * 30
    assert efforts[30:] == pytest.approx([0.0] * 10, abs=0.05)


def test_pitch_and_tilt_raise_the_score_and_either_alone_does_not():
    assert effort(8, 7, 0, SETTINGS) >= 1.0
    assert effort(20, 0, 20, SETTINGS) < 1.0
    assert effort(0, 20, 20, SETTINGS) < 1.0
    assert effort(2.5, 20, 20, SETTINGS) < 1.0


def test_loudness_can_neither_make_nor_hide_a_raised_voice():
    assert effort(0, 0, 30, SETTINGS) < 0.5
    assert effort(8, 7, -30, SETTINGS) == effort(8, 7, 0, SETTINGS)
    assert effort(8, 7, 15, SETTINGS) > effort(8, 7, 0, SETTINGS)


def test_a_quarrel_does_not_become_the_baseline():
    speaker = VocalEffortTracker(SETTINGS)
    speak(speaker, CALM, 20)
    assert min(speak(speaker, RAISED, 15)) >= 1.0
    assert speak(speaker, CALM, 3)[-1] == pytest.approx(0, abs=0.1)


def test_another_person_who_takes_the_phone_is_learnt():
    speaker = VocalEffortTracker(SETTINGS)
    speak(speaker, CALM, 60)
    higher = EffortInput(14.0, -8.0, -25.0)
    efforts = speak(speaker, higher, 60)
    assert efforts[0] >= 1.0
    assert efforts[-1] == pytest.approx(0, abs=0.1)
    assert speak(speaker, EffortInput(22.0, -1.0, -20.0), 5)[0] >= 1.0


def test_a_call_that_begins_raised_has_its_baseline_soon_after_the_voice_calms():
    speaker = VocalEffortTracker(SETTINGS)
    speak(speaker, RAISED, 20)
    efforts = speak(speaker, CALM, 15)
    assert efforts[0] < -0.5
    assert efforts[-1] == pytest.approx(0, abs=0.1)
    assert speak(speaker, RAISED, 2)[0] >= 1.0


def test_what_is_said_while_the_other_speaks_teaches_nothing():
    speaker = VocalEffortTracker(SETTINGS)
    speak(speaker, CALM, 5)
    speak(speaker, EffortInput(4.0, -10.0, -20.0), 100, alone=False)
    assert speak(speaker, CALM, 1)[0] == pytest.approx(0, abs=0.05)
