"""What one 20 ms frame sounds like: level, spectral balance, and its autocorrelation for the pitch.

One windowed spectrum a frame serves all three. The window is 46 ms (three periods of the lowest
pitch, Boersma 1993) around the middle of the frame, so a frame needs a little of its neighbours.

Frames are worked through in batches small enough that every array stays in the cache; each row is
computed by itself, so a frame's values do not depend on which others shared its batch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PITCH_RATE = 8000
"""Pitch is looked for in sound up to 4 kHz, whatever the call's rate: the same lags, half the work."""

WINDOW_SECONDS = 3 / 65
SPAN_SECONDS = 0.064
"""Length of the zero-padded transform: window plus longest lag, a power of two of samples."""

BATCH = 50
"""Frames worked through together. Larger arrays are handed back to the system and cost page faults."""

_PITCH_BINS = round(PITCH_RATE * SPAN_SECONDS) // 2 + 1
_SILENCE = 1e-12
"""Mean square under which a frame holds nothing (-120 dBFS)."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What the frames sound like, one row a frame.

    ``level`` is dB relative to an RMS of 1.0 (a full-scale sine reads -3), without DC; ``alpha`` is
    the energy above 1 kHz against that below in dB; ``sonorant`` is the level of 300-2500 Hz alone,
    where vowels lie. ``correlation`` [n, lags] is normalised: 1.0 is a perfect repetition.
    """

    level: Floats
    alpha: Floats
    sonorant: Floats
    correlation: Floats


class Analyser:
    """Turns windows of sound at ``rate`` (8000 or 16000) into ``Frames``; ``lags`` in samples at 8 kHz."""

    def __init__(self, rate: int, lags: int) -> None:
        self.hop = rate // 50
        self.reach = round(WINDOW_SECONDS * rate) // 2
        self._size = round(SPAN_SECONDS * rate)
        self._window = np.hanning(2 * self.reach + 3)[1:-1].astype(np.float32)
        self._mean_square = np.float32(2 / self._size / np.square(self._window).sum(dtype=np.float64))
        self._below, self._above = (50, 1000), (1000, 5000)
        if rate < 2 * PITCH_RATE:
            self._below, self._above = (200, 1000), (1000, 3400)
        self._lags = lags
        own = np.square(np.abs(np.fft.rfft(self._window, self._size)))[None, :_PITCH_BINS]
        own_correlation = np.fft.irfft(own, axis=1)[0, :lags]
        self._undo_window = (own_correlation[0] / own_correlation).astype(np.float32)

    def measure(self, windows: Floats) -> Frames:
        """The frames whose ``windows`` [n, 2 * reach + 1] these are; n up to ``BATCH``."""
        centred = windows - windows.mean(axis=1, keepdims=True)
        centred *= self._window
        spectrum = np.fft.rfft(centred, self._size)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        below, above = self._band(power, *self._below), self._band(power, *self._above)
        return Frames(
            level=self._level(power.sum(axis=1)),
            alpha=_decibels((above + _SILENCE) / (below + _SILENCE)),
            sonorant=self._level(self._band(power, 300, 2500)),
            correlation=self._correlation(power),
        )

    def _band(self, power: Floats, low: int, high: int) -> Floats:
        """The power between two frequencies in Hz."""
        first, last = round(low * SPAN_SECONDS), round(high * SPAN_SECONDS)
        return np.asarray(power[:, first:last].sum(axis=1))

    def _level(self, power: Floats) -> Floats:
        return _decibels(power * self._mean_square + _SILENCE)

    def _correlation(self, power: Floats) -> Floats:
        """Autocorrelation of the sound up to 4 kHz, freed of the window's own (Boersma 1993, eq. 9).

        Leaving out the bins above is an exact low-pass: 16 kHz sound needs no decimation filter.
        """
        raw = np.fft.irfft(power[:, :_PITCH_BINS].astype(np.complex64), axis=1)
        peak = np.maximum(raw[:, :1], np.finfo(np.float32).tiny)
        return np.ascontiguousarray(raw[:, : self._lags] / peak) * self._undo_window


def _decibels(ratio: Floats) -> Floats:
    return np.float32(10) * np.log10(ratio)
