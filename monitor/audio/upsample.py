"""Doubles the sampling rate, for detectors that need 16 kHz from an 8 kHz call.

A half-band interpolator: every other output sample is an input sample, and those between come from a
symmetric FIR filter of 16 taps (Kaiser window, beta 5). It delays by 8 input samples (1 ms). It is written as
sums of shifted arrays, so that each output is the same sum in the same order however the input was cut; a
library's resampler guarantees its values, but not how many samples each call returns.
"""

import numpy as np
from numpy.typing import NDArray

HALF = 8
"""Filter taps on each side; also the delay in input samples."""

_PORTION = 2048
"""Input samples processed together, so that intermediate arrays stay in the cache."""

Samples = NDArray[np.float32]


def _taps() -> Samples:
    offsets = np.arange(HALF) + 0.5
    window = np.i0(5.0 * np.sqrt(1 - (offsets / HALF) ** 2)) / np.i0(5.0)
    taps = np.sinc(offsets) * window
    return np.asarray(taps / (2 * taps.sum()), np.float32)


class Upsampler:
    """Doubles the rate of ``rows`` channels at once."""

    def __init__(self, rows: int = 2) -> None:
        self._taps = _taps()[:, None, None]
        self._past = np.zeros((rows, 2 * HALF - 1), np.float32)

    def feed(self, pcm: Samples) -> Samples:
        """Takes float32 [rows, n] and returns [rows, 2n].

        The first output sample lies ``HALF`` input samples before the first sample of ``pcm``.
        """
        sound = np.concatenate([self._past, pcm], axis=1)
        size = pcm.shape[1]
        self._past = sound[:, size:].copy()
        out = np.empty((sound.shape[0], 2 * size), np.float32)
        out[:, 0::2] = sound[:, HALF - 1 : HALF - 1 + size]
        for at in range(0, size, _PORTION):
            self._between(sound, at, out[:, 2 * at + 1 : 2 * (at + _PORTION) : 2])
        return out

    def _between(self, sound: Samples, at: int, out: Samples) -> None:
        """Writes the interpolated samples from input sample ``at`` on; the filter taps come in pairs."""
        row, sample = sound.strides
        shape = HALF, *out.shape
        middle = (at + HALF) * sample
        # All pairs as one array, laid over the sound by its strides: one call of numpy instead of eight.
        left = np.ndarray(shape, np.float32, sound, middle - sample, (-sample, row, sample))
        right = np.ndarray(shape, np.float32, sound, middle, (sample, row, sample))
        pairs = left + right
        pairs *= self._taps
        sums = pairs[0]
        for pair in pairs[1:]:  # in this order for every sample, which a reduction does not promise
            sums += pair
        out[:] = sums
