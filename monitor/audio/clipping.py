"""Clipping, found by the shape of the wave: its peaks stand still, or crowd at the top.

The level does not matter: a recording that was clipped and then turned down is still clipped, a loud one
is not. Sound that was resampled after it was clipped has no flat tops any more, but its peaks still
crowd: of clean speech at most 5 % of a second's samples lie above 0.8 of its peak (99th percentile over
seven recordings, mean 0.7 %), of speech clipped by 12 dB and resampled about 10 %.
"""

import numpy as np
from numpy.typing import NDArray

_FLAT = 0.01  # of half the range: samples this near to an extreme lie on it (mu-law steps are larger)
_RUN = 0.000375  # seconds; the tip of a voice's fundamental stays near its extreme for less
_HIGH, _CROWDED = 0.8, 0.06
_PEAK = 0.999  # the peak without the ringing that a resampler adds


def is_clipped(sound: NDArray[np.float32], rate: int, share: float) -> bool:
    """Whether speech (about a second, mono) is clipped; ``share`` of its samples lie flat then."""
    if not sound.size or float(np.ptp(sound)) <= 0:
        return False
    return flat_share(sound, rate) >= share or crowded_share(sound) >= _CROWDED


def flat_share(sound: NDArray[np.float32], rate: int) -> float:
    """The share of samples, 0 to 1, that lie in runs at the top or at the bottom of ``sound``."""
    top, bottom = float(sound.max()), float(sound.min())
    near = _FLAT * (top - bottom) / 2
    least = round(_RUN * rate)
    return (_in_runs(sound >= top - near, least) + _in_runs(sound <= bottom + near, least)) / sound.size


def crowded_share(sound: NDArray[np.float32]) -> float:
    """The share of samples, 0 to 1, that lie near the peak of ``sound``."""
    size = np.abs(sound - sound.mean(dtype=np.float64).astype(np.float32))
    place = int(size.size * _PEAK)
    peak = np.partition(size, place)[place]
    return float(np.mean(size >= np.float32(_HIGH) * peak))


def _in_runs(flags: NDArray[np.bool_], least: int) -> int:
    """How many flags stand in runs of at least ``least``."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= least].sum())
