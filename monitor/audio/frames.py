"""The 20 ms frame grid: cuts blocks of any size into whole frames of both sides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.events import FRAME_SECONDS, Block

SPEECH, UNSURE, QUIET = 1, 0, -1
"""The votes of a voice activity detector on one of its frames."""


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """A stretch of whole 20 ms frames of both sides.

    ``pcm`` is float32 [2, frames * samples_per_frame], full scale 1.0, rows as in ``events.CHANNELS``.
    ``first`` is the number of its first frame, counted from the start of the call. ``rate`` is 8000 or 16000
    Hz.
    """

    first: int
    pcm: NDArray[np.float32]
    rate: int

    @property
    def samples_per_frame(self) -> int:
        """Samples in one frame of one side."""
        return self.rate // 50

    @property
    def frames(self) -> int:
        """Number of frames in the block."""
        return int(self.pcm.shape[1]) // self.samples_per_frame


def frames_of(duration: float) -> int:
    """Whole 20 ms frames in ``duration`` seconds, to the nearest frame."""
    return round(duration / FRAME_SECONDS)


def seconds(frames: int) -> float:
    """Call time in seconds at the end of ``frames`` frames (computed, so that no error accumulates)."""
    return round(frames * FRAME_SECONDS, 3)


class Framer:
    """Cuts blocks into whole frames and keeps the remainder for the next block.

    ``rate`` is 8000 or 16000 Hz; ``received`` counts the samples of one side that came in so far.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.received = 0
        self._frames = 0
        self._rest: NDArray[np.float32] = np.zeros((2, 0), np.float32)

    def feed(self, block: Block) -> FrameBlock:
        """Returns the whole frames that ``block`` completes, possibly none."""
        self.received += block.pcm.shape[1]
        pcm = block.pcm if not self._rest.size else np.concatenate([self._rest, block.pcm], axis=1)
        whole = pcm.shape[1] // (self.rate // 50) * (self.rate // 50)
        self._rest = pcm[:, whole:].copy()
        return self._run(np.ascontiguousarray(pcm[:, :whole]))

    def finish(self) -> FrameBlock:
        """Returns the last, incomplete frame, padded with silence; an empty block where there is none."""
        missing = -self._rest.shape[1] % (self.rate // 50)
        pcm = np.pad(self._rest, ((0, 0), (0, missing)))
        self._rest = self._rest[:, :0]
        return self._run(pcm)

    def _run(self, pcm: NDArray[np.float32]) -> FrameBlock:
        block = FrameBlock(self._frames, pcm, self.rate)
        self._frames += block.frames
        return block
