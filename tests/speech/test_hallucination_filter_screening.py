"""What is not speech gives no words, and a word alone is one: the whole product, with the bundled model."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import soxr

from monitor.call import Call, CallInfo
from monitor.config import CallSettings
from monitor.events import Block, Utterance, Word
from monitor.playback import play
from monitor.review.truth import load_truth, truth_beside
from monitor.rules.rule_set import load_rules
from monitor.speech.agreement import key
from monitor.speech.hallucination_filter import ChannelLevels
from monitor.speech.model_store import bundled_folder
from monitor.speech.whisper import Whisper
from tests.speech.noises import KINDS, RATE, dialling, hum, music, ringing, white


def committed(pcm: np.ndarray, gate: str = "silero") -> dict[str, list[Word]]:
    """The committed words of both sides (rows agent, caller) after the whole product."""
    settings = CallSettings()
    settings = msgspec.structs.replace(settings, vad=msgspec.structs.replace(settings.vad, detector=gate))
    call = Call(CallInfo("noise", ("noise",), RATE, "narrow", "bundled"), load_rules(), settings)
    step = RATE // 5
    blocks = (Block(at, pcm[:, at : at + step]) for at in range(0, pcm.shape[1], step))
    words: dict[str, list[Word]] = {"agent": [], "caller": []}
    for events in play(call, blocks, Whisper(bundled_folder(), "bundled")):
        for event in events:
            if isinstance(event, Utterance) and event.final:
                words[event.channel] += event.words
    return words


def at_8k(path: Path) -> np.ndarray:
    sound, rate = soundfile.read(path, dtype="float32")
    return (sound if rate == RATE else soxr.resample(sound, rate, RATE)).T.astype(np.float32)


@pytest.mark.slow
def test_ten_minutes_of_hold_music_noise_silence_and_bleed_give_no_word(project: Path):
    audio, chance = project / "fixtures/audio", np.random.default_rng(4)
    held = at_8k(audio / "hold.flac")[1, round(44.5 * RATE) : round(90.5 * RATE)]
    music, silence = np.tile(held, 4)[: 90 * RATE], np.zeros(60 * RATE, np.float32)
    noises = [[kind(chance, 37.0) for kind in KINDS] for _ in range(2)]
    caller = np.tile(at_8k(audio / "difficult-call.flac")[0], 2)[: 120 * RATE]
    echo = 0.06 * np.convolve(np.pad(caller, (800, 0))[: len(caller)], np.ones(3) / 3, "same")
    echo = (echo + 0.0003 * chance.standard_normal(len(echo))).astype(np.float32)
    agent = np.concatenate([music, *noises[0], silence, echo])
    other = np.concatenate([0.5 * music, *noises[1][::-1], silence, caller])
    assert agent.size >= 600 * RATE
    words = committed(np.stack([agent, other]))
    assert words["agent"] == []
    assert [word for word in words["caller"] if word.start < agent.size / RATE - 120.0] == []
    assert len(words["caller"]) > 50


@pytest.mark.slow
@pytest.mark.parametrize("kind", [white, hum, music, dialling, ringing], ids=lambda kind: kind.__name__)
def test_what_a_gate_lets_through_by_mistake_is_caught_by_the_guards(kind: Callable):
    """WebRTC's gate takes most of these for speech, and the model finds words in nearly every window.

    It is not the default, and hardly a word is left of them.
    """
    chance = np.random.default_rng(7)
    words = committed(np.stack([kind(chance, 30.0), kind(chance, 30.0)]), gate="webrtc")
    assert len(words["agent"] + words["caller"]) <= (5 if kind in (music, dialling) else 0)


def test_an_answer_of_one_short_word_is_heard(project: Path):
    """The one-word turns of a bundled call ("yes", "okay"), each of them alone on a quiet line."""
    call = project / "fixtures/audio/backchannels.flac"
    sound = at_8k(call)
    truth = load_truth(truth_beside(call))
    turns = [turn for turn in truth.utterances if " " not in turn.text and turn.text != "Mm-hm."]
    assert len(turns) >= 8
    assert all(turn.end - turn.start < 1.0 for turn in turns)
    quiet = 0.0003 * np.random.default_rng(2).standard_normal((2, 4 * len(turns) * RATE)).astype(np.float32)
    for n, turn in enumerate(turns):
        row = 1 if turn.channel == "agent" else 0
        piece = sound[row, round((turn.start - 0.1) * RATE) : round((turn.end + 0.1) * RATE)]
        quiet[0, (4 * n + 1) * RATE : (4 * n + 1) * RATE + piece.size] += piece
    heard = [(round((word.start - 1) / 4), key(word.text)) for word in committed(quiet)["agent"]]
    assert heard == [(n, key(turn.text)) for n, turn in enumerate(turns)]


def test_the_louder_side_is_told_by_its_level_in_that_stretch():
    loudness = ChannelLevels()
    pcm = np.zeros((2, 10 * RATE), np.float32)
    pcm[0, 2 * RATE : 4 * RATE] = 0.1
    pcm[1, 2 * RATE : 4 * RATE] = 0.01
    loudness.feed(0, pcm, RATE // 50)
    assert loudness.difference(0, 1, 2.0, 4.0) == pytest.approx(20.0, abs=0.1)
    assert loudness.difference(0, 1, 6.0, 7.0) == pytest.approx(0.0)
