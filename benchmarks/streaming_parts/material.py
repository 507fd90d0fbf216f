"""Calls with ground truth, as arrays at their own rate and at Whisper's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from monitor.events import CHANNELS
from monitor.review.truth import TrueWord, Truth, load_truth, recordings, truth_beside
from monitor.sources.recording import open_recording

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Material:
    """One call: both sides' sound [2, n] at ``rate``, and what was said."""

    name: str
    path: Path
    rate: int
    pcm: Floats
    truth: Truth

    @property
    def seconds(self) -> float:
        """Length of the call."""
        samples: int = self.pcm.shape[1]
        return samples / self.rate

    def at_16k(self, row: int) -> Floats:
        """One side at 16 kHz, as faster-whisper wants it."""
        sound: Floats = self.pcm[row]
        return sound if self.rate == 16000 else soxr.resample(sound, self.rate, 16000, "HQ")

    def words(self, row: int) -> list[TrueWord]:
        """What one side said within the sound that is here."""
        return [w for w in self.truth.words if w.channel == CHANNELS[row] and w.end <= self.seconds]

    def tails(self, row: int) -> list[int]:
        """Which of ``words`` are the last ones of a stretch of that side's speech."""
        words = self.words(row)
        ends = [u.end for u in self.truth.utterances if u.channel == CHANNELS[row] and u.end <= self.seconds]
        return sorted(
            {max((n for n, w in enumerate(words) if w.end <= end + 0.1), default=0) for end in ends}
        )


def load(path: Path, seconds: float | None = None) -> Material:
    """The call at ``path``, or its first ``seconds``."""
    truth = load_truth(truth_beside(path))
    files = recordings(truth, truth_beside(path))
    recording = open_recording(files, agent_channel=truth.agent_channel)
    pcm = np.concatenate([block.pcm for block in recording.blocks(5.0)], axis=1)
    if seconds is not None:
        pcm = pcm[:, : round(seconds * recording.rate)]
    return Material(truth.call, files[0], recording.rate, np.ascontiguousarray(pcm), truth)
