"""Real calls, meetings and echoes: voice activity, quality and talk-over against what people heard."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from monitor.audio.frames import FrameBlock
from monitor.audio.overlap import OverlapTracker
from monitor.audio.quality import QualityMonitor
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import OverlapSettings, QualitySettings, VadSettings
from monitor.events import Event, Interruption, OverlapStarted, TalkOver
from tests.audio.voices import Sound, echo

sf = pytest.importorskip("soundfile")

AGENT, CALLER = 0, 1
CALL = "Auto_Repairs_40_UTC"
TAKES = ("take-0149", "take-0772", "take-0913")
BACKCHANNELS = ("bc-0859", "bc-1049", "bc-1114")
ECHOES = {
    "far end": "9mkQhVtzTEy2hDk-6u2Sww_farend_singletalk",
    "near end": "DLhjtuwiEkS-68TsUVvW5g_nearend_singletalk",
    "double talk": "DMTgmZwtgUilp4omPK7-OQ_doubletalk",
}


@dataclass
class Told:
    """What was found in one recording."""

    before: np.ndarray
    active: np.ndarray
    events: list[Event]

    @property
    def alerts(self) -> list[Event]:
        return [e for e in self.events if isinstance(e, Interruption | TalkOver)]


def hear(pcm: Sound, rate: int) -> Told:
    frames = pcm.shape[1] // (rate // 50)
    run = FrameBlock(0, np.ascontiguousarray(pcm[:, : frames * (rate // 50)]), rate)
    before = VoiceActivityDetector(rate, VadSettings()).feed(run).active
    cleaned = QualityMonitor(rate, QualitySettings()).feed(run, before)
    stage = OverlapTracker(OverlapSettings())
    events = stage.feed(0, cleaned.active, cleaned.suppressed) + stage.finish(frames)
    return Told(before, cleaned.active, cleaned.events + events)


def read(path: Path) -> tuple[Sound, int]:
    if not path.exists():
        pytest.skip(f"the recording {path.name} is not beside this checkout")
    sound, rate = sf.read(path, dtype="float32", always_2d=True)
    return sound.T, rate


@pytest.fixture(scope="module")
def calm(shared_audio: Path) -> tuple[Sound, int]:
    agent, rate = read(shared_audio / f"{CALL}_agent.wav")
    caller, _ = read(shared_audio / f"{CALL}_caller.wav")
    return np.concatenate([agent, caller]), rate


def clip(shared_audio: Path, name: str) -> tuple[Sound, int]:
    """A meeting clip; its first channel is who comes in, there called the caller."""
    pcm, rate = read(shared_audio / "clips" / f"ami-en2002b-{name}.example.wav")
    return pcm[::-1], rate


def test_nobody_is_interrupted_in_a_calm_call(calm):
    assert hear(*calm).alerts == []


@pytest.mark.parametrize(("db", "into"), [(-12, (0, 1)), (-20, (0,)), (-20, (0, 1)), (-30, (0, 1))])
def test_an_echo_of_the_other_side_interrupts_nobody(calm, db, into):
    pcm, rate = calm
    mixed = pcm.copy()
    for row in into:
        mixed[row] += echo(pcm[1 - row], rate, db)
    told = hear(mixed, rate)
    assert told.alerts == []
    assert told.active.all(axis=0).mean() < 0.02


def test_the_dead_air_of_the_calm_call_is_visible(calm):
    silent = ~hear(*calm).active.any(axis=0)
    assert silent[round(84.0 * 50) : round(87.0 * 50)].all()


@pytest.mark.parametrize("name", TAKES)
def test_who_takes_the_floor_in_a_meeting_interrupts(shared_audio, name):
    told = hear(*clip(shared_audio, name))
    taken = [e for e in told.alerts if isinstance(e, Interruption) and e.by == "caller"]
    assert [round(e.start) for e in taken] == [3]
    assert taken[0].at - 3.0 <= 1.9
    hint = next(e for e in told.events if isinstance(e, OverlapStarted))
    assert hint.at - 3.0 <= 0.35


@pytest.mark.parametrize("name", BACKCHANNELS)
def test_who_only_says_mm_hm_in_a_meeting_interrupts_nobody(shared_audio, name):
    told = hear(*clip(shared_audio, name))
    assert [e for e in told.alerts if e.by == "caller"] == []


@pytest.mark.parametrize(
    ("name", "least", "most"), [("far end", 0, 0.05), ("near end", 0.85, 1), ("double talk", 0.6, 1)]
)
def test_a_microphone_keeps_its_own_speech_only(shared_audio, name, least, most):
    mic, rate = read(shared_audio / "echo" / f"{ECHOES[name]}_mic.wav")
    far, _ = read(shared_audio / "echo" / f"{ECHOES[name]}_lpb.wav")
    size = min(mic.shape[1], far.shape[1])
    told = hear(np.concatenate([mic[:, :size], far[:, :size]]), rate)
    kept = told.active[AGENT].sum() / told.before[AGENT].sum()
    assert least <= kept <= most


def test_a_loudspeaker_in_the_microphone_is_told(shared_audio):
    mic, rate = read(shared_audio / "echo" / f"{ECHOES['far end']}_mic.wav")
    far, _ = read(shared_audio / "echo" / f"{ECHOES['far end']}_lpb.wav")
    size = min(mic.shape[1], far.shape[1])
    told = hear(np.concatenate([mic[:, :size], far[:, :size]]), rate)
    assert [(e.kind, e.channel) for e in told.events if e.name == "quality"] == [("crosstalk", "agent")]
