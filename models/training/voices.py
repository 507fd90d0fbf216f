"""Which voice speaks a sentence, and how its sound is brought to one form.

The voices, and those held out of training, are listed in `text/voices.txt`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from scipy.signal import resample

from .espeak import Espeak
from .flite import Flite
from .grammar import lists
from .utterance import SAMPLE_RATE, Utterance, retimed

FLITE_SHARE = 0.55
#: Mean pitch in Hz, as it is and varied.
FLITE_PITCH = {"slt": (150.0, 235.0), "rms": (75.0, 150.0)}
DEFAULT_FLITE_PITCH = (80.0, 145.0)


@dataclass(frozen=True)
class Casting:
    """A voice with its settings, and the speed at which its sound is played.

    Playing faster moves pitch, formants and tempo together, as a new speaker would.
    """

    engine: str
    name: str
    rate: float
    pitch: float
    span: float
    speed: float

    @property
    def label(self) -> str:
        """Name for tables: "flite-rms", "en-us+f3"."""
        return f"flite-{self.name}" if self.engine == "flite" else self.name


def cast(rng: random.Random, held: bool) -> Casting:
    """Draw a voice: among the held-out ones, or among those of the training set."""
    voices, prefix = lists("voices"), "held " if held else ""
    speed = rng.choice([1.0, rng.uniform(0.86, 1.17)])
    if rng.random() < FLITE_SHARE:
        name = rng.choice(voices[prefix + "flite"])
        low, high = FLITE_PITCH.get(name, DEFAULT_FLITE_PITCH)
        pitch = rng.choice([(low + high) / 2, rng.uniform(low, high)])
        return Casting("flite", name, rng.uniform(0.78, 1.22), pitch, 0.0, speed)
    accent = rng.choice(voices[prefix + "espeak accents"])
    variant = rng.choice(voices[prefix + "espeak variants"])
    pitch = min(95.0, max(5.0, rng.gauss(50, 18)))
    span = min(95.0, max(10.0, rng.gauss(52, 18)))
    return Casting("espeak", f"{accent}+{variant}", rng.gauss(170, 24), pitch, span, speed)


class Speaker:
    """Both synthesisers behind one call."""

    def __init__(self) -> None:
        self._espeak, self._flite = Espeak(), Flite()

    def say(self, text: str, casting: Casting) -> Utterance | None:
        """Speak at 16 kHz, trimmed to the speech; None when the words cannot be placed."""
        if casting.engine == "flite":
            spoken = self._flite.speak(text, casting.name, casting.rate, casting.pitch)
            rate = SAMPLE_RATE
        else:
            spoken = self._espeak.speak(text, casting.name, casting.rate, casting.pitch, casting.span)
            rate = self._espeak.rate
        if spoken is None or len(spoken.audio) < SAMPLE_RATE // 20:
            return None
        return trimmed(played(spoken, rate, casting.speed))


def played(spoken: Utterance, rate: int, speed: float) -> Utterance:
    """Resample to 16 kHz, `speed` times faster."""
    factor = 1.0 / speed
    count = int(len(spoken.audio) * SAMPLE_RATE / rate * factor)
    result = retimed(spoken, factor)
    if count != len(spoken.audio):
        padded = _smooth_length(spoken.audio)
        grown = int(len(padded) * SAMPLE_RATE / rate * factor)
        result.audio = resample(padded, grown)[:count].astype(np.float32)
    return result


def _smooth_length(audio: np.ndarray, block: int = 2000) -> np.ndarray:
    """Zero-pad to a length whose Fourier transform is quick."""
    return np.pad(audio, (0, -len(audio) % block))


def trimmed(utterance: Utterance, threshold: float = 0.01) -> Utterance:
    """Cut leading and trailing silence and bring the peak to 1."""
    level = np.abs(utterance.audio)
    loud = np.flatnonzero(level > threshold * level.max())
    if len(loud) == 0:
        return utterance
    first, last = loud[0], loud[-1] + 1
    result = retimed(utterance, 1.0, -first / SAMPLE_RATE)
    result.audio = utterance.audio[first:last] / (level.max() + 1e-9)
    return result
