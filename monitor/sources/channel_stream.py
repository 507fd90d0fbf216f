"""One audio device of a live call: from its ring buffer to the time base of the call.

``ChannelStream`` reads a device through every mishap: late blocks, overflows, losses, devices that pause.
``ClockModel`` estimates when each sample was recorded: a card that claims 16,000 samples a second delivers
perhaps 16,004. ``DriftCompensator`` resamples the audio to the machine's clock by interpolation, so that two
cards stay aligned for a whole shift. ``LossReporter`` merges small losses into ``Gap`` events. All but the
device itself is free of I/O: times are passed in.

The interpolation is a windowed sinc (Smith & Gossett, "A flexible sampling-rate conversion method", ICASSP
1984): positions may be any real numbers, so the speed can change at every sample without a click.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.events import CHANNELS, Channel, Gap
from monitor.sources.ring import RingBuffer

Samples = NDArray[np.float32]
Positions = NDArray[np.float64]

TAPS = 32
"""Length of the interpolation filter in samples."""
BEFORE = TAPS // 2 - 1
"""Samples needed before a position (its own included); ``AFTER`` more are needed after it."""
AFTER = TAPS // 2
PHASES = 512
"""Positions between two samples that are distinguished; the remainder is ignored (-60 dB at 1/4 rate)."""
KAISER_BETA = 8.0


@cache
def _table() -> Samples:
    """Filter weights for each position between two samples, float32 [PHASES + 1, TAPS]; row 0 is the
    sample itself.
    """
    places = np.arange(PHASES + 1)[:, None] / PHASES
    distance = np.arange(-BEFORE, AFTER + 1)[None, :] - places
    inside = np.clip(1.0 - np.square(distance / (TAPS / 2)), 0.0, None)
    weights = np.sinc(distance) * np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def interpolate(pcm: Samples, positions: Positions) -> Samples:
    """Returns ``pcm`` (float32 [channels, n]) at ``positions`` (float64, samples from its first one).

    Each position needs ``BEFORE`` samples before and ``AFTER`` after it.
    """
    if not positions.size:
        return np.zeros((pcm.shape[0], 0), np.float32)
    whole = np.floor(positions).astype(np.int64)
    phase = np.rint((positions - whole) * PHASES).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(pcm, TAPS, axis=1)[:, whole - BEFORE]
    out: Samples = np.einsum("cnt,nt->cn", windows, _table()[phase])
    return out


MAX_GAP = 1.0
"""Longest gap reported at once, in seconds; a longer loss is reported in several gaps."""
MERGE_WITHIN = 0.005
"""Seconds between two losses that are merged; a shorter loss is rounding, and is not reported."""


@dataclass(slots=True)
class _Stretch:
    start: float
    end: float


class LossReporter:
    """Merges the small pieces of missing audio into gaps. ``rate`` is that of the blocks, in Hz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._open: dict[Channel, _Stretch] = {}
        self._closed: list[Gap] = []

    def add(self, channel: Channel, at: float, seconds: float) -> None:
        """Adds ``seconds`` of audio of one side that never arrived, at call second ``at``."""
        stretch = self._open.get(channel)
        if stretch and at - stretch.end <= MERGE_WITHIN and stretch.end - stretch.start < MAX_GAP:
            stretch.end = at + seconds
            return
        self._close(channel)
        self._open[channel] = _Stretch(at, at + seconds)

    def due(self, upto: int) -> tuple[Gap, ...]:
        """Returns the gaps to report with the block that ends before sample ``upto``."""
        now = upto / self._rate
        for channel in CHANNELS:
            stretch = self._open.get(channel)
            if stretch and (stretch.end + MERGE_WITHIN < now or stretch.end - stretch.start >= MAX_GAP):
                self._close(channel)
        due = tuple(gap for gap in self._closed if gap.detected_at <= now)
        self._closed = [gap for gap in self._closed if gap.detected_at > now]
        return due

    def _close(self, channel: Channel) -> None:
        stretch = self._open.pop(channel, None)
        if stretch and stretch.end - stretch.start > MERGE_WITHIN:
            start, end = round(stretch.start, 3), round(stretch.end, 3)
            self._closed.append(
                Gap(channel=channel, at=start, seconds=round(end - start, 3), detected_at=end)
            )


