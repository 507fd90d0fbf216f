"""Whole frames: the core's 20 ms grid laid over blocks of any size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.events import FRAME_SECONDS, Block

SPEECH, UNSURE, QUIET = 1, 0, -1
"""The votes of a voice activity detector."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of whole 20 ms frames of both sides.

    ``pcm`` is float32 [2, frames * frame], rows as in ``events.CHANNELS``; ``first`` is the number of
    its first frame since the call began; ``rate`` is 8000 or 16000.
    """

    first: int
    pcm: NDArray[np.float32]
    rate: int

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        return self.rate // 50

    @property
    def frames(self) -> int:
        """How many frames the run holds."""
        return int(self.pcm.shape[1]) // self.frame


def seconds(frames: int) -> float:
    """The call time at the end of so many frames (computed, never accumulated)."""
    return round(frames * FRAME_SECONDS, 3)


class Framer:
    """Cuts blocks into whole frames and keeps what is left for the next one."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.heard = 0
        self._frames = 0
        self._rest: NDArray[np.float32] = np.zeros((2, 0), np.float32)

    def feed(self, block: Block) -> Run:
        """The whole frames that ``block`` completes (possibly none)."""
        self.heard += block.pcm.shape[1]
        pcm = block.pcm if not self._rest.size else np.concatenate([self._rest, block.pcm], axis=1)
        whole = pcm.shape[1] // (self.rate // 50) * (self.rate // 50)
        self._rest = pcm[:, whole:].copy()
        return self._run(np.ascontiguousarray(pcm[:, :whole]))

    def finish(self) -> Run:
        """The last, begun frame, filled up with silence."""
        missing = -self._rest.shape[1] % (self.rate // 50)
        pcm = np.pad(self._rest, ((0, 0), (0, missing)))
        self._rest = self._rest[:, :0]
        return self._run(pcm)

    def _run(self, pcm: NDArray[np.float32]) -> Run:
        run = Run(self._frames, pcm, self.rate)
        self._frames += run.frames
        return run
