"""Which voice speaks a sentence, and how its sound is brought to one form.

The voices, and those held out of training, are listed in `text/voices.txt`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.signal import resample

from .espeak import Espeak
from .festival import Festival
from .flite import Flite
from .grammar import lists
from .rhvoice import RHVoice
from .utterance import SAMPLE_RATE, Utterance, retimed

#: How often each synthesiser speaks in training; those not installed leave theirs to the others.
SHARES = {"espeak": 0.42, "flite": 0.33, "rhvoice": 0.15, "festival": 0.1}
#: The unseen voices are of two synthesisers only.
HELD_FLITE_SHARE = 0.55
#: Mean pitch in Hz, as it is and varied.
FLITE_PITCH = {"slt": (150.0, 235.0), "rms": (75.0, 150.0)}
DEFAULT_FLITE_PITCH = (80.0, 145.0)
#: Of the synthesisers whose voices share a range: a factor for RHVoice, Hz for festival.
PITCHES = {"rhvoice": (0.85, 1.15), "festival": (80.0, 145.0)}
#: Standard deviation of festival's pitch in Hz.
PITCH_SPAN = (8.0, 30.0)
log = logging.getLogger(__name__)
Engine = TypeVar("Engine")


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
        return self.name if self.engine == "espeak" else f"{self.engine}-{self.name}"


def cast(rng: random.Random, held: bool, engines: Sequence[str] = ("espeak", "flite")) -> Casting:
    """Draw a voice: among the held-out ones, or among those of the training set."""
    speed = rng.choice([1.0, rng.uniform(0.86, 1.17)])
    if held:
        engine = "flite" if rng.random() < HELD_FLITE_SHARE else "espeak"
    else:
        engine = rng.choices(engines, [SHARES[name] for name in engines])[0]
    prefix = "held " if held else ""
    return _espeak(rng, prefix, speed) if engine == "espeak" else _recorded(rng, engine, prefix, speed)


def _espeak(rng: random.Random, prefix: str, speed: float) -> Casting:
    """An accent and a variant of espeak-ng."""
    voices = lists("voices")
    accent = rng.choice(voices[prefix + "espeak accents"])
    variant = rng.choice(voices[prefix + "espeak variants"])
    pitch = min(95.0, max(5.0, rng.gauss(50, 18)))
    span = min(95.0, max(10.0, rng.gauss(52, 18)))
    return Casting("espeak", f"{accent}+{variant}", rng.gauss(170, 24), pitch, span, speed)


def _recorded(rng: random.Random, engine: str, prefix: str, speed: float) -> Casting:
    """A voice that was made from a speaker's recordings."""
    name = rng.choice(lists("voices")[prefix + engine])
    low, high = PITCHES.get(engine, FLITE_PITCH.get(name, DEFAULT_FLITE_PITCH))
    pitch = rng.choice([(low + high) / 2, rng.uniform(low, high)])
    span = rng.uniform(*PITCH_SPAN) if engine == "festival" else 0.0
    return Casting(engine, name, rng.uniform(0.78, 1.22), pitch, span, speed)


class Speaker:
    """All synthesisers that are installed behind one call; espeak-ng and flite have to be."""

    def __init__(self) -> None:
        self._espeak, self._flite = Espeak(), Flite()
        self._rhvoice, self._festival = _optional(RHVoice), _optional(Festival)
        optional = {"rhvoice": self._rhvoice, "festival": self._festival}
        #: The synthesisers that can be cast.
        self.engines = ("espeak", "flite", *(name for name, engine in optional.items() if engine))
        for name in sorted(optional.keys() - self.engines):
            log.warning("%s is not installed: its voices are left out", name)

    def say(self, text: str, casting: Casting) -> Utterance | None:
        """Speak at 16 kHz, trimmed to the speech; None when the words cannot be placed."""
        spoken, rate = self._spoken(text, casting)
        if spoken is None or len(spoken.audio) < SAMPLE_RATE // 20:
            return None
        return trimmed(played(spoken, rate, casting.speed))

    def _spoken(self, text: str, casting: Casting) -> tuple[Utterance | None, int]:
        """As the synthesiser gives it, and its sample rate."""
        name, rate, pitch, span = casting.name, casting.rate, casting.pitch, casting.span
        if casting.engine == "flite":
            return self._flite.speak(text, name, rate, pitch), SAMPLE_RATE
        if casting.engine == "festival" and self._festival:
            return self._festival.speak(text, name, rate, pitch, span), SAMPLE_RATE
        if casting.engine == "rhvoice" and self._rhvoice:
            return self._rhvoice.speak(text, name, rate, pitch), self._rhvoice.rate
        return self._espeak.speak(text, name, rate, pitch, span), self._espeak.rate


def _optional(engine: type[Engine]) -> Engine | None:
    """A synthesiser, or None where it is not installed."""
    try:
        return engine()
    except OSError:
        return None


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
