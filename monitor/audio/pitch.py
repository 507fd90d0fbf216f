"""Pitch: Boersma's autocorrelation method with a short-sighted Viterbi path.

Source: P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17 (1993). Costs are his.

Each frame offers four candidate periods and "unvoiced"; the path picks one per frame. A live program
cannot wait for the end of the call, so a frame is decided from a few frames before it and ``LAG``
after it. That makes each decision a small sum over its own surroundings, the same for all frames:
the path is computed for all frames at once, and cannot depend on how the sound was cut.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.audio.acoustics import PITCH_RATE, Floats

LAG = 2
"""Frames of 20 ms that the path looks ahead."""
PAST = 8
"""Frames that the path looks back; what lies further back has no say."""

CANDIDATES = 4
_OCTAVE = 0.01
_VOICING = 0.45
_SILENCE_DB = 20 * np.log10(0.03)
# Boersma's path costs are for steps of 10 ms; ours are 20 ms, and costs go down with longer steps.
_STEP = 0.5
_OCTAVE_JUMP = np.float32(0.35 * _STEP)
_TURN = np.float32(0.14 * _STEP)
_NEVER = np.float32(-1e6)
"""Strength of a candidate that is none."""


class Candidates:
    """Offers each frame's candidates: ``octave`` (log2 Hz) and ``strength``, both [n, 1 + CANDIDATES].

    The first column is "unvoiced".
    """

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

    def offer(self, correlation: Floats, below_loudest: Floats) -> tuple[Floats, Floats]:
        """Candidates from ``correlation`` [n, lags]; ``below_loudest`` is the level in dB against the side's loudest."""
        octave, strength = empty((len(correlation),))
        middle = correlation[:, self._first : self._last + 1]
        before = correlation[:, self._first - 1 : self._last]
        after = correlation[:, self._first + 1 : self._last + 2]
        peaks = (middle > before) & (middle >= after) & (middle > 0.5 * _VOICING)
        ranked = np.where(peaks, middle + self._favour, _NEVER)
        rows = np.arange(len(correlation))
        for place in range(1, CANDIDATES + 1):
            best = ranked.argmax(axis=1)
            found = ranked[rows, best] > _NEVER
            octave[:, place], height = self._refine(correlation, rows, best)
            strength[:, place] = np.where(found, height, _NEVER)
            ranked[rows, best] = _NEVER
        strength[:, 0] = _unvoiced(below_loudest)
        return octave, strength

    def _refine(
        self, correlation: Floats, rows: NDArray[np.intp], best: NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """Log2 frequency and strength of a peak, by the parabola through it and its neighbours."""
        lag = best + self._first
        left, top, right = (correlation[rows, lag + k] for k in (-1, 0, 1))
        bend = np.minimum(left - 2 * top + right, np.float32(-1e-9))
        shift = np.clip(np.float32(0.5) * (left - right) / bend, -1, 1)
        height = top - np.float32(0.25) * (left - right) * shift
        octave = np.log2(np.float32(PITCH_RATE) / (lag + shift).astype(np.float32))
        # Noise can rise above 1.0 where the window's own correlation is small (Boersma 1993, 3.2).
        height = np.where(height > 1, 1 / np.maximum(height, 1), height)
        return np.clip(octave, *self._bounds), height + self._favour[best]


def empty(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """``octave`` and ``strength`` [*shape, 1 + CANDIDATES] of frames that offer nothing but silence."""
    octave = np.zeros((*shape, 1 + CANDIDATES), np.float32)
    strength = np.full((*shape, 1 + CANDIDATES), _NEVER)
    strength[..., 0] = _unvoiced(np.float32(-200))
    return octave, strength


def _unvoiced(below_loudest: Floats | np.float32) -> Floats:
    """How strongly a frame speaks for being unvoiced: more, the quieter it is."""
    loudness = np.power(np.float32(10), (below_loudest - np.float32(_SILENCE_DB)) / np.float32(20))
    return _VOICING + np.maximum(0, 2 - loudness * (1 + _VOICING)).astype(np.float32)


def path(octave: Floats, strength: Floats) -> NDArray[np.intp]:
    """The chosen candidate of each frame but the first ``PAST`` and the last ``LAG`` (0: unvoiced).

    Both inputs are [candidates, ..., frames]. ``best`` sums the best way to each candidate out of the
    past, ``ahead`` the best way on from it; the strongest sum wins.
    """
    costs = _costs(octave)
    best = strength
    for _ in range(PAST):
        best = strength[..., 1:] + (best[:, None, ..., :-1] - costs).max(axis=0)
        best = np.concatenate([strength[..., :1], best], axis=-1)
    ahead = np.zeros_like(strength)
    for _ in range(LAG):
        ahead = ((strength + ahead)[None, ..., 1:] - costs).max(axis=1)
        ahead = np.concatenate([ahead, np.zeros_like(strength[..., :1])], axis=-1)
    end = strength.shape[-1] - LAG
    return (best + ahead)[..., PAST:end].argmax(axis=0)


def _costs(octave: Floats) -> Floats:
    """What it costs to go from each candidate of a frame to each of the next: [from, to, ..., frames - 1]."""
    costs = np.abs(octave[:, None, ..., :-1] - octave[None, ..., 1:]) * _OCTAVE_JUMP
    costs[0] = costs[:, 0] = _TURN
    costs[0, 0] = 0
    return costs
