"""Reading sound between its samples: what a clock that runs a little fast or slow needs.

A windowed-sinc interpolator (Smith and Gossett, "A flexible sampling-rate conversion method", ICASSP
1984): positions may be any real numbers, so the speed can change at every sample without a click.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Positions = NDArray[np.float64]

TAPS = 32
BEFORE = TAPS // 2 - 1
"""Samples needed before a position (its own included); ``AFTER`` more are needed behind it."""
AFTER = TAPS // 2
PHASES = 512
"""Places between two samples that are told apart; the rest of the place is left out (-60 dB at 1/4 rate)."""
KAISER_BETA = 8.0


@cache
def _table() -> Samples:
    """Weights for each place between two samples, float32 [PHASES + 1, TAPS]; row 0 is the sample itself."""
    places = np.arange(PHASES + 1)[:, None] / PHASES
    distance = np.arange(-BEFORE, AFTER + 1)[None, :] - places
    inside = np.clip(1.0 - np.square(distance / (TAPS / 2)), 0.0, None)
    weights = np.sinc(distance) * np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def interpolate(pcm: Samples, positions: Positions) -> Samples:
    """The sound of ``pcm``, float32 [channels, n], at ``positions`` in samples from its first one.

    Each position wants ``BEFORE`` samples before and ``AFTER`` behind it.
    """
    if not positions.size:
        return np.zeros((pcm.shape[0], 0), np.float32)
    whole = np.floor(positions).astype(np.int64)
    phase = np.rint((positions - whole) * PHASES).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(pcm, TAPS, axis=1)[:, whole - BEFORE]
    out: Samples = np.einsum("cnt,nt->cn", windows, _table()[phase])
    return out
