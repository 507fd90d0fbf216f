"""Who speaks when: the same however the sound is cut, deaf to tones, in time with the truth."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio.frames import Framer, seconds
from monitor.audio.vad import MAX_EDGE_SHIFT, VoiceActivityDetector
from monitor.config import VadSettings
from monitor.events import CHANNELS, Block, Event, SpeechEnded, SpeechStarted
from monitor.resources import resource
from monitor.sources.recording import open_recording
from tests.examples import examples

DETECTORS = ["silero", "webrtc", "both"]
CALM = "fixtures/audio/calm"


@cache
def calm() -> tuple[int, np.ndarray, dict[str, list[tuple[float, float]]]]:
    """Rate, sound and the words' times of the first 20 s of the bundled calm call."""
    truth = json.loads(resource(f"{CALM}.json").read_text())
    recording = open_recording([resource("fixtures/audio") / name for name in truth["audio"]])
    pcm = np.concatenate([block.pcm for block in recording.blocks()], axis=1)[:, : 20 * recording.rate]
    words: dict[str, list[tuple[float, float]]] = {channel: [] for channel in CHANNELS}
    for word in truth["words"]:
        if word["end"] < 19.5:
            words[word["channel"]].append((word["start"], word["end"]))
    return recording.rate, pcm, words


def hear(
    rate: int, pcm: np.ndarray, detector: str = "silero", cuts: list[int] | None = None
) -> tuple[np.ndarray, list[Event]]:
    """The flags and the events, the sound cut as told (the rest in one piece)."""
    framer, stage, at = Framer(rate), VoiceActivityDetector(rate, VadSettings(detector=detector)), 0  # type: ignore[arg-type]  # a name
    flags, events = [], []
    for size in [*(cuts or []), pcm.shape[1]]:
        activity = stage.feed(framer.feed(Block(at, pcm[:, at : at + size])))
        at = min(at + size, pcm.shape[1])
        flags.append(activity.active)
        events += activity.events
    activity = stage.feed(framer.finish())
    return np.concatenate([*flags, activity.active], axis=1), [*events, *activity.events, *stage.finish()]


