"""Detects which side came through a telephone when the call itself is sampled at 16 kHz.

A telephone carries nothing above 3.4 kHz, while a microphone picks up the noise of every "s" up to 7 kHz. So
the energy above 4.4 kHz is compared with the side's own speech between 300 and 3400 Hz, over the frames in
which the side speaks. A result is given only where one side is clearly narrow and the other clearly wide.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.events import CHANNELS

WIDE_RATE = 16000
"""Sampling rate in Hz at which this can be measured."""
MIN_FRAMES = 500
"""20 ms frames of speech that each side needs before it is judged (10 s)."""
MAX_FRAMES = 1500
"""20 ms frames of speech after which a side is not analysed any further (30 s)."""

_FRAME = WIDE_RATE // 50
_BINS = _FRAME / WIDE_RATE  # seconds: bins for each Hz
_VOICE = slice(round(300 * _BINS), round(3400 * _BINS))
_HISS = slice(round(4400 * _BINS), round(7200 * _BINS))
_NOTHING_DB = -50.0
"""Narrow: 98 % of the frames stay below this level above 4.4 kHz, relative to the mean speech level."""
_HISS_DB = -30.0
"""Wide: one frame in ten of a microphone's speech reaches this level above 4.4 kHz."""


class TelephoneBandDetector:
    """Compares the bandwidths of the two sides of a call, second by second.

    ``telephone_row`` becomes the row of the side that is limited to the telephone band, or stays None.
    ``done`` is true once nothing more can be learnt.
    """

    def __init__(self) -> None:
        self.telephone_row: int | None = None
        self.done = False
        self._window = np.hanning(_FRAME + 2)[1:-1].astype(np.float32)
        self._voice = [0.0, 0.0]
        self._hiss: list[list[NDArray[np.float32]]] = [[], []]
        self._frames = [0, 0]

    def feed(self, sound: NDArray[np.float32], active: NDArray[np.bool_]) -> bool:
        """Takes one second of both sides. Returns True once the telephone side is known.

        ``sound`` is float32 [2, 16000]; ``active`` is bool [2, 50], true in the 20 ms frames with speech.
        """
        for row in range(len(CHANNELS)):
            self._count(row, sound[row].reshape(-1, _FRAME)[active[row]])
        if min(self._frames) < MIN_FRAMES:
            return False
        narrow, wide = zip(*(self._judged(row) for row in range(len(CHANNELS))), strict=True)
        self.telephone_row = next((row for row in (0, 1) if narrow[row] and wide[1 - row]), None)
        self.done = self.telephone_row is not None or min(self._frames) >= MAX_FRAMES
        return self.telephone_row is not None

    def _count(self, row: int, frames: NDArray[np.float32]) -> None:
        if not len(frames) or self._frames[row] >= MAX_FRAMES:
            return
        spectrum = np.fft.rfft(frames * self._window)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        self._voice[row] += float(power[:, _VOICE].sum(dtype=np.float64))
        self._hiss[row].append(power[:, _HISS].sum(axis=1))
        self._frames[row] += len(frames)

    def _judged(self, row: int) -> tuple[bool, bool]:
        """Whether the side is clearly narrow, and whether it is clearly wide."""
        if self._voice[row] <= 0:
            return False, False
        hiss = 10 * np.log10(np.concatenate(self._hiss[row]) * (self._frames[row] / self._voice[row]) + 1e-12)
        most, tenth = np.quantile(hiss, [0.98, 0.9])
        return bool(most < _NOTHING_DB), bool(tenth > _HISS_DB)
