"""Log-mel features, the same as Whisper's (80 bins, 25 ms windows every 10 ms)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import rfft

from .utterance import SAMPLE_RATE

MELS, FFT, HOP = 80, 400, 160
FRAMES_PER_SECOND = SAMPLE_RATE // HOP


def _hertz_to_mel(hertz: np.ndarray) -> np.ndarray:
    """Slaney's scale: linear up to 1 kHz, logarithmic above."""
    linear = hertz * 3 / 200
    logarithmic = 15 + np.log(np.maximum(hertz, 1e-9) / 1000) / (np.log(6.4) / 27)
    return np.where(hertz < 1000, linear, logarithmic)


def _mel_to_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


@lru_cache(maxsize=64)
def mel_filters(warp: float = 1.0) -> np.ndarray:
    """Triangular filters of equal area, shape (bins of the spectrum, MELS).

    With `warp` above 1 every frequency counts as one so many times higher: a shorter vocal tract
    (vocal tract length perturbation, Jaitly and Hinton 2013).
    """
    spectrum = np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1) * warp
    top = _hertz_to_mel(np.array([SAMPLE_RATE / 2]))[0]
    corners = _mel_to_hertz(np.linspace(0, top, MELS + 2))
    slopes = corners[:, None] - spectrum[None]
    widths = np.diff(corners)
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    filters: np.ndarray = np.maximum(0, np.minimum(rising, falling))
    filters *= (2 / (corners[2:] - corners[:-2]))[:, None]
    return filters.T.astype(np.float32)


def log_mel(audio: np.ndarray, warp: float = 1.0, curve: np.ndarray | None = None) -> np.ndarray:
    """(frames, MELS): one frame per full hop of the audio.

    In training another speaker is imitated by `warp` and by `curve`, one number per band that is added
    to the logarithm (base 10) of its power.
    """
    frames = len(audio) // HOP
    padded = np.pad(np.pad(audio.astype(np.float32), (0, HOP)), FFT // 2, mode="reflect")
    strides = (padded.strides[0] * HOP, padded.strides[0])
    windows = np.lib.stride_tricks.as_strided(padded, (frames, FFT), strides)
    hann = np.hanning(FFT + 1)[:-1].astype(np.float32)
    power = np.abs(rfft(windows * hann, axis=1)) ** 2
    logarithm: np.ndarray = np.log10(np.maximum(power @ mel_filters(warp), 1e-10))
    if curve is not None:
        logarithm = logarithm + curve
    logarithm = np.maximum(logarithm, logarithm.max() - 8.0)
    return ((logarithm + 4.0) / 4.0).astype(np.float32)
