"""Crosstalk: finds the frames of one channel that carry only the other side's voice.

A loudspeaker beside a microphone, or a line with an echo, puts A's voice into B's channel. Voice activity
detection cannot tell (it finds speech at -40 dB, whoever speaks), so each frame in which B seems to speak is
compared with A's channel while A speaks or has just spoken.

``CrossCorrelator`` measures the similarity: the last 256 ms of one side are laid over the other side at every
lag from 0 to 350 ms, and the highest normalised cross-correlation counts. It does not depend on level. On
telephone speech, two people who happen to speak at once stay below 0.30 (19 frames in 20), while an echo with
reverberation alone lies above 0.36 (19 in 20; median 0.5), equally from -12 dB down to -30 dB. It is computed
at 4 kHz (8 kHz does not separate the two any better), on every second frame, and only where it is needed.

``CrosstalkDetector`` decides with hysteresis:

    B is         correlation of B with A                B becomes
    clear        0.30 or more, then 0.42 or more        crosstalk
    crosstalk    0.30 or more                           crosstalk
    crosstalk    below 0.30 twice in a row              clear
    crosstalk    nothing to compare for 0.5 s           clear

An echo lasts, and a correlation by chance is gone 40 ms later, so two measurements are needed; otherwise
chance would delay other decisions by half a second. Crosstalk frames do not count as speech. While both sides
really speak over an echo, this removes about a quarter of B's own speech: right for alerts, but talk times of
such a call are too low.
"""

from collections import deque
from dataclasses import dataclass, field
from math import log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import FrameBlock, frames_of
from monitor.config import QualitySettings

CORRELATION_RATE = 4000
"""Sampling rate in Hz at which the correlation is measured."""

CORRELATION_INTERVAL = 2
"""The correlation is measured at the end of every second frame, counted from the start of the call."""

_SAMPLES_PER_FRAME = CORRELATION_RATE // 50
_CORRELATED = 1024  # 256 ms
_LEAD = 16
_TAPS = np.sinc(0.3 * np.arange(-8, 9)) * np.hamming(17)
_TAPS = (_TAPS / _TAPS.sum()).astype(np.float32)
"""Low-pass filter at 0.15 of the old rate: aliases would differ in a copy that is half a sample late."""
_FAINT = 10 ** (-20 / 10)
"""Lags at which the other side has less energy than this, relative to its loudest, hold at most the last
few milliseconds of a voice; a few periods of one vowel resemble those of any other.
"""
_STRONG = 0.7
_NEAR = 5
_HALF_WAY = np.sinc(np.arange(-_NEAR, _NEAR) + 0.5) * np.hamming(2 * _NEAR)
"""Weights that interpolate half-way between the two middle values of ten samples."""
_BATCH = 32  # measurements at a time: more would not be faster, and would need more memory

Floats = NDArray[np.float32]
Spectra = NDArray[Any]  # complex64; numpy's type stubs know complex128 only


@dataclass(frozen=True, slots=True)
class CrossCorrelation:
    """The cross-correlation of both directions at the end of a frame.

    Element ``row`` of each pair says whether that row is a delayed copy of the other one: ``correlation`` is
    0 to 1, ``lag`` the delay in seconds, ``level_difference`` its level minus the other's in dB.
    """

    frame: int
    correlation: tuple[float, float]
    lag: tuple[float, float]
    level_difference: tuple[float, float]


def decimated(sound: Floats) -> Floats:
    """Halves the sampling rate of both rows.

    ``sound`` is float32 [2, 16 + n] with even n; its first 16 samples only feed the filter. A sample comes
    out the same whatever stretch it is computed in.
    """
    n = sound.shape[1] - _LEAD
    thin: Floats = sound[:, 8 : 8 + n : 2] * _TAPS[8]
    for offset in range(8):
        mirror = _LEAD - offset
        thin += (sound[:, offset : offset + n : 2] + sound[:, mirror : mirror + n : 2]) * _TAPS[offset]
    return thin


