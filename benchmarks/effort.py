"""Measures how well the effort score separates raised voices from calm and lively speech on the telephone.

    python -m benchmarks.effort                     vocoded voices, then every bundled call
    python -m benchmarks.effort --calm DIR          and the false alerts on real calm calls: pairs of
                                                    NAME_agent.wav and NAME_caller.wav

Each of six free synthetic voices says calm sentences, from which the monitor learns the baseline, and then
test sentences: calm ones, lively ones (higher pitch only, wider pitch range only, brighter only) and raised
ones (higher and brighter together, made with the WORLD vocoder). Every sentence is level-normalised, limited
to 300-3400 Hz, coded with mu-law and given a random gain of +-10 dB, so that its level carries no
information. The score of a sentence is the median of its events. AUC is the probability that a raised
sentence scores above another.
Needs flite and espeak-ng (Debian) and the ``dev`` extra.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import soxr
from numpy.typing import NDArray

from fixtures.making.voices import RATE, say
from monitor.audio.frames import FrameBlock
from monitor.audio.prosody import ProsodyAnalyser
from monitor.audio.vad import VoiceActivityDetector
from monitor.config import ProsodySettings, VadSettings
from monitor.events import CHANNELS
from monitor.events import Prosody as Sounded
from tests.audio.sounds import telephone

Sound = NDArray[np.float32]

VOICES = ("flite rms", "flite slt", "flite kal16", "espeak en-us", "espeak en-us+f2", "espeak en-us+f4")
CALM = (
    "Good morning, I have a question about my phone bill for the month of July.",
    "It was forty dollars in June, and now it is ninety dollars, and I do not know why.",
    "I have one phone and one plan, and I did not change anything at all in July.",
    "The router stands on the second floor, next to the window in my small office.",
)
TESTS = (
    "I never ordered a tablet, and now I have to pay for it!",
    "Somebody told me three times that it would be working today.",
    "I was on hold for an hour, and nobody helped me with it.",
    "Please look at my account again, and tell me what you see.",
)
# Semitones, dB above 2 kHz, how much wider the melody.
KINDS = {
    "calm": (0, 0, 1.0),
    "higher": (4, 0, 1.0),
    "wider": (1, 0, 1.6),
    "brighter": (0, 6, 1.0),
    "raised a little": (5, 5, 1.2),
    "raised": (8, 7, 1.25),
    "shouted": (11, 9, 1.3),
}
RAISED = ("raised a little", "raised", "shouted")
ALERT_HOLD, HINT_HOLD, RELEASE = 0.8, 0.3, 1.0
STEP_SECONDS = 0.1


def main() -> int:
    """Prints the scores by kind, the AUC, and the false alerts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calm", type=Path, help="a folder with real calm calls")
    args = parser.parse_args()
    scores, delays = vocoded()
    for kind, values in scores.items():
        above = 100 * np.mean(np.array(values) >= ProsodySettings().raised_threshold)
        print(f"{kind:16} score {np.median(values):5.2f}   at 1.0 or more {above:3.0f} %")
    usual = [score for kind, values in scores.items() if kind not in RAISED for score in values]
    raised = [score for kind in ("raised", "shouted") for score in scores[kind]]
    against_calm, against_all = auc(raised, scores["calm"]), auc(raised, usual)
    print(f"effort: AUC raised against calm {against_calm:.3f}, against calm and lively {against_all:.3f}")
    print(f"hint after {np.median(delays):.2f} s of a raised voice (median of {len(delays)})")
    for agent in sorted(args.calm.glob("*_agent.wav")) if args.calm else ():
        print(calm_call(agent, agent.with_name(agent.name.replace("_agent", "_caller"))))
    return 0


def vocoded() -> tuple[dict[str, list[float]], list[float]]:
    """The scores of each kind, one per sentence, and the delays of detected raised voices in seconds."""
    random = np.random.default_rng(5)
    scores, delays = defaultdict(list), []
    for voice in VOICES:
        calm = [_through(spoken(voice, text, "calm"), random) for text in CALM]
        for kind in KINDS:
            for text in TESTS:
                test = _through(spoken(voice, text, kind), random)
                begins = sum(len(part) for part in calm) / 8000
                told = events_of(np.concatenate([*calm, test]))
                now = [event for event in told if event.at > begins and event.effort is not None]
                scores[kind].append(float(np.median([event.effort for event in now])))
                hints = raised_from(now, HINT_HOLD)
                delays += [hints[0] - begins] if kind in RAISED[1:] and hints else []
    return dict(scores), delays


