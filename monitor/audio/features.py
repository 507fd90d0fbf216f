"""Acoustic features of 20 ms frames with speech: level, spectral balance, autocorrelation and pitch.

``FrameAnalyser`` computes one windowed spectrum for each frame, which serves all features. The window is 46
ms long (three periods of the lowest pitch, Boersma 1993) and centred on the frame, so a frame needs a little
of its neighbours. Frames are processed in batches small enough for the cache; each is computed by itself, so
its values do not depend on the batch.

``VoiceAnalyser`` follows both sides and adds the pitch path. Its frames come out in steps of 0.1 s on the
call's own grid, as soon as the path has seen far enough ahead. Frames without speech are not analysed, which
saves most of the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import FrameBlock
from monitor.audio.pitch import (
    CANDIDATES,
    LOOKAHEAD,
    LOOKBACK,
    PITCH_RATE,
    Floats,
    PitchCandidates,
    best_path,
    no_candidates,
)

WINDOW_SECONDS = 3 / 65
"""Length of the analysis window."""
SPAN_SECONDS = 0.064
"""Length of the zero-padded transform: window plus longest lag, a power of two of samples."""

BATCH = 50
"""Frames processed together. Larger arrays go back to the system and cost page faults each time."""

_PITCH_BINS = round(PITCH_RATE * SPAN_SECONDS) // 2 + 1
_LEAST = np.float32(1e-20)
"""Replaces zero as a divisor."""
_SILENCE = np.float32(1e-12)
"""Mean square below which a frame counts as empty (-120 dBFS)."""


@dataclass(frozen=True, slots=True)
class FrameFeatures:
    """Features of n frames, all float32.

    ``level`` [n] is dBFS relative to an RMS of 1.0 (a full-scale sine is -3), without DC. ``alpha`` [n] is
    the alpha ratio: the energy above 1 kHz relative to that below, in dB. ``sonorant`` [n] is the level of
    300-2500 Hz alone, where vowels lie, in dBFS. ``correlation`` [n, lags] is the normalised autocorrelation;
    1.0 is a perfect repetition.
    """

    level: Floats
    alpha: Floats
    sonorant: Floats
    correlation: Floats


class FrameAnalyser:
    """Computes ``FrameFeatures`` from windows of audio at ``rate`` (8000 or 16000 Hz).

    ``lags`` is the number of autocorrelation lags, in samples at 8 kHz. The alpha ratio is 1-5 kHz against
    50-1000 Hz, and in the telephone band 1-3.4 kHz against 200-1000 Hz (Nordenberg & Sundberg 2004; the band
    is limited to what a telephone carries).
    """

    def __init__(self, rate: int, lags: int) -> None:
        reach = round(WINDOW_SECONDS * rate) // 2
        self._size = round(SPAN_SECONDS * rate)
        self._window = np.hanning(2 * reach + 3)[1:-1].astype(np.float32)
        self._before = rate // 100 - reach
        self._offsets = np.arange(2 * reach + 1)
        self._mean_square = np.float32(2 / self._size / np.square(self._window).sum(dtype=np.float64))
        below, above = ((50, 1000), (1000, 5000)) if rate >= 2 * PITCH_RATE else ((200, 1000), (1000, 3400))
        self._bands = [
            slice(round(low * SPAN_SECONDS), round(high * SPAN_SECONDS))
            for low, high in ((0, rate // 2), above, below, (300, 2500))
        ]
        self._lags = lags
        # Fading the bins out from 1 to 3.5 kHz rounds the peaks, so that those between two lags count too.
        fade = np.clip((np.arange(_PITCH_BINS) / SPAN_SECONDS - 1000) / 2500, 0, 1)
        self._taper = (0.5 + 0.5 * np.cos(np.pi * fade)).astype(np.float32)
        own = np.fft.irfft(np.abs(np.fft.rfft(self._window, self._size))[:_PITCH_BINS] * self._taper)[:lags]
        self._undo_window = (own[0] / own).astype(np.float32)

    def windows(self, sound: Floats, starts: NDArray[np.intp]) -> Floats:
        """The windows [n, samples] around frames that start at ``starts`` in ``sound``, read as one flat
        row.
        """
        return np.asarray(sound.ravel()[(starts + self._before)[:, None] + self._offsets])

    def measure(self, windows: Floats) -> FrameFeatures:
        """Returns the features of the frames with these ``windows`` (changed in place); at most ``BATCH``."""
        windows -= np.add.reduce(windows, axis=1, keepdims=True) / np.float32(windows.shape[1])
        windows *= self._window
        spectrum = np.fft.rfft(windows, self._size)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        levels = np.empty((len(self._bands), len(windows)), np.float32)
        for level, band in zip(levels, self._bands, strict=True):
            np.add.reduce(power[:, band], axis=1, out=level)
        levels = np.log10(levels * self._mean_square + _SILENCE) * np.float32(10)
        return FrameFeatures(levels[0], levels[1] - levels[2], levels[3], self._correlation(power))

    def _correlation(self, power: Floats) -> Floats:
        """Autocorrelation of the audio up to 4 kHz, divided by that of the window (Boersma 1993, eq. 9).

        It is taken of the magnitudes, not of their squares (a generalised autocorrelation, Tolonen &
        Karjalainen 2000). A telephone removes the fundamental, and with squares one strong harmonic under a
        formant outweighs all others: 4.1 % gross errors instead of 0.8 %. Leaving out the bins above 4 kHz is
        an exact low-pass filter, so 16 kHz audio needs no decimation.
        """
        magnitude = np.sqrt(power[:, :_PITCH_BINS]) * self._taper
        raw = np.fft.irfft(magnitude.astype(np.complex64))
        scale = self._undo_window / np.maximum(raw[:, :1], _LEAST)
        return np.asarray(raw[:, : self._lags] * scale)


STEP = 5
"""Frames in a step of 0.1 s."""
LOOKAHEAD_FRAMES = LOOKAHEAD + 1
"""Frames needed after a frame to decide it: the path's look-ahead, and the rest of its window."""

