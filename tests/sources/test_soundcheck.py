"""Five seconds of both sides: silent, clipped, swapped, echoing, alike, or fine."""

from pathlib import Path

import numpy as np
import pytest

from monitor.events import Block
from monitor.sources.recording import open_recording
from monitor.sources.soundcheck import CHECK_SECONDS, SoundCheck

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio"


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """Five seconds in which both speak: float32 [2, n] at 8 kHz, agent and caller."""
    recording = open_recording([FIXTURES / "interruptions.flac"])
    pcm = np.concatenate([block.pcm for block in recording.blocks(1.0)], axis=1)
    agent, caller = pcm[0, 8000 : 8000 + 28000], pcm[1, 42000 : 42000 + 40000]
    return np.stack([np.pad(agent, (0, 12000)), caller])


def findings(pcm: np.ndarray) -> list[str]:
    checking = SoundCheck(8000)
    for start in range(0, pcm.shape[1], 320):
        checking.feed(Block(start, pcm[:, start : start + 320].astype(np.float32)))
    assert checking.seconds == pytest.approx(CHECK_SECONDS)
    return checking.findings()


def test_two_good_sides_get_no_complaint(talk: np.ndarray):
    assert findings(talk) == []


@pytest.mark.parametrize(("row", "who"), [(0, "microphone"), (1, "loopback")])
def test_a_silent_side_is_named(talk: np.ndarray, row: int, who: str):
    talk = talk.copy()
    talk[row] = 0.0
    assert f"{who} (" in findings(talk)[0]
    assert "is silent" in findings(talk)[0]


@pytest.mark.parametrize(("row", "why"), [(0, "you did not speak"), (1, "nothing was played")])
def test_a_side_with_nothing_but_noise_is_not_called_fine(talk: np.ndarray, row: int, why: str):
    talk = talk.copy()
    talk[row] = 0.002 * np.random.default_rng(1).standard_normal(talk.shape[1])  # -54 dBFS
    (said, *_) = findings(talk)
    assert "gave only noise (-5" in said
    assert why in said


def test_clipping_is_told(talk: np.ndarray):
    talk = talk.copy()
    talk[1] = np.clip(talk[1] * 30, -1, 1)
    assert any("loopback (caller) is clipped" in said for said in findings(talk))


def test_a_whisper_is_too_quiet(talk: np.ndarray):
    talk = talk.copy()
    talk[0] *= 0.02
    assert any("microphone (agent) is very quiet" in said for said in findings(talk))


def test_an_echo_of_the_caller_in_the_microphone_is_told(talk: np.ndarray):
    echo = talk.copy()
    echo[0] = 0.2 * np.roll(talk[1], 400)
    assert any("microphone (agent) picks up an echo" in said for said in findings(echo))


def test_the_same_sound_on_both_is_one_device_too_many(talk: np.ndarray):
    assert any(
        "Both devices record the same" in said for said in findings(np.stack([talk[1], 0.7 * talk[1]]))
    )


def test_a_voice_on_the_wrong_side_hints_at_swapped_devices(talk: np.ndarray):
    swapped = np.stack([np.zeros_like(talk[0]), talk[0]])
    assert any("swapped" in said for said in findings(swapped))
