# ruff: noqa: S311 - chance for data, not for secrets
"""Rooms, microphones, noise and the telephone: what happens to clean speech on its way."""

from __future__ import annotations

import random

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, resample_poly, sosfilt

from .features import MELS
from .utterance import SAMPLE_RATE

#: Shares of clips.
CLEAN_SHARE = 0.45
TELEPHONE_SHARE = 0.53
SPEAKER_SHARE = 0.5
#: Vocal tracts, in hundredths of the speaker's own, and the size of a timbre's waves (log10 of power).
WARPS, TIMBRE = (90, 112), 0.22


def decibels(value: float) -> float:
    """Amplitude factor of a level in dB."""
    return float(10 ** (value / 20))


def peak(audio: np.ndarray) -> np.ndarray:
    """The audio with a peak of 1."""
    scaled: np.ndarray = audio / (np.abs(audio).max() + 1e-6)
    return scaled


def noise(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit-variance noise, white or with a falling spectrum."""
    samples = rng.standard_normal(count).astype(np.float32)
    if rng.random() < 0.5:
        samples = lfilter([1], [1, -rng.uniform(0.5, 0.97)], samples)
    even: np.ndarray = samples / (samples.std() + 1e-9)
    return even.astype(np.float32)


def room(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A short artificial reverberation."""
    count = int(SAMPLE_RATE * rng.uniform(0.06, 0.35))
    response = rng.standard_normal(count).astype(np.float32)
    response *= np.exp(-6.9 * np.arange(count) / count) * rng.uniform(0.02, 0.12)
    response[0] = 1.0
    reverberant: np.ndarray = fftconvolve(audio, response)
    return reverberant[: len(audio)].astype(np.float32)


def coloured(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A microphone's tilt: some lows or highs added or taken away."""
    kind = "low" if rng.random() < 0.5 else "high"
    b, a = butter(1, rng.uniform(300, 3000) / (SAMPLE_RATE / 2), kind)
    tilted: np.ndarray = audio + rng.uniform(-0.45, 1.2) * lfilter(b, a, audio)
    return tilted


def mu_law(audio: np.ndarray) -> np.ndarray:
    """Through 8-bit mu-law and back."""
    audio = audio.astype(np.float32)
    logarithm = np.float32(np.log(256))
    level = np.round(np.log1p(255 * np.abs(audio)) / logarithm * 127) / 127
    decoded: np.ndarray = np.sign(audio) * (np.exp(level * logarithm) - 1) / 255
    return decoded


def telephone(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """8 kHz, often band-passed, mu-law, and back to 16 kHz."""
    narrow = resample_poly(audio, 1, 2)
    if rng.random() < 0.6:
        band = [rng.uniform(100, 330), rng.uniform(3150, 3750)]
        narrow = sosfilt(butter(2, band, "band", fs=8000, output="sos"), narrow)
    narrow = mu_law(peak(narrow) * rng.uniform(0.12, 0.99))
    wide: np.ndarray = resample_poly(narrow, 2, 1)
    return wide.astype(np.float32)


def noisy(audio: np.ndarray, rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Noise at a speech-to-noise ratio between `low` and `high` dB."""
    level = (audio.std() + 1e-5) * decibels(-rng.uniform(low, high))
    mixed: np.ndarray = audio + noise(rng, len(audio)) * level
    return mixed


def babble(audio: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Somebody else faintly in the background."""
    return peak(audio) + peak(np.resize(other, len(audio))) * decibels(-rng.uniform(14, 28))


def speaker(rng: random.Random) -> tuple[float, np.ndarray | None]:
    """Another vocal tract and another timbre (slow waves over the mel bands), or neither.

    Both for `features.log_mel`; the time scale and the labels stay as they are.
    """
    if rng.random() >= SPEAKER_SHARE:
        return 1.0, None
    bands = np.linspace(0, np.pi, MELS)
    curve = sum(rng.gauss(0, TIMBRE) * np.cos(wave * bands) for wave in range(1, 5))
    return rng.randint(*WARPS) / 100, np.asarray(curve, np.float32)


def augmented(audio: np.ndarray, seed: int, other: np.ndarray | None = None) -> np.ndarray:
    """One random treatment; `other` is unrelated speech for the background."""
    rng, plan = np.random.default_rng(seed), random.Random(seed)
    audio = audio.astype(np.float32)
    if plan.random() >= CLEAN_SHARE:
        if plan.random() < 0.25:
            audio = room(audio, rng)
        if plan.random() < 0.4:
            audio = coloured(audio, rng)
        if other is not None and plan.random() < 0.08:
            audio = babble(audio, other, rng)
        if plan.random() < 0.85:
            audio = noisy(audio, rng, 13, 45)
    elif plan.random() < 0.6:
        audio = noisy(audio, rng, 35, 65)
    if plan.random() < TELEPHONE_SHARE:
        audio = telephone(audio, rng)
    return (peak(audio) * decibels(-plan.uniform(1, 22))).astype(np.float32)