class CrossCorrelator:
    """Measures how much the two sides resemble each other, at the frames that are requested.

    Audio is kept as it came until a measurement is requested; only what is still needed is decimated then.
    ``longest_lag`` is in seconds.
    """

    def __init__(self, rate: int, longest_lag: float) -> None:
        self._halvings = (rate // CORRELATION_RATE).bit_length() - 1
        self._lags = round(longest_lag * CORRELATION_RATE)
        self._span = _CORRELATED + self._lags
        self._size = _fast_length(self._span)
        lead = _LEAD * (2**self._halvings - 1)
        self._enough = self._span * 2**self._halvings + lead
        self._lead: Floats = np.zeros((2, lead), np.float32)
        self._past: Floats = np.zeros((2, self._span), np.float32)
        self._waiting: deque[Floats] = deque()
        self._length = 0

    def feed(self, block: FrameBlock, requested: NDArray[np.intp]) -> list[CrossCorrelation]:
        """Takes a block and returns one result for each frame number in ``requested``, all in this block."""
        self._waiting.append(block.pcm)
        self._length += block.pcm.shape[1]
        if not requested.size:
            while self._length - self._waiting[0].shape[1] >= self._enough:
                self._length -= self._waiting.popleft().shape[1]
            return []
        windows = np.lib.stride_tricks.sliding_window_view(self._decimate(), self._span, axis=1)
        places = windows.shape[1] - 1 - (block.first + block.frames - 1 - requested) * _SAMPLES_PER_FRAME
        found: list[CrossCorrelation] = []
        for at in range(0, requested.size, _BATCH):
            part = slice(at, at + _BATCH)
            found += self._compare(requested[part], windows[:, places[part]])
        return found

    def _decimate(self) -> Floats:
        """The decimated audio up to now, starting with the first window of what waited."""
        sound = np.concatenate([self._lead, *self._waiting], axis=1)
        self._lead = sound[:, sound.shape[1] - self._lead.shape[1] :].copy()
        self._waiting.clear()
        self._length = 0
        for _ in range(self._halvings):
            sound = decimated(sound)
        sound = np.concatenate([self._past, sound], axis=1)
        self._past = sound[:, -self._span :].copy()
        return sound

    def _compare(self, frames: NDArray[np.intp], windows: Floats) -> list[CrossCorrelation]:
        """``windows`` is float32 [2, frames, samples]; each window ends with its frame."""
        whole: Spectra = np.fft.rfft(windows, self._size)[::-1]
        part: Spectra = np.fft.rfft(windows[:, :, -_CORRELATED:], self._size)
        match = np.fft.irfft(_conjugate_product(whole, part), self._size)
        squares = np.cumsum(np.square(windows), axis=2, dtype=np.float64)
        energy = squares[:, :, _CORRELATED - 1 :].copy()
        energy[:, :, 1:] -= squares[:, :, :-_CORRELATED]
        own, others = energy[:, :, -1], energy[::-1]
        # Where the other side is all but silent there is nothing to resemble.
        floor = others.max(axis=2, keepdims=True) * _FAINT + 1e-7
        alike = np.abs(match[:, :, : self._lags + 1]) / np.sqrt(
            own[:, :, None] * np.maximum(others, floor) + 1e-12
        )
        best = alike.argmax(axis=2)
        correlation = _refined(match, best, np.take_along_axis(alike, best[:, :, None], axis=2)[:, :, 0])
        there = np.take_along_axis(others, best[:, :, None], axis=2)[:, :, 0]
        lag = (self._lags - best) / CORRELATION_RATE
        columns = zip(frames.tolist(), *(x.T.tolist() for x in (correlation, lag, own, there)), strict=True)
        return [
            CrossCorrelation(frame, (p[0], p[1]), (late[0], late[1]), (_gain(a[0], b[0]), _gain(a[1], b[1])))
            for frame, p, late, a, b in columns
        ]


def _conjugate_product(one: Spectra, two: Spectra) -> Spectra:
    """``one`` times the conjugate of ``two``, in separate real operations.

    numpy's complex product uses fused operations at some places of an array and not at others, so the last
    bit would depend on how many frames are compared at once.
    """
    product = np.empty_like(two)
    product.real = one.real * two.real + one.imag * two.imag
    product.imag = one.imag * two.real - one.real * two.imag
    return product


def _gain(own: float, there: float) -> float:
    return 10 * log10((own + 1e-9) / (there + 1e-9))


def _refined(
    match: NDArray[Any], best: NDArray[np.intp], correlation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Strong correlations as high as they are between the samples: a lag is seldom a whole number of them.

    Half-way points come from a windowed sinc, the rest from a parabola. Weak correlations are left as they
    are: their peaks are chance, and so is the shape around them.
    """
    places = (best[:, :, None] + np.arange(-_NEAR, _NEAR + 1)) % match.shape[2]
    around = np.take_along_axis(match, places, axis=2).astype(np.float64)
    middle = around[:, :, _NEAR]
    around /= np.where(np.abs(middle) > 1e-12, middle, 1.0)[:, :, None]
    left = (around[:, :, :-1] * _HALF_WAY).sum(axis=2)
    right = (around[:, :, 1:] * _HALF_WAY).sum(axis=2)
    bend = np.minimum(left - 2 + right, -1e-9)
    top = np.clip(1 - (left - right) ** 2 / (8 * bend), 1.0, 1.1)
    lift = np.maximum(top, np.maximum(left, right))
    return np.where(correlation >= _STRONG, np.minimum(correlation * lift, 1.0), correlation)


def _fast_length(least: int) -> int:
    """The next length of the form 5 * 2^a or 2^b: fast to transform, and long enough not to wrap."""
    power = 1 << (least - 1).bit_length()
    return power * 5 // 8 if power * 5 // 8 >= least else power


Flags = NDArray[np.bool_]

_TAIL = frames_of(0.5)  # an echo is late by up to 0.35 s, and rings on
_RELEASE_CORRELATION = 0.30  # correlation at which crosstalk continues
_SAME_LAG = 0.05  # seconds; one recording on two channels may be late by so much
_EQUAL_DB = 3.0  # below this difference neither side is the weaker one
_NOWHERE = np.zeros(0, np.intp)
_CLEARER = 0.1  # a correlation higher by this shows which side came later


@dataclass(frozen=True, slots=True)
class CrosstalkDecision:
    """The result of one comparison at the end of ``frame``."""

    frame: int
    crosstalk: tuple[bool, bool]
    """Whether each row carries only the other side's voice."""
    same_audio: bool
    """Whether both channels carry the same audio."""
    level_difference: float
    """The level difference between the channels in dB, without sign."""


@dataclass(frozen=True, slots=True)
class CrosstalkResult:
    """The decisions in a block.

    ``crosstalk`` is bool [2, frames], before voice activity is taken into account; ``suppressed`` is bool
    [frames], true where overlap decisions must wait because crosstalk is present or has just ended.
    """

    decisions: list[CrosstalkDecision]
    crosstalk: Flags
    suppressed: Flags


@dataclass(slots=True)
class _Row:
    """The state of one side. ``until`` is the frame at which it is clear again without new comparisons."""

    crosstalk: bool = False
    suspect: bool = False
    misses: int = 0
    until: int = 0
    last_active: int = field(default=-_TAIL - 1)

    def update(self, correlation: float, threshold: float, *, active: bool) -> bool:
        """Takes a correlation and returns whether this is crosstalk; only an active side can become so."""
        suspect, self.suspect = self.suspect, correlation >= _RELEASE_CORRELATION
        if correlation >= (_RELEASE_CORRELATION if self.crosstalk else threshold) and (
            self.crosstalk or suspect
        ):
            self.crosstalk, self.misses = self.crosstalk or active, 0
        else:
            self.misses += 1
            self.crosstalk = self.crosstalk and self.misses < 2
        return self.crosstalk


class CrosstalkDetector:
    """Finds the frames of either side that hold only the other side's voice."""

    def __init__(self, rate: int, settings: QualitySettings) -> None:
        self._correlator = CrossCorrelator(rate, settings.crosstalk_max_lag)
        self._threshold = settings.crosstalk_correlation
        self._same = settings.same_audio
        self._hold = frames_of(settings.crosstalk_hold)
        self._rows = (_Row(), _Row())
        self._suppressed_until = 0

    def feed(self, block: FrameBlock, active: Flags) -> CrosstalkResult:
        """Takes a block and ``active`` (bool [2, frames], the frames in which a side seems to speak)."""
        requested = self._requested(block.first, active)
        crosstalk, suppressed = np.zeros(active.shape, np.bool_), np.zeros(active.shape[1], np.bool_)
        at = block.first
        decisions: list[CrosstalkDecision] = []
        if not requested.size and self._is_idle(at):
            self._correlator.feed(block, requested)
            return CrosstalkResult(decisions, crosstalk, suppressed)
        for correlation in self._correlator.feed(block, requested):
            self._mark(crosstalk, suppressed, block.first, at, correlation.frame)
            at = correlation.frame
            decisions.append(self._judge(correlation, active[:, at - block.first].tolist()))
        self._mark(crosstalk, suppressed, block.first, at, block.first + block.frames)
        return CrosstalkResult(decisions, crosstalk, suppressed)

    def _is_idle(self, frame: int) -> bool:
        return max(self._suppressed_until, *(row.until for row in self._rows)) <= frame

    def _requested(self, first: int, active: Flags) -> NDArray[np.intp]:
        """The frames of the grid at which a side seems to speak while the other does, or just did."""
        talks = [bool(flags.any()) for flags in active]
        if not any(talks):
            return _NOWHERE
        frames = np.arange(first, first + active.shape[1])
        paired = zip(talks, self._rows, strict=True)
        if not all(talk or first - row.last_active <= _TAIL for talk, row in paired):
            # One side alone: nothing to compare, only to remember.
            for side, talk, flags in zip(self._rows, talks, active, strict=True):
                if talk:
                    side.last_active = int(frames[np.flatnonzero(flags)[-1]])
            return _NOWHERE
        near = np.empty_like(active)
        for row, side in enumerate(self._rows):
            latest = np.maximum.accumulate(np.where(active[row], frames, side.last_active))
            near[row] = frames - latest <= _TAIL
            side.last_active = int(latest[-1])
        wanted = (active & near[::-1]).any(axis=0) & (
            frames % CORRELATION_INTERVAL == CORRELATION_INTERVAL - 1
        )
        requested: NDArray[np.intp] = frames[wanted]
        return requested

    def _judge(self, found: CrossCorrelation, active: list[bool]) -> CrosstalkDecision:
        """Decides which side, if any, is an echo of the other at this frame."""
        correlation = list(found.correlation)
        level_difference = (
            found.level_difference[0] if correlation[0] >= correlation[1] else -found.level_difference[1]
        )
        same_audio = max(correlation) >= self._same and max(found.lag) <= _SAME_LAG
        least = min(self._threshold, _RELEASE_CORRELATION)
        if min(correlation) >= least:
            # A voice resembles itself a pitch period later, so both directions may correlate.
            surer = abs(correlation[0] - correlation[1]) > _CLEARER
            wrong = int(correlation[0] > correlation[1]) if surer else int(level_difference < 0)
            correlation[wrong] = 0.0
        if same_audio and abs(level_difference) < _EQUAL_DB:
            correlation = [0.0, 0.0]
        now = found.frame
        crosstalk = [False, False]
        for number, row in enumerate(self._rows):
            if row.until <= now:
                row.crosstalk = False
            speaks = active[number]
            crosstalk[number] = row.update(correlation[number], self._threshold, active=speaks) and speaks
            row.until = now + 1 + _TAIL if row.crosstalk else now
        if same_audio or any(crosstalk):
            self._suppressed_until = now + 1 + self._hold
        return CrosstalkDecision(now, (crosstalk[0], crosstalk[1]), same_audio, abs(level_difference))

    def _mark(self, crosstalk: Flags, suppressed: Flags, first: int, start: int, end: int) -> None:
        """Marks the frames from ``start`` to ``end`` with the present state."""
        for number, row in enumerate(self._rows):
            crosstalk[number, start - first : max(start, min(end, row.until)) - first] = True
        suppressed[start - first : max(start, min(end, self._suppressed_until)) - first] = True