_PORTION = 20 * STEP
"""Most frames decided together."""
_FADING = 0.02
"""dB per frame by which the memory of the loudest frame fades (1 dB a second)."""
# What is kept of an analysed frame, as rows of one array.
_ACTIVE, _LEVEL, _ALPHA, _SONORANT = range(4)
_OCTAVES = slice(4, 5 + CANDIDATES)
_STRENGTHS = slice(5 + CANDIDATES, 6 + 2 * CANDIDATES)
_SILENT = np.concatenate([np.array([0, -120, 0, -120], np.float32), no_candidates().ravel()])
"""The rows of a frame that was not analysed."""
_SIDES = np.array([[0], [1]])


@dataclass(frozen=True, slots=True)
class VoiceFeatures:
    """Features of n decided frames of both sides, each array [2, n]; ``first`` is the first frame's number.

    Frames in which ``active`` is false were not analysed. ``octave`` is log2 of the pitch in Hz, NaN in
    unvoiced frames. ``level`` and ``sonorant`` are dBFS (RMS), ``alpha`` is dB.
    """

    first: int
    active: NDArray[np.bool_]
    level: Floats
    alpha: Floats
    sonorant: Floats
    octave: Floats


class VoiceAnalyser:
    """Analyses both voices between ``lowest`` and ``highest`` Hz of pitch.

    The results do not depend on how the audio was cut into blocks.
    """

    def __init__(self, rate: int, lowest: float, highest: float) -> None:
        self._hop = rate // 50
        self._candidates = PitchCandidates(lowest, highest)
        self._analyser = FrameAnalyser(rate, self._candidates.lags)
        self._heard = self._analysed = self._decided = 0
        # Sound not yet analysed, from one frame before it on (windows reach that far back).
        self._pcm = [np.zeros((2, self._hop), np.float32)]
        self._active = [np.zeros((2, 0), np.bool_)]
        # Analysed frames that still matter to the path; nothing came before the call.
        self._past = _silence(LOOKBACK)
        self._loudest = np.full((2, 1), -np.inf)

    def feed(self, block: FrameBlock, active: NDArray[np.bool_]) -> Iterator[VoiceFeatures]:
        """Takes a block and ``active`` (bool [2, frames]); yields the frames that can be decided now."""
        self._pcm.append(block.pcm)
        self._active.append(active)
        self._heard += block.frames
        return self._decide((self._heard - LOOKAHEAD_FRAMES) // STEP * STEP)

    def finish(self) -> Iterator[VoiceFeatures]:
        """Yields the last whole steps, as if silence followed."""
        self._pcm.append(np.zeros((2, LOOKAHEAD_FRAMES * self._hop), np.float32))
        self._active.append(np.zeros((2, LOOKAHEAD_FRAMES), np.bool_))
        return self._decide(self._heard // STEP * STEP)

    def _decide(self, until: int) -> Iterator[VoiceFeatures]:
        """Decides the frames before number ``until``, in portions small enough for the cache."""
        if until <= self._decided:
            return
        pcm, active = np.concatenate(self._pcm, axis=1), np.concatenate(self._active, axis=1)
        used = 0
        while self._decided < until:
            new = min(self._decided + _PORTION, until) + LOOKAHEAD - self._analysed
            yield self._portion(pcm, used, active[:, used : used + new])
            used += new
        self._pcm, self._active = [pcm[:, used * self._hop :].copy()], [active[:, used:].copy()]

    def _portion(self, pcm: Floats, used: int, active: NDArray[np.bool_]) -> VoiceFeatures:
        """Analyses the next frames, and decides those whose look-ahead is now complete."""
        known = np.concatenate([self._past, self._analyse(pcm, used, active)], axis=-1)
        self._past = known[..., -(LOOKBACK + LOOKAHEAD) :]
        decided = known[..., LOOKBACK:-LOOKAHEAD]
        octave = np.full(decided.shape[1:], np.float32(np.nan))
        if decided[_ACTIVE].any():
            choice = best_path(known[_OCTAVES], known[_STRENGTHS])
            octave = decided[_OCTAVES][choice, _SIDES, np.arange(decided.shape[-1])]
        first, self._decided = self._decided, self._decided + decided.shape[-1]
        active, level, alpha, sonorant = decided[_ACTIVE] > 0, *decided[_LEVEL : _SONORANT + 1]
        return VoiceFeatures(first, active, level, alpha, sonorant, octave)

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
        found_candidates = self._candidates.find(_joined([part.correlation for part in parts]), below)
        rows[_OCTAVES.start :, side, frame] = found_candidates.reshape(-1, len(side))
        return rows

    def _below_loudest(self, level: Floats, first: int) -> Floats:
        """Each frame's level in dB relative to the loudest one before it, whose memory fades.

        Written with a trend that rises with the frame number, the fading maximum becomes a plain one: the
        same to the last bit however the frames are cut.
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
