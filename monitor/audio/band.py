"""Which side's voice came through a telephone, where the call itself is heard in wide band.

A telephone carries nothing above 3.4 kHz; a microphone gives the hiss of every "s", up to 7 kHz. So the
band above 4.4 kHz is compared with the side's own speech below 3.4 kHz, over the frames in which it
speaks. It is said only where the two sides differ, and both are clear.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.events import CHANNELS

WIDE_RATE = 16000
ENOUGH = 500
"""Frames of 20 ms with speech from which a side is judged (10 s)."""
MOST = 1500
"""Frames after which nothing new is to be learnt (30 s)."""

_FRAME = WIDE_RATE // 50
_BINS = _FRAME / WIDE_RATE  # seconds: bins for each Hz
_VOICE = slice(round(300 * _BINS), round(3400 * _BINS))
_HISS = slice(round(4400 * _BINS), round(7200 * _BINS))
_NOTHING_DB = -50.0
"""A telephone's loudest hiss (49 frames in 50), against the mean of its speech."""
_HISS_DB = -30.0
"""What one frame in ten of a microphone's speech reaches."""


class Bands:
    """Hears whole seconds of a call at 16 kHz; ``telephone`` becomes the row of the one narrow side."""

    def __init__(self) -> None:
        self.telephone: int | None = None
        self.done = False
        self._window = np.hanning(_FRAME + 2)[1:-1].astype(np.float32)
        self._voice = [0.0, 0.0]
        self._hiss: list[list[NDArray[np.float32]]] = [[], []]
        self._frames = [0, 0]

    def hear(self, sound: NDArray[np.float32], active: NDArray[np.bool_]) -> bool:
        """Goes on by a second of ``sound`` [2, 16000], who speaks in it [2, 50]; True once it is known."""
        for row in range(len(CHANNELS)):
            self._count(row, sound[row].reshape(-1, _FRAME)[active[row]])
        if min(self._frames) < ENOUGH:
            return False
        narrow, wide = zip(*(self._judged(row) for row in range(len(CHANNELS))), strict=True)
        self.telephone = next((row for row in (0, 1) if narrow[row] and wide[1 - row]), None)
        self.done = self.telephone is not None or min(self._frames) >= MOST
        return self.telephone is not None

    def _count(self, row: int, frames: NDArray[np.float32]) -> None:
        if not len(frames) or self._frames[row] >= MOST:
            return
        spectrum = np.fft.rfft(frames * self._window)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        self._voice[row] += float(power[:, _VOICE].sum(dtype=np.float64))
        self._hiss[row].append(power[:, _HISS].sum(axis=1))
        self._frames[row] += len(frames)

    def _judged(self, row: int) -> tuple[bool, bool]:
        """Whether the side is surely narrow, and whether it is surely wide."""
        if self._voice[row] <= 0:
            return False, False
        hiss = 10 * np.log10(np.concatenate(self._hiss[row]) * (self._frames[row] / self._voice[row]) + 1e-12)
        most, tenth = np.quantile(hiss, [0.98, 0.9])
        return bool(most < _NOTHING_DB), bool(tenth > _HISS_DB)