BUCKET = 1.0
"""Seconds of which the least late arrival is kept (a block may come late, never early)."""
BUCKETS = 60
"""Buckets that are kept."""
MIN_BUCKETS = 15
"""Buckets needed before a drift is trusted."""
STEP = 0.04
"""Seconds of additional delay that count as a step."""
STEP_BUCKETS = 3
"""Buckets in a row that must be later by ``STEP``: samples were lost in between."""
MAX_DRIFT = 600e-6
"""Greatest drift of a sound card; more is something else."""
CORRECTION_TIME = 4.0
"""Seconds over which a position error is corrected."""
SLOW_CORRECTION, FAST_CORRECTION = 1000e-6, 5000e-6
"""Greatest change of the reading speed: normally, and while the error is more than ``FAST_BEYOND`` seconds
(0.5 % is a twelfth of a semitone).
"""
FAST_BEYOND = 0.008
JUMP_BEYOND = 0.08
"""Position error in seconds that is corrected at once."""


class ClockModel:
    """Estimates when each sample of one stream was recorded, from the times at which blocks arrived.

    ``rate`` is the card's nominal rate in Hz. Times are seconds of the machine's clock.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._buckets: deque[tuple[float, float]] = deque(maxlen=BUCKETS)
        self._offset: float | None = None
        self._drift = 0.0
        self._middle = 0.0

    @property
    def drift(self) -> float:
        """How much slower the card counts than the clock (300e-6: 300 ppm)."""
        return self._drift

    def add_arrival(self, count: int, at: float) -> None:
        """``count`` samples since the start of the stream had been recorded by ``at``, or a little before."""
        device = count / self.rate
        late = at - device
        if self._offset is None:
            self._offset, self._middle = late, device
        if not self._buckets or device >= self._buckets[-1][0] + BUCKET:
            self._buckets.append((device, late))
            self._fit()
        elif late < self._buckets[-1][1]:
            self._buckets[-1] = (self._buckets[-1][0], late)
            if late < self._late(device):
                self._fit()

    def shift(self, seconds: float) -> None:
        """All arrivals so far were ``seconds`` later than assumed."""
        self._buckets = deque(((device, late + seconds) for device, late in self._buckets), maxlen=BUCKETS)
        if self._offset is not None:
            self._offset += seconds

    def time_of(self, count: float) -> float:
        """The time at which sample number ``count`` was recorded."""
        device = count / self.rate
        return device + self._late(device)

    def sample_at(self, at: float) -> float:
        """The number of the sample that was recorded at time ``at``."""
        offset = self._offset or 0.0
        return (at - offset + self._drift * self._middle) / (1.0 + self._drift) * self.rate

    def _late(self, device: float) -> float:
        return (self._offset or 0.0) + self._drift * (device - self._middle)

    def _fit(self) -> None:
        """Fits a line through the least late arrivals; a step in them discards what was before it."""
        times, late = np.array(self._buckets).T
        if len(times) > STEP_BUCKETS + 2:
            expected = np.median(late[:-STEP_BUCKETS] + self._drift * (times[-1] - times[:-STEP_BUCKETS]))
            if late[-STEP_BUCKETS:].min() > expected + STEP:
                newest = list(self._buckets)[-STEP_BUCKETS:]
                self._buckets.clear()
                self._buckets.extend(newest)
                times, late = times[-STEP_BUCKETS:], late[-STEP_BUCKETS:]
                self._drift = 0.0
        self._middle = float(times.mean())
        if len(times) >= MIN_BUCKETS:
            self._drift = _slope(times - self._middle, late)
        flat = late - self._drift * (times - self._middle)
        self._offset = float(np.quantile(flat, 0.25) if len(times) >= MIN_BUCKETS else flat.min())


def _slope(times: NDArray[np.float64], late: NDArray[np.float64]) -> float:
    """The slope of the lower part of the points (Theil & Sen: the median of all pairs' slopes)."""
    rows, columns = np.triu_indices(len(times), k=len(times) // 3)
    slopes = (late[columns] - late[rows]) / (times[columns] - times[rows])
    return float(np.clip(np.median(slopes), -MAX_DRIFT, MAX_DRIFT))


class DriftCompensator:
    """Resamples one stream to the machine's clock: one output sample for each ``1 / rate`` seconds.

    The speed changes slowly, by interpolation, so nothing clicks. ``began`` is the time of output sample 0.
    Each ``restart`` (the stream was opened again) starts with a new ``ClockModel``.
    """

    def __init__(self, rate: int, channels: int, began: float) -> None:
        self.rate = rate
        self.samples_out = 0
        """Output samples so far, including silence."""
        self.samples_skipped = 0
        """Samples that came so late that silence already stood in their place."""
        self._channels = channels
        self._began = began
        self.restart()

    def restart(self) -> None:
        """The stream starts again: its sample count is 0, its clock unknown."""
        self.clock = ClockModel(self.rate)
        self._held = np.zeros((self._channels, BEFORE), np.float32)
        self._first = -BEFORE
        self._position: float | None = None

    def feed(self, pcm: Samples) -> None:
        """Takes the stream's next samples, float32 [channels, n]."""
        self._held = np.concatenate([self._held, pcm], axis=1)

    @property
    def _end(self) -> int:
        return self._first + self._held.shape[1]

    @property
    def error(self) -> float:
        """Seconds between the next output sample and where the clock wants it (positive: it is late)."""
        if self._position is None:
            return 0.0
        return (self._target() - self._position) / self.rate

    def read(self) -> tuple[int, Samples]:
        """Returns what is ready: a number of samples of silence that come first, and the audio after them."""
        position, gap = self._position, 0
        if position is None or abs(self.error) > JUMP_BEYOND:
            position, gap = self._resynchronise()
            self.samples_out += gap
        speed = self._speed()
        size = max(0, int((self._end - AFTER - position) / speed))
        places = position + speed * np.arange(size, dtype=np.float64)
        sound = interpolate(self._held, places - self._first)
        self._position = position + speed * size
        self.samples_out += size
        self._forget()
        return gap, sound

    def silence(self, upto: float) -> int:
        """Fills with silence up to the time ``upto`` and returns how many samples that took.

        Audio that comes for them later is skipped.
        """
        size = max(0, round((upto - self._began) * self.rate) - self.samples_out)
        self.samples_out += size
        return size

    def _target(self) -> float:
        return self.clock.sample_at(self._began + self.samples_out / self.rate)

    def _speed(self) -> float:
        """Samples of the stream for each output sample."""
        off = self.error
        most = FAST_CORRECTION if abs(off) > FAST_BEYOND else SLOW_CORRECTION
        return 1.0 - self.clock.drift + float(np.clip(off / CORRECTION_TIME, -most, most))

    def _resynchronise(self) -> tuple[float, int]:
        """Moves the position to where the clock wants it; returns it, and the silence where there is no
        audio.
        """
        target = round(self._target())
        before = 0 if self._position is None else round(self._position)
        earliest = max(self._first + BEFORE, before)
        self.samples_skipped += max(0, target - earliest)
        self._position = float(max(target, earliest))
        return self._position, max(0, earliest - target)

    def _forget(self) -> None:
        keep_from = int(self._position or 0) - BEFORE
        drop = min(max(0, keep_from - self._first), self._held.shape[1])
        self._held = self._held[:, drop:]
        self._first += drop


CLOCK_READY = 0.5
"""Seconds of a stream that are needed before its clock is trusted."""
MAX_DELAY = 3.0
"""Seconds that an open device may be late before silence replaces its audio, so that the other side can
continue. A busy machine delivers late what it has recorded; what comes later than this is lost.
"""
IDLE_DELAY = 0.3
"""The same where nothing more will come: the device is gone, or it is a loopback that pauses."""
LATENCY_SETTLED = 2.0
"""Seconds of a stream until its latency is final: on a machine that is busy at the start, all blocks of the
first half second may be old, one side's older than the other's.
"""
MAX_LATENCY = 0.5
"""Age in seconds that a block normally has at most when it arrives."""
MAX_AGE = 10.0
"""The same on a busy machine; a driver that reports more is wrong."""


class CaptureStream(Protocol):
    """An open device as a channel stream needs it (``device.DeviceStream``).

    ``blocks_received`` counts the blocks that came, ``overflows`` the times that the driver dropped audio.
    """

    ring: RingBuffer
    blocks_received: int
    overflows: int

    @property
    def active(self) -> bool:
        """Whether it is still running."""

    def stamps(self, after: int) -> NDArray[np.float64]:
        """For each block since number ``after``: samples so far, arrival time, and age; float64 [n, 3]."""

    def close(self) -> None:
        """Closes the device."""


@dataclass(frozen=True, slots=True)
class AlignedPiece:
    """The next piece of a stream: ``missing`` samples of silence, then ``sound``, float32 [channels, n].

    ``lost`` says that the missing samples are audio that never arrived, and no pause of a loopback.
    """

    missing: int
    sound: Samples
    lost: bool = True


class ChannelStream:
    """One device, and the side, or both sides, that it records.

    The supervisor's thread sets ``stream`` (None while the device is lost); the reader's loop calls the
    methods. ``open_`` opens the device; ``pauses_when_idle`` says that it delivers nothing while nothing is
    played.
    """

    def __init__(
        self,
        name: str,
        rate: int,
        sides: tuple[Channel, ...],
        open_: Callable[[], CaptureStream],
        *,
        pauses_when_idle: bool,
        is_available: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.rate = rate
        self.sides = sides
        self.open = open_
        self.is_available = is_available
        """Whether the device is still the one that was opened: a sound server moves a stream whose source
        goes away to another source, without notice.
        """
        self.pauses_when_idle = pauses_when_idle
        self.stream: CaptureStream | None = None
        self.overflows = 0
        """Times that the driver reported that it had to drop audio."""
        self._reading: CaptureStream | None = None
        self._compensator = DriftCompensator(rate, len(sides), 0.0)
        self._stamp = 0
        self._base = 0
        self._latency = 0.0
        self._first_blocks: list[tuple[int, float, float]] = []
        self._overflows_seen = 0
        self._last_block_at = 0.0
        self._ready = False

    def begin(self, now: float) -> None:
        """Starts the time base at ``now``; audio from before is dropped."""
        self._compensator = DriftCompensator(self.rate, len(self.sides), now)
        self._reading = None
        self._last_block_at = now

    def read(self, now: float) -> list[AlignedPiece]:
        """Returns what came since the last read, in order; ``now`` is the machine's clock in seconds."""
        stream = self.stream
        if stream is not self._reading:
            self._reading, self._overflows_seen, self._stamp = stream, 0, 0
            self._start_over()
        pieces = []
        if stream is not None:
            self._take(stream, now)
            if self._ready:
                gap, sound = self._compensator.read()
                pieces.append(AlignedPiece(gap, sound, lost=not self.pauses_when_idle))
        late = self._compensator.silence(
            now - (IDLE_DELAY if self.pauses_when_idle or stream is None else MAX_DELAY)
        )
        if late:
            pieces.append(
                AlignedPiece(late, np.zeros((len(self.sides), 0), np.float32), lost=not self.pauses_when_idle)
            )
        return [piece for piece in pieces if piece.missing or piece.sound.size]

    def _start_over(self) -> None:
        """Starts a new clock model from what the stream delivers from here on."""
        stream = self._reading
        self._compensator.restart()
        self._ready = False
        self._first_blocks = []
        self._base = stream.ring.taken if stream else 0

    def _take(self, stream: CaptureStream, now: float) -> None:
        if stream.overflows > self._overflows_seen:
            self.overflows += stream.overflows - self._overflows_seen
            self._overflows_seen = stream.overflows
            self._start_over()
        blocks_received = stream.blocks_received
        if blocks_received > self._stamp and self.pauses_when_idle and now - self._last_block_at > IDLE_DELAY:
            self._start_over()  # a loopback that paused counts no samples for the time that passed
        window = stream.ring.take()
        if window.lost:
            self._compensator.feed(np.zeros((len(self.sides), window.lost), np.float32))
        self._compensator.feed(window.pcm[: len(self.sides)])
        for count, arrival, age in stream.stamps(self._stamp)[: blocks_received - self._stamp]:
            if count > self._base:
                self._learn(int(count) - self._base, float(arrival), float(age))
                self._last_block_at = now
        self._stamp = blocks_received

    def _learn(self, count: int, arrival: float, age: float) -> None:
        """Takes one block's arrival. The smallest age among the first blocks is the latency of the device."""
        clock = self._compensator.clock
        if self._ready:
            if count < LATENCY_SETTLED * self.rate and 0.0 <= age < self._latency:
                clock.shift(self._latency - age)
                self._latency = age
            at, expected = arrival - self._latency, clock.time_of(count)
            if at > expected and MAX_AGE > age > self._latency:
                at = max(expected, arrival - age)  # a busy machine: as late as the driver says it is
            clock.add_arrival(count, at)
            return
        self._first_blocks.append((count, arrival, age))
        if count >= CLOCK_READY * self.rate:
            ages = [age for _, _, age in self._first_blocks if 0.0 <= age < MAX_LATENCY]
            self._latency = min(ages, default=0.0)
            for first_block, at, _ in self._first_blocks:
                clock.add_arrival(first_block, at - self._latency)
            self._first_blocks = []
            self._ready = True