def spoken(voice: str, text: str, kind: str) -> Sound:
    """A sentence at 16 kHz with the effort of ``kind``."""
    semitones, tilt, wider = KINDS[kind]
    pcm = say(voice, text).pcm.astype(np.float64)
    pitch, times = pyworld.dio(pcm, RATE, f0_floor=65, f0_ceil=400)
    pitch = pyworld.stonemask(pcm, pitch, times, RATE)
    envelope = pyworld.cheaptrick(pcm, pitch, times, RATE)
    rough = pyworld.d4c(pcm, pitch, times, RATE)
    middle = np.exp(np.median(np.log(pitch[pitch > 0])))
    moved = np.zeros_like(pitch)
    melody = (pitch[pitch > 0] / middle) ** wider
    moved[pitch > 0] = (middle * melody * 2 ** (semitones / 12)).clip(65, 550)
    octaves = np.log2(np.maximum(np.linspace(0, RATE / 2, envelope.shape[1]), 1) / 500) / 2
    return np.asarray(
        pyworld.synthesize(moved, envelope * 10 ** (tilt * octaves.clip(0, 1) / 10), rough, RATE)
    )


def _through(sound: Sound, random: np.random.Generator) -> Sound:
    """Simulates the telephone: normalised level, random gain, band limit and mu-law; whole frames."""
    even = soxr.resample(sound, RATE, 8000)
    even *= 10 ** (random.uniform(-32, -12) / 20) / np.sqrt(np.mean(np.square(even)))
    heard = telephone(even)
    return heard[: heard.size // 160 * 160]


def events_of(caller: Sound, agent: Sound | None = None) -> list[Sounded]:
    """The monitor's events for the voices, with its own voice activity detection."""
    frames = caller.size // 160
    silent = np.zeros(frames * 160, np.float32)
    both = [silent if side is None else side[: frames * 160] for side in (agent, caller)]
    run = FrameBlock(0, np.ascontiguousarray(np.stack(both)), 8000)
    stage = ProsodyAnalyser(8000, ProsodySettings())
    return [*stage.feed(run, VoiceActivityDetector(8000, VadSettings()).feed(run).active), *stage.finish()]


def raised_from(told: list[Sounded], hold: float) -> list[float]:
    """Times at which the score had been at least 1.0 for ``hold`` voiced seconds (reset by 1 s below 0.5)."""
    begun, over, under, raised = [], 0.0, 0.0, False
    for event in told:
        score, voiced = event.effort or 0.0, event.voiced * STEP_SECONDS
        if raised:
            under = under + voiced if score < ProsodySettings().lowered_threshold else 0.0
            raised = under < RELEASE
        else:
            over = over + voiced if score >= ProsodySettings().raised_threshold else 0.0
            if over >= hold - 1e-6:
                begun.append(event.detected_at)
                over, under, raised = 0.0, 0.0, True
    return begun


def calm_call(agent: Path, caller: Path) -> str:
    """The false detections and alerts on a real calm call, as text."""
    sides = [soundfile.read(path, dtype="float32")[0] for path in (agent, caller)]
    size = min(side.size for side in sides)
    told = events_of(sides[1][:size], sides[0][:size])
    found = []
    for name, hold in (("hints", HINT_HOLD), ("alerts", ALERT_HOLD)):
        times = [at for side in CHANNELS for at in raised_from([e for e in told if e.channel == side], hold)]
        found.append(f"{len(times)} false {name} ({len(times) / (size / 8000 / 60):.2f} a minute)")
    return f"{agent.name}: {size / 8000:.0f} s of both sides, {', '.join(found)}"


def auc(higher: list[float], lower: list[float]) -> float:
    """The probability that a value of ``higher`` exceeds one of ``lower``; ties count half."""
    first, second = np.array(higher)[:, None], np.array(lower)[None]
    return float(np.mean(first > second) + np.mean(first == second) / 2)


if __name__ == "__main__":
    sys.exit(main())
