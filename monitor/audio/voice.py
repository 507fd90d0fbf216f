"""Both sides' voices frame by frame: level, spectral balance and pitch of the frames that hold speech.

Frames come out in steps of 0.1 s on the call's own grid, as soon as the pitch path has seen far
enough ahead. Frames without speech are not analysed at all, which is most of the saving.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.acoustics import BATCH, Analyser, Floats
from monitor.audio.frames import Run
from monitor.audio.pitch import CANDIDATES, LAG, PAST, Candidates, nothing, path

STEP = 5
"""Frames in a step of 0.1 s."""
AHEAD = LAG + 1
"""Frames that must be heard beyond a frame to decide it: the path's lag, and the rest of its window."""

_PORTION = 20 * STEP
"""Frames decided together at most."""
_FADING = 0.02
"""dB a frame by which the memory of the loudest frame fades (1 dB a second)."""
# What is kept of an analysed frame, as rows of one array.
_ACTIVE, _LEVEL, _ALPHA, _SONORANT = range(4)
_OCTAVES = slice(4, 5 + CANDIDATES)
_STRENGTHS = slice(5 + CANDIDATES, 6 + 2 * CANDIDATES)
_SILENT = np.concatenate([np.array([0, -120, 0, -120], np.float32), nothing().ravel()])
"""The rows of a frame that was not analysed."""
_SIDES = np.array([[0], [1]])


@dataclass(frozen=True, slots=True)
class Voices:
    """A run of decided frames, each array [2, n]; ``first`` is the number of the first frame.

    Where ``active`` is false nothing was analysed. ``octave`` is log2 of the pitch in Hz, NaN where
    the frame is not voiced. ``level`` and ``sonorant`` are dBFS (RMS), ``alpha`` dB.
    """

    first: int
    active: NDArray[np.bool_]
    level: Floats
    alpha: Floats
    sonorant: Floats
    octave: Floats


class Voice:
    """Follows both voices; what comes out does not depend on how the sound was cut."""

    def __init__(self, rate: int, lowest: float, highest: float) -> None:
        self._hop = rate // 50
        self._candidates = Candidates(lowest, highest)
        self._analyser = Analyser(rate, self._candidates.lags)
        self._heard = self._analysed = self._decided = 0
        # Sound not yet analysed, from one frame before it on (windows reach that far back).
        self._pcm = [np.zeros((2, self._hop), np.float32)]
        self._active = [np.zeros((2, 0), np.bool_)]
        # Analysed frames that still matter to the path; nothing came before the call.
        self._past = _silence(PAST)
        self._loudest = np.full((2, 1), -np.inf)

    def feed(self, run: Run, active: NDArray[np.bool_]) -> Iterator[Voices]:
        """The frames that can be decided now that ``run`` has been heard."""
        self._pcm.append(run.pcm)
        self._active.append(active)
        self._heard += run.frames
        return self._decide((self._heard - AHEAD) // STEP * STEP)

    def finish(self) -> Iterator[Voices]:
        """The last whole steps, as if silence followed."""
        self._pcm.append(np.zeros((2, AHEAD * self._hop), np.float32))
        self._active.append(np.zeros((2, AHEAD), np.bool_))
        return self._decide(self._heard // STEP * STEP)

    def _decide(self, until: int) -> Iterator[Voices]:
        """Decides the frames before number ``until``, in portions small enough for the cache."""
        if until <= self._decided:
            return
        pcm, active = np.concatenate(self._pcm, axis=1), np.concatenate(self._active, axis=1)
        used = 0
        while self._decided < until:
            new = min(self._decided + _PORTION, until) + LAG - self._analysed
            yield self._portion(pcm, used, active[:, used : used + new])
            used += new
        self._pcm, self._active = [pcm[:, used * self._hop :].copy()], [active[:, used:].copy()]

    def _portion(self, pcm: Floats, used: int, active: NDArray[np.bool_]) -> Voices:
        """Analyses the next frames, and decides those whose future is now known."""
        known = np.concatenate([self._past, self._analyse(pcm, used, active)], axis=-1)
        self._past = known[..., -(PAST + LAG) :]
        decided = known[..., PAST:-LAG]
        octave = np.full(decided.shape[1:], np.float32(np.nan))
        if decided[_ACTIVE].any():
            choice = path(known[_OCTAVES], known[_STRENGTHS])
            octave = decided[_OCTAVES][choice, _SIDES, np.arange(decided.shape[-1])]
        first, self._decided = self._decided, self._decided + decided.shape[-1]
        active, level, alpha, sonorant = decided[_ACTIVE] > 0, *decided[_LEVEL : _SONORANT + 1]
        return Voices(first, active, level, alpha, sonorant, octave)

    def _analyse(self, pcm: Floats, used: int, active: NDArray[np.bool_]) -> Floats:
        """The rows of the next frames; the first of them is frame ``used + 1`` of ``pcm``."""
        rows = _silence(active.shape[1])
        first, self._analysed = self._analysed, self._analysed + active.shape[1]
        side, frame = active.nonzero()
        if not len(side):
            return rows
        starts = side * pcm.shape[1] + (frame + used + 1) * self._hop
        parts = [
            self._analyser.measure(self._analyser.windows(pcm, starts[i : i + BATCH]))
            for i in range(0, len(side), BATCH)
        ]
        rows[_ACTIVE, side, frame] = 1
        for row, name in ((_LEVEL, "level"), (_ALPHA, "alpha"), (_SONORANT, "sonorant")):
            rows[row, side, frame] = _joined([getattr(part, name) for part in parts])
        below = self._below_loudest(rows[_LEVEL], first)[side, frame]
        offered = self._candidates.offer(_joined([part.correlation for part in parts]), below)
        rows[_OCTAVES.start :, side, frame] = offered.reshape(-1, len(side))
        return rows

    def _below_loudest(self, level: Floats, first: int) -> Floats:
        """Each frame's level in dB against the loudest one before it, whose memory fades.

        Written with a trend that rises with the frame's number, the fading maximum is a plain one:
        the same to the last bit however the frames are cut.
        """
        trend = np.arange(first, first + level.shape[1]) * _FADING
        loudest = np.maximum.accumulate(np.concatenate([self._loudest, level + trend], axis=1), axis=1)
        self._loudest = loudest[:, -1:]
        return (level - (loudest[:, 1:] - trend)).astype(np.float32)


def _silence(frames: int) -> Floats:
    """The rows of frames that were not analysed: [rows, 2, frames]."""
    rows = np.empty((len(_SILENT), 2, frames), np.float32)
    rows[:] = _SILENT[:, None, None]
    return rows


def _joined(parts: list[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
