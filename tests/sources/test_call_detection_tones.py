"""Hang-up tones end a call; ringing, speech and a steady whistle do not."""

from pathlib import Path

import numpy as np
import pytest

from monitor.sources.call_detection import HangUpToneDetector
from monitor.sources.recording import open_recording
from tests.audio.sounds import telephone

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio"
RATE = 8000


def cadence(hertz: tuple[float, ...], on: float, off: float, times: int, rate: int = RATE) -> np.ndarray:
    clock = np.arange(round(on * rate)) / rate
    tone = sum(0.1 * np.sin(2 * np.pi * one * clock) for one in hertz)
    return np.tile(np.concatenate([tone, np.zeros(round(off * rate))]), times)


def heard(sound: np.ndarray, rate: int = RATE, block: int = 320) -> float | None:
    """The second at which the tone is told, or None."""
    tone = HangUpToneDetector(rate)
    for start in range(0, len(sound), block):
        if tone.feed(sound[start : start + block].astype(np.float32)):
            return start / rate
    return None


@pytest.mark.parametrize(
    ("hertz", "on", "off"),
    [((425,), 0.5, 0.5), ((425,), 0.25, 0.25), ((425,), 0.48, 0.48), ((480, 620), 0.5, 0.5),
     ((480, 620), 0.25, 0.25), ((400,), 0.375, 0.375), ((450,), 0.35, 0.35)],
)  # fmt: skip
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_busy_tone_ends_the_call(hertz: tuple[float, ...], on: float, off: float, rate: int):
    at = heard(cadence(hertz, on, off, 8, rate), rate)
    assert at is not None
    assert at < 5 * (on + off)


def test_a_busy_tone_through_the_telephone():
    assert heard(telephone(cadence((425,), 0.5, 0.5, 8))) is not None


@pytest.mark.parametrize(
    ("hertz", "on", "off"),
    [((425,), 1.0, 4.0), ((400,), 0.4, 2.0), ((440,), 2.0, 4.0), ((1000,), 0.5, 0.5), ((425,), 5.0, 0.0)],
)  # fmt: skip
def test_ringing_dialling_and_whistles_do_not(hertz: tuple[float, ...], on: float, off: float):
    assert heard(cadence(hertz, on, off, 8)) is None


@pytest.mark.parametrize("name", ["interruptions.flac", "hold.flac"])
def test_speech_and_hold_music_do_not(name: str):
    recording = open_recording([FIXTURES / name])
    caller = np.concatenate([block.pcm[1] for block in recording.blocks(1.0)])
    assert heard(caller, recording.rate) is None


def test_any_cut_hears_the_same():
    sound = cadence((425,), 0.5, 0.5, 8)
    ends = {round(heard(sound, block=block) or 0.0, 0) for block in (37, 160, 999)}
    assert len(ends) == 1
