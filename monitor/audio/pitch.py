"""Pitch (F0) by Boersma's autocorrelation method, with a short look-ahead.

Source: P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise
ratio of a sampled sound", IFA Proceedings 17 (1993). Candidates and path costs follow the paper.

Each frame has up to four candidate periods and "unvoiced"; a Viterbi path chooses one for each frame. A live
program cannot wait for the end of the call, so a frame is decided from ``LOOKBACK`` frames before it and
``LOOKAHEAD`` after it. Each decision is then the same small sum over the frame's surroundings: the path is
computed for all frames at once, and does not depend on how the audio was cut.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PITCH_RATE = 8000
"""Pitch is analysed up to 4 kHz whatever the call's rate: the same lags, half the work."""


LOOKAHEAD = 2
"""Frames of 20 ms that the path looks ahead."""
LOOKBACK = 6
"""Frames that the path looks back."""

CANDIDATES = 4
"""Candidate periods of a frame."""
_OCTAVE_JUMP = np.float32(0.35)
_TURN = np.float32(0.14)
_SILENCE_DB = np.float32(20 * np.log10(0.03))
# These two are not Boersma's (0.01 and 0.45), because the correlation is taken of magnitudes: its peaks
# are lower, and a peak between two lags reads lower still.
_OCTAVE = 0.03
_VOICING = np.float32(0.3)
_NEVER = np.float32(-1e6)
"""Strength of a missing candidate."""


class PitchCandidates:
    """Finds each frame's pitch candidates between ``lowest`` and ``highest`` Hz."""

    def __init__(self, lowest: float, highest: float) -> None:
        self._first = int(PITCH_RATE / highest)
        self._last = int(np.ceil(PITCH_RATE / lowest))
        periods = np.arange(self._first, self._last + 1)
        self._favour = (-_OCTAVE * np.log2(lowest * periods / PITCH_RATE)).astype(np.float32)
        self._bounds = np.log2([lowest, highest]).astype(np.float32)

    @property
    def lags(self) -> int:
        """Number of autocorrelation lags (samples at ``PITCH_RATE``) that are needed."""
        return self._last + 2

    def find(self, correlation: Floats, below_loudest: Floats) -> Floats:
        """Returns the candidates of n frames, float32 [2, 1 + CANDIDATES, n]: log2 of Hz, and strength.

        Candidate 0 is "unvoiced" (NaN). ``correlation`` is float32 [n, lags], normalised; ``below_loudest``
        [n] is the frame's level in dB relative to the side's recent loudest frame.
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
        found_candidates = np.empty((2, 1 + CANDIDATES, len(correlation)), np.float32)
        found_candidates[0, 0], found_candidates[1, 0] = np.nan, _unvoiced(below_loudest)
        found_candidates[0, 1:], strength = self._refine(correlation, rows, best)
        found_candidates[1, 1:] = np.where(found, strength, _NEVER)
        return found_candidates

    def _refine(
        self, correlation: Floats, rows: NDArray[np.intp], best: NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """Log2 frequency and strength of peaks, from the parabola through each peak and its neighbours."""
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


def no_candidates() -> Floats:
    """The candidates of a frame without speech, float32 [2, 1 + CANDIDATES]: only "unvoiced"."""
    found_candidates = np.zeros((2, 1 + CANDIDATES), np.float32)
    found_candidates[0, 0] = np.nan
    found_candidates[1, 0], found_candidates[1, 1:] = _unvoiced(np.float32(-200)), _NEVER
    return found_candidates


def _unvoiced(below_loudest: Floats | np.float32) -> Floats:
    """Strength of "unvoiced": the quieter the frame, the stronger."""
    loudness = np.power(np.float32(10), (below_loudest - _SILENCE_DB) / np.float32(20))
    return np.asarray(_VOICING + np.maximum(np.float32(2) - loudness * (1 + _VOICING), np.float32(0)))


def best_path(octave: Floats, strength: Floats) -> NDArray[np.intp]:
    """Returns the chosen candidate of each frame except the first ``LOOKBACK`` and last ``LOOKAHEAD`` (0:
    unvoiced).

    Both inputs are float32 [candidates, ..., frames]. ``best`` sums the best path to each candidate from the
    past, ``ahead`` the best path onwards; the greatest total wins.
    """
    costs = _costs(octave)
    end = strength.shape[-1]
    best = strength[..., : end - LOOKAHEAD]
    for back in range(1, LOOKBACK + 1):
        best = np.maximum.reduce(best[:, None, ..., :-1] - costs[..., back - 1 : end - LOOKAHEAD - 1], axis=0)
        best += strength[..., back : end - LOOKAHEAD]
    ahead = np.zeros_like(strength[..., LOOKBACK:])
    for on in range(1, LOOKAHEAD + 1):
        onward = strength[..., LOOKBACK + 1 : end - on + 1] + ahead[..., 1:]
        ahead = np.maximum.reduce(onward[None] - costs[..., LOOKBACK : end - on], axis=1)
    return np.asarray((best + ahead).argmax(axis=0))


def _costs(octave: Floats) -> Floats:
    """Cost of the step from each candidate of a frame to each of the next: [from, to, ..., frames - 1]."""
    costs = np.abs(octave[:, None, ..., :-1] - octave[None, ..., 1:]) * _OCTAVE_JUMP
    costs[0] = costs[:, 0] = _TURN
    costs[0, 0] = 0
    return np.asarray(costs)
