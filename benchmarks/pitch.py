"""Compares accuracy and speed of the pitch tracker with librosa's YIN and pYIN and, if installed, openSMILE.

    python -m benchmarks.pitch            all trackers
    python -m benchmarks.pitch --quick    without pYIN, fewer sentences

Speech of free synthetic voices is resynthesised by the WORLD vocoder with an exactly known pitch: lower,
unchanged, higher, and shouted (ten semitones up, and brighter). Each tracker gets it at 8 kHz clean,
through a telephone (300-3400 Hz, mu-law), and through a telephone with pink noise 15 dB below the speech. A
gross error is a pitch wrong by more than 20 % in a frame that is voiced for both. Needs flite and espeak-ng
(Debian) and the ``dev`` extra; ``pip install opensmile`` adds openSMILE's pitch and loudness to the
comparison.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyworld
import soxr
from numpy.typing import NDArray

from fixtures.making.voices import RATE, say
from monitor.audio.features import VoiceAnalyser
from monitor.audio.frames import FrameBlock
from tests.audio.sounds import telephone

Sound = NDArray[np.float32]
Track = Callable[[Sound], NDArray[np.float64]]

VOICES = ("flite rms", "flite slt", "flite kal16", "espeak en-us", "espeak en-us+f2", "espeak en-us+f4")
SENTENCES = (
    "I never ordered a tablet, and now I have to pay for it every month.",
    "Good morning, this is Julia from the billing department, how may I help you today?",
)
# Name, semitones, dB above 2 kHz, how much wider the melody.
EFFORTS = (("low", -4, 0, 0.8), ("own", 0, 0, 1.0), ("high", 5, 4, 1.2), ("shouted", 10, 9, 1.25))
PERIOD = 0.005
REPEATS = 3


@dataclass(frozen=True)
class Known:
    """A sound at 8 kHz, and its pitch in the middle of each 20 ms (NaN where unvoiced)."""

    sound: Sound
    pitch: NDArray[np.float64]


def main() -> int:
    """Prints a table of errors and a line of ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="without pYIN, and half the sentences")
    args = parser.parse_args()
    clear = [
        known
        for voice in VOICES
        for text in SENTENCES[: 1 if args.quick else 2]
        for known in spoken(voice, text)
    ]
    lines = {
        "8 kHz": [Known(_even(known.sound), known.pitch) for known in clear],
        "telephone": [Known(telephone(_even(known.sound)), known.pitch) for known in clear],
        "noisy telephone": [
            Known(telephone(_even(known.sound + _pink(known.sound))), known.pitch) for known in clear
        ],
    }
    trackers = _trackers(quick=args.quick)
    heard = sum(known.sound.size for known in clear) / 8000
    print(f"{heard:.0f} s of speech; gross errors, voiced frames found")
    for line, sounds in lines.items():
        print(
            f"{line:16}",
            *(f"  {name} {errors(track, sounds)}" for name, track in trackers.items()),
            flush=True,
        )
    costs = {name: cost(track, lines["telephone"]) for name, track in trackers.items()}
    print(
        "CPU per second of speech:",
        ", ".join(f"{name} {1e3 * spent:.2f} ms" for name, spent in costs.items()),
    )
    ratios = [
        f"{spent / costs['monitor']:.1f} x faster than {name}"
        for name, spent in costs.items()
        if name != "monitor"
    ]
    print("pitch:", ", ".join(ratios))
    return 0


def spoken(voice: str, text: str) -> list[Known]:
    """The sentence with each effort, its pitch known."""
    pcm = say(voice, text).pcm.astype(np.float64)
    pitch, times = pyworld.harvest(pcm, RATE, frame_period=1000 * PERIOD, f0_floor=65, f0_ceil=500)
    envelope = pyworld.cheaptrick(pcm, pitch, times, RATE)
    rough = pyworld.d4c(pcm, pitch, times, RATE)
    middle = np.exp(np.median(np.log(pitch[pitch > 0])))
    octaves = np.log2(np.maximum(np.linspace(0, RATE / 2, envelope.shape[1]), 1) / 500) / 2
    made = []
    for _, semitones, tilt, wider in EFFORTS:
        moved = np.zeros_like(pitch)
        moved[pitch > 0] = middle * (pitch[pitch > 0] / middle) ** wider * 2 ** (semitones / 12)
        moved[pitch > 0] = moved[pitch > 0].clip(70, 420)
        lift = 10 ** (tilt * octaves.clip(0, 1) / 10)
        sound = pyworld.synthesize(moved, envelope * lift, rough, RATE, 1000 * PERIOD)
        made.append(Known(soxr.resample(sound, RATE, 8000), _each_frame(moved)))
    return made


