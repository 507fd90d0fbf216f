"""Crosstalk: the other side's voice in this side's channel, found by cross-correlation.

How much one side's sound is the other side's voice, a little later.

The last 256 ms of one side are laid over the other side at every delay from 0 to 350 ms; the best
normalised correlation is the likeness. It does not depend on level. On telephone speech, two people who
happen to talk at once stay below 0.30 (19 frames in 20), a reverberant echo alone lies above 0.36 (19 in
20, median 0.5), from -12 dB down to -30 dB alike.

It is measured at 4 kHz (at 8 kHz the two lie no further apart), on every second frame of the call, and
only where there is something to ask.

Bleed: the other side's voice in this side's channel, and the frames that are nothing else.

A loudspeaker beside a microphone, or a line that answers with an echo, puts A's voice into B's channel.
Voice activity cannot tell (it hears speech at -40 dB, whoever speaks), so each frame that seems to be
B's is compared with A's sound while A talks or has just talked:

    B is          likeness of B to A                     B becomes
    clear         0.30 or more, then 0.42 or more        bled
    bled          0.30 or more                           bled
    bled          below 0.30 twice in a row              clear
    bled          nothing to compare for 0.5 s           clear

An echo lasts, and what is alike by chance is not so 40 ms later: it takes two looks, so that chance does
not put off by half a second what is to be told. Bled frames are no speech. The guard costs about a quarter
of B's own words while both really talk at once over an echo; that is right for alerts and wrong for
counting talk time in such a call.
"""

from collections import deque
from dataclasses import dataclass, field
from math import log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import Run
from monitor.audio.overlap import frames_in
from monitor.config import QualitySettings

THIN_RATE = 4000
"""Samples a second at which likeness is measured."""

GRID = 2
"""A likeness is measured at the end of every second frame, counted from the start of the call."""

_THIN_FRAME = THIN_RATE // 50
_CORRELATED = 1024  # 256 ms
_LEAD = 16
_TAPS = np.sinc(0.3 * np.arange(-8, 9)) * np.hamming(17)
_TAPS = (_TAPS / _TAPS.sum()).astype(np.float32)
"""A low pass at 0.15 of the old rate: what folds over would be unlike in a copy half a sample late."""
_FAINT = 10 ** (-20 / 10)
"""A place that has less of the other's energy than this, against its loudest one, holds a voice's last few
milliseconds at most; a few periods of one vowel are like those of any other."""
_STRONG = 0.7
_NEAR = 5
_HALF_WAY = np.sinc(np.arange(-_NEAR, _NEAR) + 0.5) * np.hamming(2 * _NEAR)
"""Weights that give the value half-way between the two middle ones of ten samples."""
_BATCH = 32  # measurements at a time: more would not be faster, and would need more memory

Floats = NDArray[np.float32]
Spectra = NDArray[Any]  # complex64; numpy's type stubs know complex128 only


@dataclass(frozen=True, slots=True)
class CrossCorrelation:
    """How one side resembles the other at the end of a frame; the fields hold both directions.

    Place ``row`` answers: is this row made of the other one? ``likeness`` is 0 to 1, ``lag`` seconds
    that it comes after the other, ``gain`` its level against it in dB.
    """

    frame: int
    likeness: tuple[float, float]
    lag: tuple[float, float]
    gain: tuple[float, float]


def thinned(sound: Floats) -> Floats:
    """Half as many samples of both rows.

    ``sound`` is [2, 16 + n] with even n; its first 16 samples only lead in. Each sample comes out the same
    whatever stretch it is computed in.
    """
    n = sound.shape[1] - _LEAD
    thin: Floats = sound[:, 8 : 8 + n : 2] * _TAPS[8]
    for offset in range(8):
        mirror = _LEAD - offset
        thin += (sound[:, offset : offset + n : 2] + sound[:, mirror : mirror + n : 2]) * _TAPS[offset]
    return thin


