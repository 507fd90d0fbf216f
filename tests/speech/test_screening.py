"""What is not speech gives no words, with the gate, the bleed guard and the bundled model in the loop."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from monitor.audio.frames import Framer
from monitor.audio.gate import Gate
from monitor.audio.quality import Quality
from monitor.config import CallSettings
from monitor.events import Block, Utterance, Word
from monitor.speech.screening import Loudness
from monitor.speech.store import bundled_folder
from monitor.speech.transcriber import Transcriber
from monitor.speech.whisper import Whisper
from monitor.speech.worker import recognise_now

RATE = 8000


def committed(pcm: np.ndarray) -> dict[str, list[Word]]:
    """The committed words of both sides (rows agent, caller) after the whole chain."""
    settings, whisper = CallSettings(), Whisper(bundled_folder(), "bundled")
    framer, gate, quality = Framer(RATE), Gate(RATE, settings.gate), Quality(RATE, settings.quality)
    transcriber = Transcriber(RATE, settings.speech, words=True)
    words: dict[str, list[Word]] = {"agent": [], "caller": []}

    def answer() -> None:
        while jobs := transcriber.jobs():
            for heard in recognise_now(whisper, jobs):
                for event in transcriber.heard(heard, 0.0):
                    if isinstance(event, Utterance) and event.final:
                        words[event.channel] += [word for word in event.words if word.committed]

    for start in range(0, pcm.shape[1], RATE // 5):
        run = framer.feed(Block(start, pcm[:, start : start + RATE // 5]))
        transcriber.feed(run, quality.feed(run, gate.feed(run).active).active)
        answer()
    transcriber.finish()
    answer()
    return words


def at_8k(path: Path) -> np.ndarray:
    sound, rate = soundfile.read(path, dtype="float32")
    return (sound if rate == RATE else soxr.resample(sound, rate, RATE)).T.astype(np.float32)


def noises(seconds: float) -> np.ndarray:
    """White and dark noise, a hum, breathing and clicks, one after the other, 10 s each."""
    rng = np.random.default_rng(4)
    times = np.arange(10 * RATE) / RATE
    white = rng.standard_normal(len(times))
    dark = np.convolve(white, np.ones(12) / 12, "same")
    breath = dark * np.clip(np.sin(2 * np.pi * 0.3 * times), 0, 1) ** 2
    clicks = np.where(rng.random(len(times)) < 3 / RATE, rng.uniform(-1, 1, len(times)), 0.0)
    kinds = [
        0.003 * white,
        0.03 * white,
        0.05 * dark,
        0.1 * np.sin(2 * np.pi * 50 * times),
        0.2 * breath,
        clicks,
    ]
    count = round(seconds / 10)
    return np.concatenate([kinds[n % len(kinds)] for n in range(count)]).astype(np.float32)


@pytest.mark.slow
def test_ten_minutes_of_hold_music_noise_silence_and_bleed_give_no_word(project: Path):
    audio = project / "fixtures/audio"
    held = at_8k(audio / "hold.flac")[1, round(44.5 * RATE) : round(90.5 * RATE)]
    music = np.tile(held, 4)[: 180 * RATE]
    noise, silence = noises(180.0), np.zeros(120 * RATE, np.float32)
    caller = np.tile(at_8k(audio / "difficult-call.flac")[0], 2)[: 120 * RATE]
    echo = 0.06 * np.convolve(np.pad(caller, (800, 0))[: len(caller)], np.ones(3) / 3, "same")
    echo = (echo + 0.0003 * np.random.default_rng(5).standard_normal(len(echo))).astype(np.float32)
    agent = np.concatenate([music, noise, silence, echo])
    other = np.concatenate([0.5 * music, noise[::-1], silence, caller])
    words = committed(np.stack([agent, other]))
    assert words["agent"] == []
    assert [word for word in words["caller"] if word.start < 480.0] == []
    assert len(words["caller"]) > 50


def test_the_louder_side_is_told_by_its_level_in_that_stretch():
    loudness = Loudness()
    pcm = np.zeros((2, 10 * RATE), np.float32)
    pcm[0, 2 * RATE : 4 * RATE] = 0.1
    pcm[1, 2 * RATE : 4 * RATE] = 0.01
    loudness.feed(0, pcm, RATE // 50)
    assert loudness.difference(0, 1, 2.0, 4.0) == pytest.approx(20.0, abs=0.1)
    assert loudness.difference(0, 1, 6.0, 7.0) == pytest.approx(0.0)
