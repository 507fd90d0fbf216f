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
from monitor.audio.pitch import CANDIDATES, LAG, PAST, Candidates, empty, path

STEP = 5
"""Frames in a step of 0.1 s."""
AHEAD = LAG + 1
"""Frames that must be heard beyond a frame to decide it: the path's lag, and the rest of its window."""

_PORTION = 20 * STEP
"""Frames decided together at most."""
_FADING = 0.02
"""dB a frame by which the memory of the loudest frame fades (1 dB a second)."""
_QUIET = -120.0

# What is kept of an analysed frame, as rows of one array.
_ACTIVE, _LEVEL, _ALPHA, _SONORANT = range(4)
_OCTAVES = slice(4, 5 + CANDIDATES)
_STRENGTHS = slice(5 + CANDIDATES, 6 + 2 * CANDIDATES)
_ROWS = 6 + 2 * CANDIDATES


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
            yield self._portion(pcm[:, used * self._hop :], active[:, used : used + new])
            used += new
        self._pcm, self._active = [pcm[:, used * self._hop :].copy()], [active[:, used:].copy()]

    def _portion(self, pcm: Floats, active: NDArray[np.bool_]) -> Voices:
        """Analyses the next frames, and decides those whose future is now known."""
        known = np.concatenate([self._past, self._analyse(pcm, active)], axis=-1)
        self._past = known[..., -(PAST + LAG) :].copy()
        octaves, strengths = known[_OCTAVES], known[_STRENGTHS]
        decided = known[..., PAST:-LAG]
        choice = path(octaves, strengths) if decided[_ACTIVE].any() else np.zeros(decided.shape[1:], np.intp)
        octave = np.take_along_axis(decided[_OCTAVES], choice[None], axis=0)[0]
        first, self._decided = self._decided, self._decided + decided.shape[-1]
        return Voices(
            first=first,
            active=decided[_ACTIVE] > 0,
            level=decided[_LEVEL],
            alpha=decided[_ALPHA],
            sonorant=decided[_SONORANT],
            octave=np.where(choice > 0, octave, np.float32(np.nan)),
        )

    def _analyse(self, pcm: Floats, active: NDArray[np.bool_]) -> Floats:
        """The rows of the next frames; ``pcm`` begins one frame before them."""
        rows = _silence(active.shape[1])
        side, frame = np.nonzero(active)
        index = self._analysed + np.arange(active.shape[1])
        self._analysed += active.shape[1]
        if not len(side):
            return rows
        windows = np.lib.stride_tricks.sliding_window_view(pcm, 2 * self._analyser.reach + 1, axis=1)
        starts = (frame + 1) * self._hop + self._hop // 2 - self._analyser.reach
        parts = [
            self._analyser.measure(windows[side[i : i + BATCH], starts[i : i + BATCH]])
            for i in range(0, len(side), BATCH)
        ]
        rows[_ACTIVE, side, frame] = 1
        for row, name in ((_LEVEL, "level"), (_ALPHA, "alpha"), (_SONORANT, "sonorant")):
            rows[row, side, frame] = np.concatenate([getattr(part, name) for part in parts])
        below = self._below_loudest(rows[_LEVEL], index)[side, frame]
        octave, strength = self._candidates.offer(np.concatenate([part.correlation for part in parts]), below)
        rows[_OCTAVES, side, frame], rows[_STRENGTHS, side, frame] = octave.T, strength.T
        return rows

    def _below_loudest(self, level: Floats, index: NDArray[np.intp]) -> Floats:
        """Each frame's level in dB against the loudest one before it, whose memory fades.

        Written with a trend that rises with the frame's number, the fading maximum is a plain one:
        the same to the last bit however the frames are cut.
        """
        trend = index * _FADING
        loudest = np.maximum.accumulate(np.concatenate([self._loudest, level + trend], axis=1), axis=1)
        self._loudest = loudest[:, -1:].copy()
        return np.asarray(level - (loudest[:, 1:] - trend), dtype=np.float32)


def _silence(frames: int) -> Floats:
    """The rows of frames that were not analysed: [rows, 2, frames]."""
    octave, strength = empty((2, frames))
    rows = np.full((_ROWS, 2, frames), np.float32(_QUIET))
    rows[_ACTIVE] = 0
    rows[_OCTAVES], rows[_STRENGTHS] = np.moveaxis(octave, -1, 0), np.moveaxis(strength, -1, 0)
    return rows