class CrossCorrelator:
    """Measures how the two sides resemble each other, at the frames asked for.

    Sound waits as it came until something is asked; only then what is still needed of it is thinned.
    """

    def __init__(self, rate: int, longest_lag: float) -> None:
        self._halvings = (rate // THIN_RATE).bit_length() - 1
        self._lags = round(longest_lag * THIN_RATE)
        self._span = _CORRELATED + self._lags
        self._size = _fast_length(self._span)
        lead = _LEAD * (2**self._halvings - 1)
        self._enough = self._span * 2**self._halvings + lead
        self._lead: Floats = np.zeros((2, lead), np.float32)
        self._past: Floats = np.zeros((2, self._span), np.float32)
        self._waiting: deque[Floats] = deque()
        self._length = 0

    def feed(self, run: Run, asked: NDArray[np.intp]) -> list[CrossCorrelation]:
        """Hears the run; one answer for each asked frame number of this run."""
        self._waiting.append(run.pcm)
        self._length += run.pcm.shape[1]
        if not asked.size:
            while self._length - self._waiting[0].shape[1] >= self._enough:
                self._length -= self._waiting.popleft().shape[1]
            return []
        windows = np.lib.stride_tricks.sliding_window_view(self._thin(), self._span, axis=1)
        places = windows.shape[1] - 1 - (run.first + run.frames - 1 - asked) * _THIN_FRAME
        found: list[CrossCorrelation] = []
        for at in range(0, asked.size, _BATCH):
            part = slice(at, at + _BATCH)
            found += self._compare(asked[part], windows[:, places[part]])
        return found

    def _thin(self) -> Floats:
        """The thinned sound up to now, from the first window of what waited on."""
        sound = np.concatenate([self._lead, *self._waiting], axis=1)
        self._lead = sound[:, sound.shape[1] - self._lead.shape[1] :].copy()
        self._waiting.clear()
        self._length = 0
        for _ in range(self._halvings):
            sound = thinned(sound)
        sound = np.concatenate([self._past, sound], axis=1)
        self._past = sound[:, -self._span :].copy()
        return sound

    def _compare(self, frames: NDArray[np.intp], windows: Floats) -> list[CrossCorrelation]:
        """``windows`` is [2, frames, samples], each ending with its frame."""
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
        likeness = _refined(match, best, np.take_along_axis(alike, best[:, :, None], axis=2)[:, :, 0])
        there = np.take_along_axis(others, best[:, :, None], axis=2)[:, :, 0]
        lag = (self._lags - best) / THIN_RATE
        columns = zip(frames.tolist(), *(x.T.tolist() for x in (likeness, lag, own, there)), strict=True)
        return [
            CrossCorrelation(frame, (p[0], p[1]), (late[0], late[1]), (_gain(a[0], b[0]), _gain(a[1], b[1])))
            for frame, p, late, a, b in columns
        ]


def _conjugate_product(one: Spectra, two: Spectra) -> Spectra:
    """``one`` times the conjugate of ``two``, in plain real steps.

    numpy's complex product fuses steps for some places of an array and not for others, so that the last
    bit would depend on how many frames are compared at once.
    """
    product = np.empty_like(two)
    product.real = one.real * two.real + one.imag * two.imag
    product.imag = one.imag * two.real - one.real * two.imag
    return product


def _gain(own: float, there: float) -> float:
    return 10 * log10((own + 1e-9) / (there + 1e-9))


def _refined(
    match: NDArray[Any], best: NDArray[np.intp], likeness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Strong likenesses as high as they are between the samples: a delay is seldom a whole number of them.

    Half-way points by a windowed sinc, the rest by a parabola. Weak likenesses are left alone: their
    peaks are chance, and so is the shape around them.
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
    return np.where(likeness >= _STRONG, np.minimum(likeness * lift, 1.0), likeness)


def _fast_length(least: int) -> int:
    """The next length of the form 5 * 2^a or 2^b: quick to transform, and long enough not to wrap."""
    power = 1 << (least - 1).bit_length()
    return power * 5 // 8 if power * 5 // 8 >= least else power


Flags = NDArray[np.bool_]

_TAIL = frames_in(0.5)  # an echo is late by up to 0.35 s, and rings on
_STILL = 0.30  # likeness from which a bled side stays bled
_SAME_LAG = 0.05  # seconds; one recording on two channels may be late by so much
_EQUAL_DB = 3.0  # below this difference neither side is the weaker one
_NOWHERE = np.zeros(0, np.intp)
_CLEARER = 0.1  # a likeness higher by this tells which side came later


@dataclass(frozen=True, slots=True)
class CrosstalkDecision:
    """What one comparison came to."""

    frame: int
    bled: tuple[bool, bool]
    same: bool
    """Both channels carry the same sound."""
    gain: float
    """The level difference between the channels in dB, without sign."""


@dataclass(frozen=True, slots=True)
class CrosstalkResult:
    """The verdicts on a run, and its frames of each row that are bled (before activity is asked)."""

    verdicts: list[CrosstalkDecision]
    bled: Flags
    hushed: Flags


@dataclass(slots=True)
class _Row:
    """One side's state. ``until`` is the frame at which it is clear again if nothing more is compared."""

    bled: bool = False
    suspect: bool = False
    misses: int = 0
    until: int = 0
    last_active: int = field(default=-_TAIL - 1)

    def hear(self, likeness: float, threshold: float, *, active: bool) -> bool:
        """Takes one more likeness in; True while bled. Only a side that seems to speak becomes bled."""
        suspect, self.suspect = self.suspect, likeness >= _STILL
        if likeness >= (_STILL if self.bled else threshold) and (self.bled or suspect):
            self.bled, self.misses = self.bled or active, 0
        else:
            self.misses += 1
            self.bled = self.bled and self.misses < 2
        return self.bled


class CrosstalkDetector:
    """Finds the frames of either side that are only the other side's echo."""

    def __init__(self, rate: int, settings: QualitySettings) -> None:
        self._comparer = CrossCorrelator(rate, settings.crosstalk_lag)
        self._threshold = settings.crosstalk_correlation
        self._same = settings.same_audio
        self._hush = frames_in(settings.hush_after_crosstalk)
        self._rows = (_Row(), _Row())
        self._hushed_until = 0

    def feed(self, run: Run, active: Flags) -> CrosstalkResult:
        """Hears a run and who seems to speak in it."""
        asked = self._asked(run.first, active)
        bled, hushed = np.zeros(active.shape, np.bool_), np.zeros(active.shape[1], np.bool_)
        at = run.first
        verdicts: list[CrosstalkDecision] = []
        if not asked.size and self._at_rest(at):
            self._comparer.feed(run, asked)
            return CrosstalkResult(verdicts, bled, hushed)
        for likeness in self._comparer.feed(run, asked):
            self._lay(bled, hushed, run.first, at, likeness.frame)
            at = likeness.frame
            verdicts.append(self._judge(likeness, active[:, at - run.first].tolist()))
        self._lay(bled, hushed, run.first, at, run.first + run.frames)
        return CrosstalkResult(verdicts, bled, hushed)

    def _at_rest(self, frame: int) -> bool:
        return max(self._hushed_until, *(row.until for row in self._rows)) <= frame

    def _asked(self, first: int, active: Flags) -> NDArray[np.intp]:
        """The frames of the grid where a side seems to speak while the other does, or just did."""
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
            heard = np.maximum.accumulate(np.where(active[row], frames, side.last_active))
            near[row] = frames - heard <= _TAIL
            side.last_active = int(heard[-1])
        wanted = (active & near[::-1]).any(axis=0) & (frames % GRID == GRID - 1)
        asked: NDArray[np.intp] = frames[wanted]
        return asked

    def _judge(self, found: CrossCorrelation, active: list[bool]) -> CrosstalkDecision:
        """Which side, if any, is the echo of the other at this frame."""
        likeness = list(found.likeness)
        gain = found.gain[0] if likeness[0] >= likeness[1] else -found.gain[1]
        same = max(likeness) >= self._same and max(found.lag) <= _SAME_LAG
        least = min(self._threshold, _STILL)
        if min(likeness) >= least:
            # A voice resembles itself a pitch period later, so both directions may look alike.
            surer = abs(likeness[0] - likeness[1]) > _CLEARER
            wrong = int(likeness[0] > likeness[1]) if surer else int(gain < 0)
            likeness[wrong] = 0.0
        if same and abs(gain) < _EQUAL_DB:
            likeness = [0.0, 0.0]
        now = found.frame
        bled = [False, False]
        for number, row in enumerate(self._rows):
            if row.until <= now:
                row.bled = False
            speaks = active[number]
            bled[number] = row.hear(likeness[number], self._threshold, active=speaks) and speaks
            row.until = now + 1 + _TAIL if row.bled else now
        if same or any(bled):
            self._hushed_until = now + 1 + self._hush
        return CrosstalkDecision(now, (bled[0], bled[1]), same, abs(gain))

    def _lay(self, bled: Flags, hushed: Flags, first: int, start: int, end: int) -> None:
        """Lays the present state over the frames from ``start`` to ``end``."""
        for number, row in enumerate(self._rows):
            bled[number, start - first : max(start, min(end, row.until)) - first] = True
        hushed[start - first : max(start, min(end, self._hushed_until)) - first] = True
