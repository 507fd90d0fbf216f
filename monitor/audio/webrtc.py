"""The WebRTC voice activity detector (https://webrtc.org, BSD licence) with automatic gain.

It gives a vote for each 10 ms at 8 or 16 kHz without a neural model. On quiet lines it misses speech, so a
running gain first raises each side's loud passages to the level for which the detector was made. It also
takes hum and noise for speech, so a level that hardly changes is not counted as speech. It cannot tell music
from speech; where that matters, use Silero.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.audio.frames import QUIET, SPEECH

STEP = 0.01
"""Seconds in a vote."""
TARGET_DBFS = -20.0
"""Level (RMS) to which the loud passages of a side are raised."""
FALL = 0.01
"""Decibels by which the reference level falls with each 10 ms (1 dB a second)."""
RANGE_DB = 35.0
"""Frames this far below the reference level are quiet, whatever the detector says: line noise,
reverberation.
"""
STEADY_FRAMES, STEADY_DB = 60, 10.0
"""A level that stays within 10 dB for 0.6 s is no voice: syllables change it by more."""
START_DBFS = -30.0
"""Reference level at the start of a call; rather low, because it rises at once and falls slowly."""
QUIETEST_DBFS = -55.0
"""Lowest reference level, so that the noise of a silent line is not raised to the level of speech."""
FULL_SCALE = np.float32(32767)
_TINY = 1e-12

Samples = NDArray[np.float32]


class WebRtcModel:
    """The votes of one side. ``mode`` is WebRTC's aggressiveness, 0 (lets most through) to 3 (strict).

    Frames below ``floor_dbfs`` are never speech.
    """

    def __init__(self, rate: int, mode: int, floor_dbfs: float) -> None:
        import webrtcvad  # here, not above: a native library that the other gates do without

        self._vad = webrtcvad.Vad(mode)
        self._rate, self._size = rate, round(rate * STEP)
        self._floor = floor_dbfs
        self._levels = np.full(STEADY_FRAMES, -120.0)
        self._heard = 0
        self._loudest = START_DBFS
        """The highest of (level + FALL * frame number) so far: a peak follower that needs no loop."""

    def feed(self, pcm: Samples) -> list[int]:
        """Returns a vote for each 10 ms of ``pcm`` (float32 [n], n a multiple of 10 ms)."""
        frames = pcm.reshape(-1, self._size)
        powers = np.square(frames).sum(axis=1) / self._size
        levels = 10.0 * np.log10(powers.astype(np.float64) + _TINY)
        reference = self._reference(levels)
        gains = (10.0 ** ((TARGET_DBFS - reference) / 20.0)).astype(np.float32)
        lifted = np.clip(frames * (gains * FULL_SCALE)[:, None], -FULL_SCALE, FULL_SCALE)
        samples, size = lifted.astype(np.int16).tobytes(), 2 * self._size
        ask, rate = self._vad.is_speech, self._rate
        verdicts = [ask(samples[at : at + size], rate) for at in range(0, len(samples), size)]
        near = (levels > np.maximum(reference - RANGE_DB, self._floor)) & ~self._steady(levels)
        votes = zip(verdicts, near.tolist(), strict=True)
        return [SPEECH if verdict and loud else QUIET for verdict, loud in votes]

    def _steady(self, levels: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the level has hardly changed up to each frame: hum, noise or a tone, but no voice."""
        known = np.concatenate([self._levels, levels])
        self._levels = known[levels.size :]
        recent = sliding_window_view(known, STEADY_FRAMES)[1:]
        steady: NDArray[np.bool_] = recent.max(axis=1) - recent.min(axis=1) < STEADY_DB
        return steady

    def _reference(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The recent peak level of the side at each frame, in dBFS."""
        sunk = FALL * np.arange(self._heard, self._heard + levels.size)
        peaks = np.maximum.accumulate(np.concatenate([[self._loudest], levels + sunk]))
        self._heard += levels.size
        self._loudest = float(peaks[-1])
        reference: NDArray[np.float64] = np.maximum(peaks[1:] - sunk, QUIETEST_DBFS)
        return reference