def _each_frame(pitch: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pitch in the middle of each 20 ms, if the voice sounds for 10 ms to either side."""
    middle = np.arange(2, len(pitch) - 2, 4)
    voiced = (pitch[middle - 2] > 0) & (pitch[middle] > 0) & (pitch[middle + 2] > 0)
    return np.where(voiced, pitch[middle], np.nan)


def _even(sound: Sound) -> Sound:
    return np.asarray(0.08 * sound / np.sqrt(np.mean(np.square(sound))), np.float32)


def _pink(sound: Sound) -> Sound:
    """Pink noise 15 dB under the speech, the same each time."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(sound.size))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), sound.size)
    return np.asarray(
        noise * np.sqrt(np.mean(np.square(sound)) / np.mean(np.square(noise))) * 10 ** (-15 / 20)
    )


def ours(sound: Sound) -> NDArray[np.float64]:
    """The monitor's own pitch."""
    frames = sound.size // 160
    active = np.zeros((2, frames), bool)
    active[0] = True
    voice = VoiceAnalyser(8000, 65, 600)
    run = FrameBlock(0, np.stack([sound[: frames * 160], np.zeros(frames * 160, np.float32)]), 8000)
    portions = [*voice.feed(run, active), *voice.finish()]
    return 2.0 ** np.concatenate([portion.octave[0] for portion in portions]).astype(float)


def _trackers(*, quick: bool) -> dict[str, Track]:
    import librosa

    def yin(sound: Sound) -> NDArray[np.float64]:
        return np.asarray(
            librosa.yin(sound, fmin=65, fmax=600, sr=8000, frame_length=512, hop_length=80)[1::2]
        )

    def pyin(sound: Sound) -> NDArray[np.float64]:
        hertz, voiced, _ = librosa.pyin(sound, fmin=65, fmax=600, sr=8000, frame_length=512, hop_length=80)
        return np.where(voiced, hertz, np.nan)[1::2]

    trackers: dict[str, Track] = {"monitor": ours, "librosa.yin": yin}
    if not quick:
        trackers["librosa.pyin"] = pyin
    if importlib.util.find_spec("opensmile"):
        trackers["openSMILE"] = _opensmile()
    return trackers


def _opensmile() -> Track:
    """GeMAPS' low-level descriptors: pitch in semitones from 27.5 Hz each 10 ms, and loudness beside it."""
    import opensmile

    smile = opensmile.Smile(opensmile.FeatureSet.GeMAPSv01b, opensmile.FeatureLevel.LowLevelDescriptors)
    column = "F0semitoneFrom27.5Hz_sma3nz"

    def track(sound: Sound) -> NDArray[np.float64]:
        semitones = smile.process_signal(sound, 8000)[column].to_numpy()
        # Its first window is 60 ms long: the middle of its frame n is at 30 + 10 n ms, of ours at 10 + 20 n.
        return np.concatenate([[np.nan], np.where(semitones > 0, 27.5 * 2 ** (semitones / 12), np.nan)[::2]])

    return track


def errors(track: Track, sounds: list[Known]) -> str:
    """Share of gross errors, and of the voiced frames that were found voiced."""
    wrong = both = voiced = 0
    for known in sounds:
        found = track(known.sound)
        frames = min(len(found), len(known.pitch))
        ratio = found[:frames] / known.pitch[:frames]
        ratio = ratio[~np.isnan(ratio)]
        wrong, both = wrong + int(np.sum(np.abs(ratio - 1) > 0.2)), both + ratio.size
        voiced += int(np.sum(~np.isnan(known.pitch[:frames])))
    return f"{100 * wrong / both:5.2f} % of {100 * both / voiced:3.0f} %"


def cost(track: Track, sounds: list[Known]) -> float:
    """CPU seconds per second of speech, the median of repeats."""
    whole = np.concatenate([known.sound for known in sounds])[: 15 * 8000]
    track(whole[:16000])
    spent = []
    for _ in range(REPEATS):
        start = time.process_time()
        track(whole)
        spent.append(time.process_time() - start)
    return sorted(spent)[REPEATS // 2] / (whole.size / 8000)


if __name__ == "__main__":
    sys.exit(main())
