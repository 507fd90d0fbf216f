"""Sounds whose pitch is known, as a telephone would carry them."""

from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

Sound = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]


def voice_like(hertz: Sound | float, seconds: float, rate: int, *, brightness: float = 0.0) -> Sound:
    """A harmonic sound with two formants; ``hertz`` is a pitch or one for each sample.

    ``brightness`` in dB lifts what is above 1 kHz, as more vocal effort does.
    """
    pitch = np.broadcast_to(np.asarray(hertz, float), (round(seconds * rate),))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = np.zeros(len(pitch))
    for harmonic in range(1, int(0.45 * rate / pitch.min())):
        at = harmonic * pitch
        formants = np.exp(-(((at - 600) / 250) ** 2)) + 0.4 * np.exp(-(((at - 1700) / 400) ** 2)) + 0.03
        lift = np.where(at > 1000, 10 ** (brightness / 20), 1.0)
        audible = at < 0.45 * rate
        sound += formants * lift * audible * np.cos(harmonic * phase + harmonic**2)
    return 0.1 * sound / np.sqrt(np.mean(np.square(sound)))


def telephone(sound: Floats) -> NDArray[np.float32]:
    """8 kHz sound through 300-3400 Hz and 8-bit mu-law (G.711)."""
    band = scipy.signal.firwin(401, [300, 3400], fs=8000, pass_zero=False)
    return mu_law(np.convolve(sound, band, "same"))


def mu_law(sound: Floats) -> NDArray[np.float32]:
    """Sound as it is after 8-bit mu-law."""
    small = np.sign(sound) * np.log1p(255 * np.minimum(np.abs(sound), 1)) / np.log(256)
    coded = np.round((small + 1) * 127.5) / 127.5 - 1
    return (np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255).astype(np.float32)


def noise(seconds: float, rate: int, dbfs: float) -> Sound:
    """White noise, the same each time."""
    return np.random.default_rng(7).standard_normal(round(seconds * rate)) * 10 ** (dbfs / 20)
