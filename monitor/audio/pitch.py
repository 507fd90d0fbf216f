"""Pitch: Boersma's autocorrelation method with a short-sighted Viterbi path.

Source: P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17 (1993). The path's costs are his.

Each frame offers four candidate periods and "unvoiced"; the path picks one per frame. A live program
cannot wait for the end of the call, so a frame is decided from a few frames before it and ``LAG``
after it. That makes each decision a small sum over its own surroundings, the same for all frames:
the path is computed for all frames at once, and cannot depend on how the sound was cut.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PITCH_RATE = 8000
"""Pitch is looked for in sound up to 4 kHz, whatever the call's rate: the same lags, half the work."""


LAG = 2
"""Frames of 20 ms that the path looks ahead."""
PAST = 6
"""Frames that the path looks back; what lies further back has no say."""

CANDIDATES = 4
_OCTAVE_JUMP = np.float32(0.35)
_TURN = np.float32(0.14)
_SILENCE_DB = np.float32(20 * np.log10(0.03))
# These two are not Boersma's (0.01 and 0.45), because the correlation is taken of magnitudes: its peaks
# are lower, and a peak between two lags reads lower still.
_OCTAVE = 0.03
_VOICING = np.float32(0.3)
_NEVER = np.float32(-1e6)
"""Strength of a candidate that is none."""


class Candidates:
    """Offers each frame's candidates between ``lowest`` and ``highest`` Hz."""

    def __init__(self, lowest: float, highest: float) -> None:
        self._first = int(PITCH_RATE / highest)
        self._last = int(np.ceil(PITCH_RATE / lowest))
        periods = np.arange(self._first, self._last + 1)
        self._favour = (-_OCTAVE * np.log2(lowest * periods / PITCH_RATE)).astype(np.float32)
        self._bounds = np.log2([lowest, highest]).astype(np.float32)

    @property
    def lags(self) -> int:
        """How many lags of the correlation are looked at."""
        return self._last + 2

    def offer(self, correlation: Floats, below_loudest: Floats) -> Floats:
        """The candidates of frames as rows of ``nothing``: [2, 1 + CANDIDATES, n].

        ``correlation`` is [n, lags]; ``below_loudest`` the level in dB against the side's loudest.
        """
        middle = correlation[:, self._first : self._last + 1]
        peaks = middle > correlation[:, self._first - 1 : self._last]
        peaks &= middle >= correlation[:, self._first + 1 : self._last + 2]
        peaks &= middle > _VOICING / 2
        ranked = np.where(peaks, middle + self._favour, _NEVER)
        rows = np.arange(len(correlation))
        best = np.empty((CANDIDATES, len(correlation)), np.intp)
        found = np.empty((CANDIDATES, len(correlation)), np.bool_)
        for place in range(CANDIDATES):
            ranked.argmax(axis=1, out=best[place])
            found[place] = ranked[rows, best[place]] > _NEVER
            ranked[rows, best[place]] = _NEVER
        offered = np.empty((2, 1 + CANDIDATES, len(correlation)), np.float32)
        offered[0, 0], offered[1, 0] = np.nan, _unvoiced(below_loudest)
        offered[0, 1:], strength = self._refine(correlation, rows, best)
        offered[1, 1:] = np.where(found, strength, _NEVER)
        return offered

    def _refine(
        self, correlation: Floats, rows: NDArray[np.intp], best: NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """Log2 frequency and strength of peaks, by the parabola through each and its neighbours."""
        lag = best + self._first
        left, top, right = correlation[rows, lag - 1], correlation[rows, lag], correlation[rows, lag + 1]
        slope = left - right
        bend = np.minimum(left + right - 2 * top, np.float32(-1e-9))
        shift = np.minimum(np.maximum(np.float32(0.5) * slope / bend, -1), 1)
        height = top - np.float32(0.25) * slope * shift
        octave = np.log2(np.float32(PITCH_RATE) / (lag + shift).astype(np.float32))
        # Noise can rise above 1.0 where the window's own correlation is small (Boersma 1993, 3.2).
        height = np.where(height > 1, 1 / np.maximum(height, 1), height)
        return np.minimum(np.maximum(octave, self._bounds[0]), self._bounds[1]), height + self._favour[best]


def nothing() -> Floats:
    """The candidates of a frame that holds nothing: log2 Hz, and strength; the first is "unvoiced"."""
    offered = np.zeros((2, 1 + CANDIDATES), np.float32)
    offered[0, 0] = np.nan
    offered[1, 0], offered[1, 1:] = _unvoiced(np.float32(-200)), _NEVER
    return offered


def _unvoiced(below_loudest: Floats | np.float32) -> Floats:
    """How strongly a frame speaks for being unvoiced: more, the quieter it is."""
    loudness = np.power(np.float32(10), (below_loudest - _SILENCE_DB) / np.float32(20))
    return np.asarray(_VOICING + np.maximum(np.float32(2) - loudness * (1 + _VOICING), np.float32(0)))


def path(octave: Floats, strength: Floats) -> NDArray[np.intp]:
    """The chosen candidate of each frame but the first ``PAST`` and the last ``LAG`` (0: unvoiced).

    Both inputs are [candidates, ..., frames]. ``best`` sums the best way to each candidate out of the
    past, ``ahead`` the best way on from it; the strongest sum wins.
    """
    costs = _costs(octave)
    end = strength.shape[-1]
    best = strength[..., : end - LAG]
    for back in range(1, PAST + 1):
        best = np.maximum.reduce(best[:, None, ..., :-1] - costs[..., back - 1 : end - LAG - 1], axis=0)
        best += strength[..., back : end - LAG]
    ahead = np.zeros_like(strength[..., PAST:])
    for on in range(1, LAG + 1):
        onward = strength[..., PAST + 1 : end - on + 1] + ahead[..., 1:]
        ahead = np.maximum.reduce(onward[None] - costs[..., PAST : end - on], axis=1)
    return np.asarray((best + ahead).argmax(axis=0))


def _costs(octave: Floats) -> Floats:
    """What it costs to go from each candidate of a frame to each of the next: [from, to, ..., frames - 1]."""
    costs = np.abs(octave[:, None, ..., :-1] - octave[None, ..., 1:]) * _OCTAVE_JUMP
    costs[0] = costs[:, 0] = _TURN
    costs[0, 0] = 0
    return np.asarray(costs)