@pytest.mark.parametrize("detector", DETECTORS)
@examples(6)
@given(sizes=st.lists(st.sampled_from([1, 79, 160, 161, 320, 512, 2560, 20_000]), min_size=1, max_size=6))
def test_the_cuts_do_not_matter(detector: str, sizes: list[int]) -> None:
    """Law 1, bit for bit: frames one at a time, in odd pieces, or all at once."""
    rate, pcm, _ = calm()
    pcm = pcm[:, : 6 * rate]
    cuts = (sizes * (pcm.shape[1] // sum(sizes) + 1))[:400]
    flags, events = hear(rate, pcm, detector, cuts)
    whole_flags, whole_events = hear(rate, pcm, detector)
    np.testing.assert_array_equal(flags, whole_flags)
    assert events == whole_events
    assert any(isinstance(event, SpeechStarted) for event in events)


@pytest.mark.parametrize("detector", DETECTORS)
def test_nothing_is_told_before_it_could_be_known_or_after_it_was(detector: str) -> None:
    """Fed frame by frame, each event comes out of the very frame whose end is its ``known``."""
    rate, pcm, _ = calm()
    stage, framer, size = (
        VoiceActivityDetector(rate, VadSettings(detector=detector)),
        Framer(rate),
        rate // 50,
    )  # type: ignore[arg-type]
    for frame in range(400):
        activity = stage.feed(framer.feed(Block(frame * size, pcm[:, frame * size : (frame + 1) * size])))
        assert {event.detected_at for event in activity.events} <= {seconds(frame + 1)}


@pytest.mark.parametrize("detector", DETECTORS)
def test_speech_is_found_where_the_words_are(detector: str) -> None:
    rate, pcm, words = calm()
    flags, events = hear(rate, pcm, detector)
    for row, channel in enumerate(CHANNELS):
        told = np.zeros(flags.shape[1], bool)
        for event in events:
            if isinstance(event, SpeechEnded) and event.channel == channel:
                told[round(event.start / 0.02) : round(event.end / 0.02)] = True
        spoken = np.zeros_like(told)
        for start, end in words[channel]:
            spoken[round(start / 0.02) : round(end / 0.02)] = True
        near = np.convolve(spoken, np.ones(31), "same") > 0
        assert told[spoken].mean() > 0.93
        assert flags[row][spoken].mean() > 0.85
        assert told[: 19 * 50][~near[: 19 * 50]].mean() < 0.05


@pytest.mark.parametrize(("detector", "within"), [("silero", 0.12), ("both", 0.1), ("webrtc", 0.1)])
def test_the_edges_of_speech_are_near_the_first_and_last_word(detector: str, within: float) -> None:
    rate, pcm, words = calm()
    _, events = hear(rate, pcm, detector)
    first = next(event for event in events if isinstance(event, SpeechStarted))
    assert first.channel == "agent"
    assert first.at == pytest.approx(words["agent"][0][0], abs=within)
    ended = next(event for event in events if isinstance(event, SpeechEnded) and event.channel == "agent")
    assert min(abs(ended.end - end) for _, end in words["agent"]) < within
    assert first.detected_at - first.at < 0.25
    assert ended.detected_at - ended.end < 0.4


def test_both_takes_the_segments_of_silero_and_the_edges_of_webrtc() -> None:
    rate, pcm, _ = calm()
    plain, refined = (
        [e for e in hear(rate, pcm, name)[1] if isinstance(e, SpeechEnded)] for name in ("silero", "both")
    )
    assert [event.channel for event in refined] == [event.channel for event in plain]
    moves = [
        move
        for one, two in zip(plain, refined, strict=True)
        for move in (two.start - one.start, two.end - one.end)
    ]
    assert max(map(abs, moves)) <= MAX_EDGE_SHIFT + 0.001
    assert sum(abs(move) > 0.01 for move in moves) > len(moves) // 3
    on_grid = [edge for event in refined for edge in (event.start, event.end) if round(edge * 1000) % 10 == 0]
    assert len(on_grid) > len(moves) // 2, "WebRTC's edges lie on its own grid of 10 ms"


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_stretch_begins_ends_and_is_at_least_the_shortest(detector: str) -> None:
    rate, pcm, _ = calm()
    _, events = hear(rate, pcm, detector)
    assert [event.detected_at for event in events] == sorted(event.detected_at for event in events)
    for channel in CHANNELS:
        ours = [event for event in events if event.channel == channel]  # type: ignore[attr-defined]
        assert [type(event) for event in ours] == [SpeechStarted, SpeechEnded] * (len(ours) // 2)
        for started, ended in zip(ours[::2], ours[1::2], strict=True):
            assert started.at == ended.start
            assert ended.end - ended.start >= 0.12
        for before, after in zip(ours[1::2], ours[2::2], strict=False):
            assert after.at - before.end >= 0.2, "shorter gaps are bridged (an edge may move by a tenth)"


@pytest.mark.parametrize("hertz", [(350, 440), (425,), (697, 1209), (1000,)])
def test_a_dial_tone_is_not_speech(hertz: tuple[int, ...]) -> None:
    times = np.arange(8000 * 8) / 8000
    tone = sum(0.2 * np.sin(2 * np.pi * pitch * times) for pitch in hertz).astype(np.float32)
    flags, events = hear(8000, np.stack([tone, np.zeros_like(tone)]))
    assert flags.mean() < 0.02
    assert not events


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-4])
def test_a_silent_side_says_nothing(detector: str, level: float) -> None:
    """Digital silence, and the noise of a converter at -100 and -80 dBFS."""
    noise = np.random.default_rng(1).normal(0, 1, (2, 16_000 * 4)).astype(np.float32) * np.float32(level)
    flags, events = hear(16_000, noise, detector)
    assert not flags.any()
    assert not events


def test_a_short_cough_is_not_a_stretch_of_speech() -> None:
    """80 ms of a voice alone are not reported, though the flag may rise."""
    rate, pcm, words = calm()
    start = round((words["agent"][0][0] + 0.1) * rate)
    cough = np.zeros((2, 4 * rate), np.float32)
    cough[0, rate : rate + round(0.08 * rate)] = pcm[0, start : start + round(0.08 * rate)]
    assert hear(rate, cough)[1] == []


@pytest.mark.parametrize("detector", DETECTORS)
def test_speech_that_goes_on_to_the_end_of_the_call_is_closed_there(detector: str) -> None:
    rate, pcm, words = calm()
    end = words["agent"][3][1]
    _, events = hear(rate, pcm[:, : round(end * rate) + 7], detector)
    assert isinstance(events[-1], SpeechEnded)
    assert events[-1].end <= events[-1].detected_at
    assert events[-1].end == pytest.approx(end, abs=0.15)


def test_a_quiet_line_is_heard_like_a_loud_one() -> None:
    """20 dB less: nine tenths of the flags stay."""
    rate, pcm, _ = calm()
    loud, quiet = hear(rate, pcm)[0], hear(rate, pcm * np.float32(0.1))[0]
    assert (loud & quiet).sum() > 0.9 * loud.sum()
    assert (quiet & ~loud).mean() < 0.05


def test_the_sound_is_not_changed() -> None:
    rate, pcm, _ = calm()
    kept = pcm.copy()
    hear(rate, pcm[:, : 2 * rate], "both")
    np.testing.assert_array_equal(pcm, kept)


@pytest.fixture
def shared_audio() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "audio"
    if not folder.is_dir():
        pytest.skip("the folder shared/audio with real recordings does not lie beside the project")
    return folder


def test_a_real_telephone_call_is_heard(shared_audio: Path) -> None:
    """Nine tenths of the labelled speech of a real 8 kHz call, and hardly anything else."""
    name = "Auto_Repairs_40_UTC"
    recording = open_recording([shared_audio / f"{name}_caller.wav", shared_audio / f"{name}_agent.wav"])
    pcm = np.concatenate([block.pcm for block in recording.blocks()], axis=1)
    flags, _ = hear(recording.rate, pcm)
    truth = np.zeros_like(flags)
    for line in (shared_audio / "Auto_Repairs_40.rttm").read_text().splitlines():
        part = line.split()
        start, size = float(part[3]), float(part[4])
        truth[CHANNELS.index(part[7]), round(start / 0.02) : round((start + size) / 0.02)] = True
    near = np.stack([np.convolve(row, np.ones(41), "same") > 0 for row in truth])
    assert flags[truth].mean() > 0.9
    assert flags[~near].mean() < 0.01
