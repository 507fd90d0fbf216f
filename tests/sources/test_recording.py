"""A recorded call comes out as two aligned sides, exactly as it was recorded, in memory that stays small."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.recording import Recording, call_id, open_recording
from tests.examples import examples
from tests.sounds import MULAW, encoded, pcm16, talk, wav


def hear(recording: Recording, seconds: float = 0.1) -> np.ndarray:
    return np.concatenate([block.pcm for block in recording.blocks(seconds)], axis=1)


def sides(sound: np.ndarray) -> np.ndarray:
    """What a 16-bit file of ``sound`` holds, as float32 [channels, n]."""
    return (np.round(sound * 32767).astype(np.float32) / np.float32(32768)).T


@pytest.mark.parametrize(("agent_channel", "rows"), [(1, [1, 0]), (0, [0, 1])])
def test_the_left_channel_is_the_caller_unless_told_otherwise(
    agent_channel: int, rows: list[int], tmp_path: Path
) -> None:
    sound = talk()
    recording = open_recording([wav(tmp_path / "call.wav", pcm16(sound))], agent_channel=agent_channel)
    np.testing.assert_array_equal(hear(recording), sides(sound)[rows])


@pytest.mark.parametrize(("agent_channel", "agent"), [(1, "b.wav"), (0, "a.wav")])
def test_of_two_files_the_callers_comes_first_unless_told_otherwise(
    agent_channel: int, agent: str, tmp_path: Path
) -> None:
    sound = {"a.wav": talk(channels=1), "b.wav": talk(channels=2)[:, 1:]}
    paths = [wav(tmp_path / name, pcm16(pcm), channels=1) for name, pcm in sound.items()]
    heard = hear(open_recording(paths, agent_channel=agent_channel))
    np.testing.assert_array_equal(heard[0], sides(sound[agent])[0])


@examples(20, fixtures=True)
@given(
    rate=st.sampled_from([8000, 16_000, 22_050, 48_000]),
    samples=st.integers(6, 9000),  # fewer may be no sample at all at a lower rate
    seconds=st.floats(0.0001, 5.0),
)
def test_the_size_of_the_blocks_changes_nothing(
    rate: int, samples: int, seconds: float, tmp_path: Path
) -> None:
    sound = np.random.default_rng(samples).normal(0, 0.1, (samples, 2))
    recording = open_recording([wav(tmp_path / "call.wav", pcm16(sound), rate=rate)])
    seconds = max(seconds, samples / rate / 500)
    blocks = list(recording.blocks(seconds))
    size = max(1, round(seconds * recording.rate))
    assert {block.pcm.shape[1] for block in blocks[:-1]} <= {size}
    cut = np.concatenate([block.pcm for block in blocks], axis=1)
    np.testing.assert_array_equal(cut, hear(recording, 5.0))
    assert cut.shape[1] == pytest.approx(samples * recording.rate / rate, abs=1)


def test_a_recording_tells_its_rate_band_and_length_before_it_is_heard(tmp_path: Path) -> None:
    narrow = open_recording([wav(tmp_path / "n.wav", bytes(8000), bits=8, kind=MULAW)])
    assert (narrow.rates, narrow.rate, narrow.band, narrow.seconds) == ((8000, 8000), 8000, "narrow", 0.5)
    wide = open_recording([wav(tmp_path / "w.wav", pcm16(talk(2.0, 48_000)), rate=48_000)])
    assert (wide.rates, wide.rate, wide.band, wide.seconds) == ((48_000, 48_000), 16_000, "wide", 2.0)
    assert wide.heard_to == 0.0
    hear(wide)
    assert wide.heard_to == 2.0


def test_a_recording_can_be_heard_twice(tmp_path: Path) -> None:
    recording = open_recording([wav(tmp_path / "call.wav", pcm16(talk()))])
    np.testing.assert_array_equal(hear(recording), hear(recording))


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("call.flac", "flac", 8000),
        ("call.mp3", "mp3", 44_100),
        ("call.opus", "libopus", 48_000),
        ("call.m4a", "aac", 48_000),
        ("call.m4a", "alac", 44_100),
        ("call.mkv", "pcm_s16le", 16_000),
        ("call.au", "pcm_mulaw", 8000),
    ],
)
def test_every_common_form_keeps_its_channels_apart_and_its_time(
    name: str, codec: str, rate: int, tmp_path: Path
) -> None:
    """A burst on one side only stays there, and where it was, to 2 ms (a codec's delay is taken out)."""
    sound = np.zeros((2 * rate, 2))
    sound[rate : rate + rate // 4, 1] = talk(0.25, rate, 1)[:, 0]
    recording = open_recording([encoded(tmp_path / name, sound, codec=codec, rate=rate)])
    agent, caller = hear(recording)
    loud = np.flatnonzero(np.abs(agent) > 0.1)
    assert loud[0] / recording.rate == pytest.approx(1.0, abs=0.002)
    assert loud[-1] / recording.rate == pytest.approx(1.25, abs=0.002)
    assert np.abs(caller).max() < 0.05


def test_a_hole_in_the_middle_is_silence_and_a_gap_says_so(tmp_path: Path) -> None:
    """Damage that a decoder passes over must not pull the rest of the call forward."""
    rate = 16_000
    sound = np.random.default_rng(3).normal(0, 0.1, (4 * rate, 2))
    sound[3 * rate :] = 0.0
    sound[3 * rate : 3 * rate + 100] = 0.9
    path = encoded(tmp_path / "call.flac", sound, codec="flac", rate=rate)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 20_000] = np.random.default_rng(5).integers(0, 256, 20_000, np.uint8).tobytes()
    path.write_bytes(content)
    recording = open_recording([path])
    blocks = list(recording.blocks())
    heard = np.concatenate([block.pcm for block in blocks], axis=1)
    gaps = [gap for block in blocks for gap in block.gaps]
    assert {gap.channel for gap in gaps} == {"agent", "caller"}
    assert sum(gap.seconds for gap in gaps) > 0.2
    assert np.flatnonzero(np.abs(heard[0]) > 0.8)[-1] == 3 * rate + 99


def test_a_file_that_changes_its_rate_is_used_up_to_there(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (32_000, 2))
    parts = [
        encoded(tmp_path / f"{rate}.mp3", sound, codec="libmp3lame", rate=rate) for rate in (16_000, 24_000)
    ]
    path = tmp_path / "call.mp3"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    recording = open_recording([path])
    assert hear(recording).shape[1] / recording.rate == pytest.approx(2.0, abs=0.1)
    assert recording.notice == (
        "call.mp3 changes its sampling rate or channels at 2.1 s; it was decoded up to there."
    )


def test_memory_does_not_grow_with_the_length_of_the_call(tmp_path: Path) -> None:
    path = wav(tmp_path / "long.wav", bytes(20 * 60 * 8000 * 4))
    recording = open_recording([path])
    tracemalloc.start()
    seconds = sum(block.pcm.shape[1] for block in recording.blocks(5.0)) / recording.rate
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds == 1200
    assert peak < 5_000_000, "twenty minutes are 38 MB"


def test_a_call_is_named_after_its_file_and_its_content(tmp_path: Path) -> None:
    first = wav(tmp_path / "Call No. 7.wav", pcm16(talk()))
    name = call_id([first])
    assert name.startswith("call-no-7-")
    assert len(name.rsplit("-", 1)[1]) == 8
    assert call_id([first]) == name
    assert call_id([wav(first, pcm16(-talk()))]) != name
    assert call_id([wav(tmp_path / "\u4e2d.wav", b"")]).startswith("call-")
