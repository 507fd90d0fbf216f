"""Aligns two sides on one time base and resamples them to the call's rate.

Pieces of each side go in, at whatever rate its source has; blocks of both sides come out, aligned, at the
call's rate. The resampler is soxr in its streaming form: the same samples come out however the pieces were
cut, and its delay is already removed, so both sides stay aligned. A side that already has the call's rate is
copied.
"""

from collections import deque
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.events import CHANNELS, FRAME_SECONDS, Band, Block, Channel, Gap

NARROW_RATE = 8000
"""Rate of a telephone call in Hz."""
WIDE_RATE = 16000
"""Rate of any other call in Hz."""
LOWEST_RATE = 8000
"""Lowest rate of a source in Hz."""
HIGHEST_RATE = 192000
"""Highest rate of a source in Hz."""
MAX_SAMPLE = 32.0
"""Samples beyond this are not audio (float files may exceed 1.0, but not by 30 dB)."""

Samples = NDArray[np.float32]


def call_rate(rates: tuple[int, int]) -> int:
    """The sampling rate of a call in Hz: telephone audio is not upsampled."""
    return NARROW_RATE if max(rates) < WIDE_RATE else WIDE_RATE


class ChannelAligner:
    """Aligns and resamples the two sides of a call.

    ``rates`` are the sources' rates in Hz in the order of ``CHANNELS``. Push pieces as they come, take blocks
    as they fill. ``cleaned`` counts, per side, samples that were not finite (replaced by silence) or beyond
    ``MAX_SAMPLE`` (clipped to full scale).
    """

    def __init__(self, rates: tuple[int, int]) -> None:
        self.rate = call_rate(rates)
        self.band: Band = "narrow" if self.rate == NARROW_RATE else "wide"
        self.cleaned: dict[Channel, int] = dict.fromkeys(CHANNELS, 0)
        self._sides = {side: _Side(rate, self.rate) for side, rate in zip(CHANNELS, rates, strict=True)}
        self._gaps: list[Gap] = []
        self._start = 0

    @property
    def ready(self) -> int:
        """Samples (at the call's rate) that both sides can give now."""
        open_sides = [side.ready for side in self._sides.values() if not side.ended]
        return min(open_sides) if open_sides else max(side.ready for side in self._sides.values())

    def push(self, channel: Channel, pcm: Samples) -> None:
        """Adds audio of one side: float32 [n], full scale 1.0, at that side's source rate."""
        clean, wrong = _clean(pcm)
        self.cleaned[channel] += wrong
        self._sides[channel].push(clean)

    def add_loss(self, channel: Channel, samples: int) -> None:
        """``samples`` of that side never arrived: silence replaces them, and a ``Gap`` reports them."""
        side = self._sides[channel]
        at, seconds = side.pushed / side.source_rate, samples / side.source_rate
        known = ceil(round((at + seconds) / FRAME_SECONDS, 6)) * FRAME_SECONDS
        gap = Gap(channel=channel, at=round(at, 3), seconds=round(seconds, 3), detected_at=round(known, 3))
        self._gaps.append(gap)
        for begin in range(0, samples, side.source_rate):
            side.push(np.zeros(min(side.source_rate, samples - begin), np.float32))

    def end(self, channel: Channel) -> None:
        """Ends that side: its resampler's tail comes out, and silence follows while the other side
        continues.
        """
        self._sides[channel].end()

    def take(self, most: int | None = None) -> Block:
        """Returns what both sides can give now, at most ``most`` samples; possibly an empty block."""
        size = self.ready if most is None else min(self.ready, most)
        pcm = np.empty((len(CHANNELS), size), np.float32)
        for row, channel in enumerate(CHANNELS):
            self._sides[channel].take(pcm[row])
        block = Block(self._start, pcm, self._due(self._start + size))
        self._start += size
        return block

    def finish(self) -> Block:
        """Ends both sides and returns the rest of the call, the shorter side padded with silence."""
        for channel in CHANNELS:
            self.end(channel)
        return self.take()

    def _due(self, upto: int) -> tuple[Gap, ...]:
        """The gaps that lie entirely before sample ``upto`` (and belong to the block that ends there)."""
        over = all(side.ended for side in self._sides.values()) and not self.ready
        due = [gap for gap in self._gaps if over or gap.detected_at * self.rate <= upto]
        self._gaps = [gap for gap in self._gaps if gap not in due]
        return tuple(due)


class _Side:
    """One side's resampler, and the samples that it has ready."""

    def __init__(self, source_rate: int, rate: int) -> None:
        self.source_rate = source_rate
        self.pushed = 0
        self.ready = 0
        self.ended = False
        self._pieces: deque[Samples] = deque()
        self._resampler = _resampler(source_rate, rate)

    def push(self, pcm: Samples) -> None:
        if self.ended:
            raise ValueError("this side of the call has ended")
        self.pushed += pcm.size
        self._keep(pcm.copy() if self._resampler is None else self._resampler.resample_chunk(pcm))

    def end(self) -> None:
        if not self.ended and self._resampler is not None and self.pushed:
            self._keep(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        self.ended = True

    def take(self, out: Samples) -> None:
        """Fills ``out``; a side that has ended gives silence once it is empty."""
        at = 0
        while at < out.size and self._pieces:
            piece = self._pieces[0]
            part = min(piece.size, out.size - at)
            out[at : at + part] = piece[:part]
            at += part
            if part == piece.size:
                self._pieces.popleft()
            else:
                self._pieces[0] = piece[part:]
        self.ready -= at
        out[at:] = 0.0

    def _keep(self, pcm: Samples) -> None:
        if pcm.size:
            self._pieces.append(pcm)
            self.ready += pcm.size


def _resampler(source_rate: int, rate: int) -> Any:
    if source_rate == rate:
        return None
    import soxr  # here, not above: it loads a native library, and `monitor --help` does without

    return soxr.ResampleStream(source_rate, rate, 1, dtype="float32", quality="HQ")


def _clean(pcm: Samples) -> tuple[Samples, int]:
    """The samples without invalid values, and how many were invalid."""
    pcm = np.ascontiguousarray(pcm, np.float32)
    if not pcm.size or (pcm.min() >= -MAX_SAMPLE and pcm.max() <= MAX_SAMPLE):  # NaN fails both comparisons
        return pcm, 0
    wild = ~(np.abs(pcm) <= MAX_SAMPLE)
    clean = np.where(wild, np.sign(np.nan_to_num(pcm, nan=0.0, posinf=0.0, neginf=0.0)), pcm)
    return clean.astype(np.float32), int(np.count_nonzero(wild))
