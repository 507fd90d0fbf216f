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
"""Frames worked through together. Larger arrays go back to the system and cost page faults each time."""

_PITCH_BINS = round(PITCH_RATE * SPAN_SECONDS) // 2 + 1
_LEAST = np.float32(1e-20)
"""Stands for zero where something is divided by it."""
_SILENCE = np.float32(1e-12)
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
    """Turns windows of sound at ``rate`` (8000 or 16000) into ``Frames``; ``lags`` in samples at 8 kHz.

    The alpha ratio is 1-5 kHz against 50-1000 Hz, and in the telephone band 1-3.4 kHz against
    200-1000 Hz (Nordenberg and Sundberg 2004; the band cut to what a telephone carries).
    """

    def __init__(self, rate: int, lags: int) -> None:
        reach = round(WINDOW_SECONDS * rate) // 2
        self._size = round(SPAN_SECONDS * rate)
        self._window = np.hanning(2 * reach + 3)[1:-1].astype(np.float32)
        self._before = rate // 100 - reach
        self._offsets = np.arange(2 * reach + 1)
        self._mean_square = np.float32(2 / self._size / np.square(self._window).sum(dtype=np.float64))
        below, above = ((50, 1000), (1000, 5000)) if rate >= 2 * PITCH_RATE else ((200, 1000), (1000, 3400))
        self._bands = [
            slice(round(low * SPAN_SECONDS), round(high * SPAN_SECONDS))
            for low, high in ((0, rate // 2), above, below, (300, 2500))
        ]
        self._lags = lags
        # Fading the bins out from 1 to 3.5 kHz rounds the peaks, so that those between two lags count too.
        fade = np.clip((np.arange(_PITCH_BINS) / SPAN_SECONDS - 1000) / 2500, 0, 1)
        self._taper = (0.5 + 0.5 * np.cos(np.pi * fade)).astype(np.float32)
        own = np.fft.irfft(np.abs(np.fft.rfft(self._window, self._size))[:_PITCH_BINS] * self._taper)[:lags]
        self._undo_window = (own[0] / own).astype(np.float32)

    def windows(self, sound: Floats, starts: NDArray[np.intp]) -> Floats:
        """The windows around frames that begin at ``starts`` in ``sound`` read as one flat row."""
        return np.asarray(sound.ravel()[(starts + self._before)[:, None] + self._offsets])

    def measure(self, windows: Floats) -> Frames:
        """The frames whose ``windows`` these are; at most ``BATCH``."""
        windows -= np.add.reduce(windows, axis=1, keepdims=True) / np.float32(windows.shape[1])
        windows *= self._window
        spectrum = np.fft.rfft(windows, self._size)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        levels = np.empty((len(self._bands), len(windows)), np.float32)
        for level, band in zip(levels, self._bands, strict=True):
            np.add.reduce(power[:, band], axis=1, out=level)
        levels = np.log10(levels * self._mean_square + _SILENCE) * np.float32(10)
        return Frames(levels[0], levels[1] - levels[2], levels[3], self._correlation(power))

    def _correlation(self, power: Floats) -> Floats:
        """Autocorrelation of the sound up to 4 kHz, freed of the window's own (Boersma 1993, eq. 9).

        It is taken of the magnitudes, not of their squares (a generalised autocorrelation, Tolonen and
        Karjalainen 2000). The telephone takes the fundamental away, and with squares one strong harmonic
        under a formant outvotes all others: 4.1 % gross errors instead of 0.8 %. Leaving out the bins
        above 4 kHz is an exact low-pass: 16 kHz sound needs no decimation filter.
        """
        magnitude = np.sqrt(power[:, :_PITCH_BINS]) * self._taper
        raw = np.fft.irfft(magnitude.astype(np.complex64))
        scale = self._undo_window / np.maximum(raw[:, :1], _LEAST)
        return np.asarray(raw[:, : self._lags] * scale)
