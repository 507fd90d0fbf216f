"""When the sound itself is not to be trusted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.quality import DeadChannelCondition, QualityMonitor, SecondSummary
from monitor.config import QualitySettings
from monitor.events import Event
from tests.audio.voices import Sound, echo, hum, runs, voice
from tests.examples import examples
from tests.talk import active

RATE = 8000


def told(
    pcm: Sound, *talk: str, cuts: tuple[int, ...] = ()
) -> list[tuple[str, str | None, float, float | None]]:
    """Kind, channel, start and end of everything that was told about a call."""
    return [(e.kind, e.channel, e.start, e.end) for e in heard(pcm, *talk, cuts=list(cuts))[0]]


def heard(pcm: Sound, *talk: str, cuts: list[int]) -> tuple[list[Event], np.ndarray, np.ndarray]:
    flags = active(*talk, seconds=pcm.shape[1] / RATE)
    stage = QualityMonitor(RATE, QualitySettings())
    events, clean, suppressed = [], [], []
    for run in runs(pcm, RATE, cuts):
        cleaned = stage.feed(run, flags[:, run.first : run.first + run.frames])
        events += cleaned.events
        clean.append(cleaned.active)
        suppressed.append(cleaned.suppressed)
    return events + stage.finish(), np.concatenate(clean, axis=1), np.concatenate(suppressed)


def line(*parts: Sound) -> Sound:
    """Parts of one side, one after the other, with the noise of the line."""
    sound = np.concatenate(parts)
    return sound + hum(sound.size / RATE, RATE, 9, 3e-4)


def pause(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def test_a_good_call_gives_nothing():
    agent, caller = line(voice(6, RATE, 1), pause(9)), line(pause(5), voice(8, RATE, 2), pause(2))
    assert told(np.stack([agent, caller]), "agent 0-6", "caller 5-13") == []


def test_bleed_is_told_when_it_begins_and_when_it_is_over():
    said = np.concatenate([voice(8, RATE, 1), voice(14, RATE, 2)])
    agent = line(echo(said[: 8 * RATE], RATE, -15), pause(14))
    events = told(np.stack([agent, line(said)]), "caller 0-22", "agent 0.2-8.2")
    assert events == [("crosstalk", "agent", 0, None), ("crosstalk", "agent", 0, 9)]


def test_bleed_lasts_to_the_end_of_the_call_if_nothing_ends_it():
    said = voice(6, RATE, 1)
    events = told(np.stack([line(echo(said, RATE, -15)), line(said)]), "caller 0-6", "agent 0.2-6")
    assert events == [("crosstalk", "agent", 0, None), ("crosstalk", "agent", 0, 6)]


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("late", [0, 3, 160])
def test_the_same_sound_on_both_channels_is_told(gain, late):
    said = voice(8, RATE, 1) * np.float32(0.3)
    copy = np.concatenate([np.zeros(late, np.float32), said])[: said.size] * np.float32(gain)
    events = told(np.stack([said, copy]), "caller 0-8", "agent 0-8")
    assert ("same_audio", None) in [(kind, channel) for kind, channel, _, _ in events]


def test_a_headset_that_leaks_is_bleed_and_not_the_same_sound():
    said, answer = voice(6, RATE, 1), voice(4, RATE, 2)
    agent = line(said * np.float32(0.02), answer)
    events = told(np.stack([agent, line(said, pause(4))]), "caller 0-6", "agent 0-10")
    assert {kind for kind, *_ in events} == {"crosstalk"}


@pytest.mark.parametrize("gain", [0.1, 1.0])
def test_clipping_is_told_at_any_level(gain):
    cut = np.clip(voice(5, RATE, 1) * 16, -0.9, 0.9) * np.float32(gain)
    caller = np.concatenate([cut, voice(7, RATE, 2) * np.float32(gain)])
    events = told(np.stack([line(pause(12)), caller]), "caller 0-12")
    assert events == [("clipping", "caller", 0, None), ("clipping", "caller", 0, 5)]


def test_a_side_from_which_nothing_comes_while_the_other_talks_is_dead():
    agent = np.concatenate([line(voice(3, RATE, 1)), pause(14), line(voice(3, RATE, 2))])
    events = told(np.stack([agent, line(pause(3), voice(12, RATE, 3), pause(5))]), "agent 0-3", "caller 3-15")
    assert events == [("dead_channel", "agent", 3, None), ("dead_channel", "agent", 3, 17)]


def test_a_silent_line_on_which_nobody_talks_is_not_dead():
    assert told(np.stack([pause(15), line(pause(15))])) == []


@pytest.mark.parametrize("gain", [0.1, 1.0])
def test_a_quiet_line_that_still_has_noise_is_not_dead(gain):
    agent = np.concatenate([voice(3, RATE, 1), pause(14)]) + hum(17, RATE, 4, 2e-4)
    caller = line(pause(3), voice(14, RATE, 3))
    events = told(np.stack([agent, caller]) * np.float32(gain), "agent 0-3", "caller 3-17")
    assert events == []


@examples(6)
@given(st.lists(st.integers(1, 600), max_size=30))
def test_any_cut_gives_the_same_events_and_the_same_speech(cuts):
    said = np.concatenate([voice(5, RATE, 1), np.clip(voice(3, RATE, 2) * 16, -0.9, 0.9), pause(4)])
    pcm = np.stack([line(echo(said, RATE, -15) + voice(12, RATE, 3) * np.float32(0.02)), line(said)])
    script = ("caller 0-8", "agent 0.2-2.7", "agent 3-5.5", "agent 7-12")
    whole, cut = heard(pcm, *script, cuts=[]), heard(pcm, *script, cuts=cuts)
    assert whole[0]
    assert cut[0] == whole[0]
    assert np.array_equal(cut[1], whole[1])
    assert np.array_equal(cut[2], whole[2])


def second(start: int, *, talk: float, signal: bool) -> SecondSummary:
    """A second in which the agent's channel has a signal or not, and the caller talks for so long."""
    return SecondSummary(
        start=start, talk=(0.0, talk), crosstalk=(0.0, 0.0), compared=0.0, same_audio=0.0,
        level_difference=0.0, clipped=(None, None), signal=(signal, True),
    )  # fmt: skip


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize(("talk", "reported"), [(1.9, False), (2.0, True)])
def test_a_channel_is_dead_once_the_other_side_has_talked_since_its_last_signal(
    talk: float, reported: bool, before: int
):
    condition = DeadChannelCondition(0, QualitySettings())
    for start in range(before):
        assert condition.update(second(start, talk=1.0, signal=True)) is None
    spoken = [talk, *[0.0] * 14]
    events = [condition.update(second(before + n, talk=t, signal=False)) for n, t in enumerate(spoken)]
    found = [(event.kind, event.channel, event.start, event.detected_at) for event in events if event]
    assert found == ([("dead_channel", "agent", before, before + 10)] if reported else [])
