"""The ten events a second, on vocoded and real calls."""

import itertools
import json

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.frames import FrameBlock, seconds
from monitor.audio.prosody import ProsodyAnalyser
from monitor.config import ProsodySettings
from monitor.errors import BadInput
from tests.audio.sounds import mu_law, noise, voice_like
from tests.examples import examples
from tests.talk import active


def events_of(pcm, talk, rate=8000, cuts=()):
    """The events of a call heard in runs that end at ``cuts`` (frame numbers)."""
    stage, told, hop = ProsodyAnalyser(rate, ProsodySettings()), [], rate // 50
    edges = [0, *sorted(cuts), talk.shape[1]]
    for first, end in itertools.pairwise(edges):
        told += stage.feed(FrameBlock(first, pcm[:, first * hop : end * hop], rate), talk[:, first:end])
    return told + stage.finish()


def bundled(project, name):
    """A call of the fixtures: sound [agent, caller], who speaks by its ground truth, the truth, the rate."""
    truth = json.loads((project / "fixtures" / "audio" / f"{name}.json").read_text())
    pcm, rate = soundfile.read(project / "fixtures" / "audio" / truth["audio"][0], dtype="float32")
    frames = len(pcm) // (rate // 50)
    lines = (f"{u['channel']} {u['start']}-{u['end']}" for u in truth["utterances"])
    agent = truth["agent_channel"]
    sides = np.ascontiguousarray(pcm[: frames * (rate // 50), [agent, 1 - agent]].T)
    return sides, active(*lines, seconds=frames * 0.02), truth, rate


def raised_spans(events, channel, hold):
    """When the score has been 1.0 or more for ``hold`` voiced seconds, until it is under 0.5 for 1.0 s."""
    starts, over, under = [], 0.0, 0.0
    for event in events:
        if event.channel != channel or event.effort is None:
            continue
        if under > 0:
            under = under - 0.1 * event.voiced if event.effort < 0.5 else 1.0
            over = 0.0
            continue
        over = over + 0.1 * event.voiced if event.effort >= 1.0 else 0.0
        if over >= hold - 1e-6:
            starts.append(event.detected_at)
            under = 1.0
    return starts


@pytest.fixture(scope="module")
def conversation():
    """Twelve seconds of two voices in turn, with an overlap and noise, cheap to analyse again and again."""
    agent, caller = voice_like(120, 12, 8000), voice_like(210, 12, 8000, brightness=3)
    swell = 1 + 0.9 * np.sin(2 * np.pi * 4 * np.arange(96000) / 8000)
    pcm = mu_law(np.stack([agent * swell, caller * swell]) + noise(24, 8000, -55).reshape(2, -1))
    talk = active("agent 0.3-5", "caller 4.5-8", "agent 8.1-8.3", "agent 9-11.96", seconds=12)
    return pcm, talk


@given(st.lists(st.integers(0, 600), max_size=40))
@examples(40)
def test_any_cut_of_the_sound_gives_the_same_events_to_the_byte(conversation, cuts):
    pcm, talk = conversation
    whole, cut = events_of(pcm, talk), events_of(pcm, talk, cuts=cuts)
    assert msgspec.json.encode(whole) == msgspec.json.encode(cut)


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_frame_by_frame_is_the_same_as_all_at_once_at_16_khz(project, chunk):
    sides, talk, _, rate = bundled(project, "difficult-call")
    part, said = sides[:, 2 * rate : 14 * rate], talk[:, 100:700]
    assert events_of(part, said, rate, range(0, 600, chunk)) == events_of(part, said, rate)


def test_events_come_each_tenth_of_a_second_while_a_side_speaks_and_sixty_ms_later(conversation):
    pcm, talk = conversation
    events = events_of(pcm, talk)
    for row, channel in enumerate(("agent", "caller")):
        steps = talk[row].reshape(-1, 5).any(axis=1)
        expected = [seconds(5 * (step + 1)) for step in np.flatnonzero(steps)]
        assert [event.at for event in events if event.channel == channel] == expected
    assert all(event.detected_at == round(min(event.at + 0.06, 12.0), 3) for event in events)
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_nothing_is_known_before_it_was_heard(conversation):
    pcm, talk = conversation
    stage = ProsodyAnalyser(8000, ProsodySettings())
    for frame in range(600):
        run = FrameBlock(frame, pcm[:, frame * 160 : (frame + 1) * 160], 8000)
        for event in stage.feed(run, talk[:, frame : frame + 1]):
            assert event.detected_at == seconds(frame + 1)


def test_an_event_says_what_was_heard(conversation):
    pcm, talk = conversation
    events = [event for event in events_of(pcm, talk) if event.channel == "caller" and 5.2 < event.at < 8]
    assert np.median([event.f0_hz for event in events if event.f0_hz]) == pytest.approx(210, rel=0.01)
    assert np.mean([event.voiced for event in events]) > 0.8
    assert -30 < np.mean([event.level_dbfs for event in events]) < -15
    assert all(event.alpha_db is not None for event in events if event.voiced)


def test_silence_gives_no_event_and_an_odd_end_is_flushed():
    stage = ProsodyAnalyser(8000, ProsodySettings())
    talk = np.zeros((2, 52), bool)
    sound = np.stack([voice_like(150, 1.04, 8000)] * 2).astype(np.float32)
    assert stage.feed(FrameBlock(0, sound, 8000), talk) == []
    talk[0] = True
    told = stage.feed(FrameBlock(52, sound[:, : 50 * 160], 8000), talk[:, :50])
    assert [event.at for event in told][-1] == 1.9
    assert [event.at for event in stage.finish()] == [2.0]
    assert ProsodyAnalyser(8000, ProsodySettings()).finish() == []


@pytest.mark.parametrize("gain_db", [-20, 20])
def test_gain_does_not_matter(project, gain_db):
    sides, talk, _, rate = bundled(project, "raised")
    other = events_of(sides * np.float32(10 ** (gain_db / 20)), talk, rate)
    for before, after in zip(events_of(sides, talk, rate), other, strict=True):
        assert after.level_dbfs == pytest.approx(before.level_dbfs + gain_db, abs=0.02)
        assert (after.at, after.f0_hz, after.voiced) == (before.at, before.f0_hz, before.voiced)
        assert (after.effort is None) == (before.effort is None)
        if before.effort is not None:
            assert after.effort == pytest.approx(before.effort, abs=0.02)


@pytest.mark.parametrize("call", ["raised", "raised-level-removed", "difficult-call"])
def test_raised_voices_are_found_within_a_second_and_nothing_else_is(project, call):
    sides, talk, truth, rate = bundled(project, call)
    events = events_of(sides, talk, rate)
    delays = []
    for channel in ("agent", "caller"):
        loud = [(u["start"], u["end"]) for u in truth["utterances"]
                if u["channel"] == channel and u["effort"] == "raised"]  # fmt: skip
        hints = raised_spans(events, channel, 0.3)
        assert raised_spans(events, channel, 0.8)
        for hint in hints:
            assert any(start < hint < end + 1 for start, end in loud), (channel, hint)
        delays.append(hints[0] - loud[0][0])
    assert np.median(delays) <= 1.0


@pytest.mark.parametrize("call", ["calm", "backchannels", "interruptions", "hold", "apologies"])
def test_bundled_calls_without_raised_voices_have_none(project, call):
    sides, talk, _, rate = bundled(project, call)
    events = events_of(sides, talk, rate)
    assert raised_spans(events, "agent", 0.3) == raised_spans(events, "caller", 0.3) == []


def test_a_calm_real_call_has_no_raised_voice(shared_audio):
    sides = np.stack([soundfile.read(shared_audio / f"Auto_Repairs_40_UTC_{side}.wav", dtype="float32")[0]
                      for side in ("agent", "caller")])  # fmt: skip
    frames = sides.shape[1] // 160
    sides = sides[:, : frames * 160]
    spoken = [line.split() for line in (shared_audio / "Auto_Repairs_40.rttm").read_text().splitlines()]
    talk = np.zeros((2, frames), bool)
    for _, _, _, start, length, *_, who, _, _ in spoken:
        talk[int("caller" in who), round(float(start) * 50) : round((float(start) + float(length)) * 50)] = (
            True
        )
    events = events_of(sides, talk)
    assert len({event.channel for event in events}) == 2
    assert raised_spans(events, "agent", 0.8) == raised_spans(events, "caller", 0.8) == []


@pytest.mark.parametrize(
    "wrong", [{"f0_min": 50.0}, {"f0_min": 300.0, "f0_max": 200.0}, {"window": 0.0}, {"min_voiced": 2.0},
              {"baseline_half_life": 0.0}],
)  # fmt: skip
def test_settings_that_cannot_be_met_are_refused_in_one_sentence(wrong):
    with pytest.raises(BadInput, match=f"prosody.{next(iter(wrong))}"):
        ProsodyAnalyser(8000, ProsodySettings(**wrong))
