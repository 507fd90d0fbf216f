"""The WebRTC voice activity detector (https://webrtc.org, BSD), after level normalisation.

Cheap and quick: a verdict for each 10 ms, at 8 or 16 kHz, without a neural model. Alone it goes deaf
on quiet lines, so a running gain first lifts the side's own loud moments to where the detector was
made to listen. It takes hum and hiss for speech, too: a level that does not move is no voice. It also
takes music for speech, and where that matters Silero has to decide.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.audio.frames import QUIET, SPEECH

STEP = 0.01
TARGET_DBFS = -20.0
FALL = 0.01
"""How fast the reference level sinks when nothing reaches it, in dB for each 10 ms (1 dB a second)."""
RANGE_DB = 35.0
"""Frames so far below the reference are quiet, whatever the detector says: line noise, a room's tail."""
STEADY_FRAMES, STEADY_DB = 60, 10.0
"""A level that stays within 10 dB for 0.6 s is no voice: syllables move it by more."""
START_DBFS = -30.0
"""The reference before anything was heard: rather low, for it rises at once and sinks slowly."""
QUIETEST_DBFS = -55.0
"""The reference never sinks below this: a silent line's own noise is not to be lifted to a voice."""
FULL_SCALE = np.float32(32767)
_TINY = 1e-12

Samples = NDArray[np.float32]


class WebRtcModel:
    """Votes of one side; ``mode`` is 0 (lets most through) to 3 (strict).

    Below ``floor_dbfs`` nothing is speech.
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
        """A vote for each 10 ms of ``pcm`` (float32, whole frames of 10 ms)."""
        frames = pcm.reshape(-1, self._size)
        powers = np.square(frames).sum(axis=1) / self._size
        levels = 10.0 * np.log10(powers.astype(np.float64) + _TINY)
        reference = self._reference(levels)
        gains = (10.0 ** ((TARGET_DBFS - reference) / 20.0)).astype(np.float32)
        lifted = np.clip(frames * (gains * FULL_SCALE)[:, None], -FULL_SCALE, FULL_SCALE)
        heard, size = lifted.astype(np.int16).tobytes(), 2 * self._size
        ask, rate = self._vad.is_speech, self._rate
        verdicts = [ask(heard[at : at + size], rate) for at in range(0, len(heard), size)]
        near = (levels > np.maximum(reference - RANGE_DB, self._floor)) & ~self._steady(levels)
        votes = zip(verdicts, near.tolist(), strict=True)
        return [SPEECH if verdict and loud else QUIET for verdict, loud in votes]

    def _steady(self, levels: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the level has hardly moved up to each frame: hum, hiss and tones, but no voice."""
        known = np.concatenate([self._levels, levels])
        self._levels = known[levels.size :]
        recent = sliding_window_view(known, STEADY_FRAMES)[1:]
        steady: NDArray[np.bool_] = recent.max(axis=1) - recent.min(axis=1) < STEADY_DB
        return steady

    def _reference(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The side's recent loudest level at each frame, in dBFS."""
        sunk = FALL * np.arange(self._heard, self._heard + levels.size)
        peaks = np.maximum.accumulate(np.concatenate([[self._loudest], levels + sunk]))
        self._heard += levels.size
        self._loudest = float(peaks[-1])
        reference: NDArray[np.float64] = np.maximum(peaks[1:] - sunk, QUIETEST_DBFS)
        return reference
