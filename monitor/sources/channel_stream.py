"""One channel of a live call: from a sound card's ring to the time base of the call.

Reading sound between its samples: what a clock that runs a little fast or slow needs.

A windowed-sinc interpolator (Smith and Gossett, "A flexible sampling-rate conversion method", ICASSP
1984): positions may be any real numbers, so the speed can change at every sample without a click.

What a live call has lost, told in as few words as possible: one ``Gap`` a stretch, or one a second.

Clocks that do not quite agree: a sound card's count of samples against the clock of the machine.

A card that says 16,000 samples a second delivers perhaps 16,004. ``ClockModel`` learns from the moments at
which samples arrive when each was really heard; ``DriftCompensator`` reads the sound at the pace of the
clock, so that two cards stay in step for a whole shift. Pure: times are handed in.

One stream of a call: from a sound card's ring to the time base of the call, through every mishap.
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
BEFORE = TAPS // 2 - 1
"""Samples needed before a position (its own included); ``AFTER`` more are needed behind it."""
AFTER = TAPS // 2
PHASES = 512
"""Places between two samples that are told apart; the rest of the place is left out (-60 dB at 1/4 rate)."""
KAISER_BETA = 8.0


@cache
def _table() -> Samples:
    """Weights for each place between two samples, float32 [PHASES + 1, TAPS]; row 0 is the sample itself."""
    places = np.arange(PHASES + 1)[:, None] / PHASES
    distance = np.arange(-BEFORE, AFTER + 1)[None, :] - places
    inside = np.clip(1.0 - np.square(distance / (TAPS / 2)), 0.0, None)
    weights = np.sinc(distance) * np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def interpolate(pcm: Samples, positions: Positions) -> Samples:
    """The sound of ``pcm``, float32 [channels, n], at ``positions`` in samples from its first one.

    Each position wants ``BEFORE`` samples before and ``AFTER`` behind it.
    """
    if not positions.size:
        return np.zeros((pcm.shape[0], 0), np.float32)
    whole = np.floor(positions).astype(np.int64)
    phase = np.rint((positions - whole) * PHASES).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(pcm, TAPS, axis=1)[:, whole - BEFORE]
    out: Samples = np.einsum("cnt,nt->cn", windows, _table()[phase])
    return out


LONGEST = 1.0
"""Seconds of a stretch that are told in one; a side that stays away is told again and again."""
JOINED = 0.005
"""Seconds between two losses that make one of them; a loss shorter than this is rounding, and not told."""


@dataclass(slots=True)
class _Stretch:
    start: float
    end: float


class LossReporter:
    """Joins the small pieces in which silence was filled in. ``rate`` is that of the blocks, in Hz."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._open: dict[Channel, _Stretch] = {}
        self._told: list[Gap] = []

    def note(self, channel: Channel, at: float, seconds: float) -> None:
        """So many seconds of that side never arrived."""
        stretch = self._open.get(channel)
        if stretch and at - stretch.end <= JOINED and stretch.end - stretch.start < LONGEST:
            stretch.end = at + seconds
            return
        self._close(channel)
        self._open[channel] = _Stretch(at, at + seconds)

    def due(self, upto: int) -> tuple[Gap, ...]:
        """The gaps that are to be told with the block that ends with sample ``upto``."""
        now = upto / self._rate
        for channel in CHANNELS:
            stretch = self._open.get(channel)
            if stretch and (stretch.end + JOINED < now or stretch.end - stretch.start >= LONGEST):
                self._close(channel)
        due = tuple(gap for gap in self._told if gap.detected_at <= now)
        self._told = [gap for gap in self._told if gap.detected_at > now]
        return due

    def _close(self, channel: Channel) -> None:
        stretch = self._open.pop(channel, None)
        if stretch and stretch.end - stretch.start > JOINED:
            start, end = round(stretch.start, 3), round(stretch.end, 3)
            self._told.append(Gap(channel=channel, at=start, seconds=round(end - start, 3), detected_at=end))


BUCKET = 1.0
"""Seconds of which the least late arrival is kept (a block may come late, never early)."""
BUCKETS = 60
SLOPE_FROM = 15
"""Buckets needed before a drift is believed."""
STEP = 0.04
STEP_BUCKETS = 3
"""So many buckets in a row this much (seconds) later than the rest: samples were lost in between."""
MOST_DRIFT = 600e-6
"""No card drifts more than this; what seems to is something else."""
SETTLE = 4.0
"""Seconds over which an error of position is worked off."""
GENTLE, QUICK = 1000e-6, 5000e-6
"""How much faster or slower than its card a side may be read: as a rule, and while it is off by
more than ``FAR`` seconds (0.5 % is a twelfth of a semitone)."""
FAR = 0.008
JUMP = 0.08
"""Seconds by which a side must be off to be put right at once."""


class ClockModel:
    """When each sample of one stream was heard, as far as its arrivals tell.

    ``rate`` is what the card claims, in Hz. Times are seconds of the machine's clock.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._buckets: deque[tuple[float, float]] = deque(maxlen=BUCKETS)
        self._offset: float | None = None
        self._drift = 0.0
        self._middle = 0.0

    @property
    def drift(self) -> float:
        """How much slower the card counts than the clock goes (300e-6: 300 ppm)."""
        return self._drift

    def arrived(self, count: int, at: float) -> None:
        """``count`` samples since the stream began had been heard by ``at``, or a little before."""
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

    def later(self, seconds: float) -> None:
        """All that arrived so far was heard so much later than was believed."""
        self._buckets = deque(((device, late + seconds) for device, late in self._buckets), maxlen=BUCKETS)
        if self._offset is not None:
            self._offset += seconds

    def heard_at(self, count: float) -> float:
        """The moment at which sample ``count`` was heard."""
        device = count / self.rate
        return device + self._late(device)

    def count_at(self, at: float) -> float:
        """The sample that was heard at that moment."""
        offset = self._offset or 0.0
        return (at - offset + self._drift * self._middle) / (1.0 + self._drift) * self.rate

    def _late(self, device: float) -> float:
        return (self._offset or 0.0) + self._drift * (device - self._middle)

    def _fit(self) -> None:
        """A line through the least late arrivals; a step in them forgets what was before it."""
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
        if len(times) >= SLOPE_FROM:
            self._drift = _slope(times - self._middle, late)
        flat = late - self._drift * (times - self._middle)
        self._offset = float(np.quantile(flat, 0.25) if len(times) >= SLOPE_FROM else flat.min())


def _slope(times: NDArray[np.float64], late: NDArray[np.float64]) -> float:
    """The slope of the lower part of the points (Theil and Sen: the median of all pairs' slopes)."""
    rows, columns = np.triu_indices(len(times), k=len(times) // 3)
    slopes = (late[columns] - late[rows]) / (times[columns] - times[rows])
    return float(np.clip(np.median(slopes), -MOST_DRIFT, MOST_DRIFT))


class DriftCompensator:
    """Reads one stream at the pace of the clock: one sample out for each ``1 / rate`` seconds.

    The pace changes slowly, by interpolation, so nothing clicks. ``began`` is the moment of output
    sample 0. A fresh ``ClockModel`` begins with each ``restart`` (the stream was opened anew).
    """

    def __init__(self, rate: int, channels: int, began: float) -> None:
        self.rate = rate
        self.made = 0
        """Output samples given out so far, silence included."""
        self.skipped = 0
        """Samples that came so late that silence already stood in their place."""
        self._channels = channels
        self._began = began
        self.restart()

    def restart(self) -> None:
        """The stream begins anew: its count is 0 again, its clock unknown."""
        self.timeline = ClockModel(self.rate)
        self._held = np.zeros((self._channels, BEFORE), np.float32)
        self._first = -BEFORE
        self._position: float | None = None

    def feed(self, pcm: Samples) -> None:
        """The stream's next samples, float32 [channels, n]."""
        self._held = np.concatenate([self._held, pcm], axis=1)

    @property
    def _end(self) -> int:
        return self._first + self._held.shape[1]

    @property
    def off(self) -> float:
        """Seconds by which the next output lies from where the clock wants it (positive: it is late)."""
        if self._position is None:
            return 0.0
        return (self._wanted() - self._position) / self.rate

    def read(self) -> tuple[int, Samples]:
        """What can be said now: so many samples of silence that must stand first, and then the sound."""
        position, gap = self._position, 0
        if position is None or abs(self.off) > JUMP:
            position, gap = self._put_right()
            self.made += gap
        pace = self._pace()
        size = max(0, int((self._end - AFTER - position) / pace))
        places = position + pace * np.arange(size, dtype=np.float64)
        sound = interpolate(self._held, places - self._first)
        self._position = position + pace * size
        self.made += size
        self._forget()
        return gap, sound

    def silence(self, upto: float) -> int:
        """Fills with silence to that moment; how many samples that took. What comes for them is left out."""
        size = max(0, round((upto - self._began) * self.rate) - self.made)
        self.made += size
        return size

    def _wanted(self) -> float:
        return self.timeline.count_at(self._began + self.made / self.rate)

    def _pace(self) -> float:
        """Samples of the stream for each sample out."""
        off = self.off
        most = QUICK if abs(off) > FAR else GENTLE
        return 1.0 - self.timeline.drift + float(np.clip(off / SETTLE, -most, most))

    def _put_right(self) -> tuple[float, int]:
        """Where the clock wants to go on, and the silence that it takes where that was never heard."""
        wanted = round(self._wanted())
        before = 0 if self._position is None else round(self._position)
        earliest = max(self._first + BEFORE, before)
        self.skipped += max(0, wanted - earliest)
        self._position = float(max(wanted, earliest))
        return self._position, max(0, earliest - wanted)

    def _forget(self) -> None:
        keep_from = int(self._position or 0) - BEFORE
        drop = min(max(0, keep_from - self._first), self._held.shape[1])
        self._held = self._held[:, drop:]
        self._first += drop


READY = 0.5
"""Seconds of a stream that are heard before its clock is believed."""
PATIENCE = 3.0
"""Seconds that an open device may be late before silence stands in for it, so that the other side can go
on. A busy machine delivers late what it has heard; what comes later than this is lost."""
PAUSE = 0.3
"""The same where nothing more will come: the device is gone, or it is a loopback that pauses."""
SETTLED = 2.0
"""Seconds of a stream until its latency is believed for good: on a machine that is busy just then, all blocks
of the first half second may be old, one side's older than the other's. A day begins after that."""
MOST_LATENCY = 0.5
"""Seconds that a block may be old when it arrives, as a rule."""
MOST_AGE = 10.0
"""And when the machine was busy; what a driver says beyond this is nonsense."""


class CaptureStream(Protocol):
    """What a lane hears: an open device (``device.DeviceStream``)."""

    ring: RingBuffer
    rung: int
    overflows: int

    @property
    def active(self) -> bool:
        """Whether it still runs."""

    def stamps(self, after: int) -> NDArray[np.float64]:
        """Samples so far, arrival and age for each block since number ``after``."""

    def close(self) -> None:
        """Lets the device go."""


@dataclass(frozen=True, slots=True)
class AlignedPiece:
    """The next stretch of a lane: ``missing`` samples of silence, then ``sound`` [channels, n].

    ``lost`` tells that the missing ones are sound that never arrived, and no pause of a loopback.
    """

    missing: int
    sound: Samples
    lost: bool = True


class ChannelStream:
    """One device and the side, or both sides, that it hears.

    The keeper's thread sets ``stream`` (None while it is lost); the reader's loop calls the rest.
    """

    def __init__(
        self,
        name: str,
        rate: int,
        sides: tuple[Channel, ...],
        open_: Callable[[], CaptureStream],
        *,
        pauses: bool,
        there: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.rate = rate
        self.sides = sides
        self.open = open_
        self.there = there
        """Whether the device is still what was opened: a sound server moves a stream whose source goes
        away to another one, without a word."""
        self.pauses = pauses
        self.stream: CaptureStream | None = None
        self.overflows = 0
        """Times that the driver said it had to drop sound."""
        self._reading: CaptureStream | None = None
        self._follower = DriftCompensator(rate, len(sides), 0.0)
        self._stamp = 0
        self._base = 0
        self._latency = 0.0
        self._early: list[tuple[int, float, float]] = []
        self._seen = 0
        self._last_news = 0.0
        self._ready = False

    def begin(self, now: float) -> None:
        """The time base begins now; what was heard before is left out."""
        self._follower = DriftCompensator(self.rate, len(self.sides), now)
        self._reading = None
        self._last_news = now

    def read(self, now: float) -> list[AlignedPiece]:
        """What came since the last look, in order."""
        stream = self.stream
        if stream is not self._reading:
            self._reading, self._seen, self._stamp = stream, 0, 0
            self._start_over()
        pieces = []
        if stream is not None:
            self._take(stream, now)
            if self._ready:
                gap, sound = self._follower.read()
                pieces.append(AlignedPiece(gap, sound, lost=not self.pauses))
        late = self._follower.silence(now - (PAUSE if self.pauses or stream is None else PATIENCE))
        if late:
            pieces.append(
                AlignedPiece(late, np.zeros((len(self.sides), 0), np.float32), lost=not self.pauses)
            )
        return [piece for piece in pieces if piece.missing or piece.sound.size]

    def _start_over(self) -> None:
        """The clock of the stream is to be learned anew, from what it gives from here on."""
        stream = self._reading
        self._follower.restart()
        self._ready = False
        self._early = []
        self._base = stream.ring.taken if stream else 0

    def _take(self, stream: CaptureStream, now: float) -> None:
        if stream.overflows > self._seen:
            self.overflows += stream.overflows - self._seen
            self._seen = stream.overflows
            self._start_over()
        rung = stream.rung
        if rung > self._stamp and self.pauses and now - self._last_news > PAUSE:
            self._start_over()  # a loopback that paused counts no samples for the time that passed
        window = stream.ring.take()
        if window.lost:
            self._follower.feed(np.zeros((len(self.sides), window.lost), np.float32))
        self._follower.feed(window.pcm[: len(self.sides)])
        for count, arrival, age in stream.stamps(self._stamp)[: rung - self._stamp]:
            if count > self._base:
                self._learn(int(count) - self._base, float(arrival), float(age))
                self._last_news = now
        self._stamp = rung

    def _learn(self, count: int, arrival: float, age: float) -> None:
        """One block's arrival. How old blocks are when they arrive, the least old of the first ones tells."""
        timeline = self._follower.timeline
        if self._ready:
            if count < SETTLED * self.rate and 0.0 <= age < self._latency:
                timeline.later(self._latency - age)
                self._latency = age
            at, expected = arrival - self._latency, timeline.heard_at(count)
            if at > expected and MOST_AGE > age > self._latency:
                at = max(expected, arrival - age)  # a busy machine: as late as the driver says it is
            timeline.arrived(count, at)
            return
        self._early.append((count, arrival, age))
        if count >= READY * self.rate:
            ages = [age for _, _, age in self._early if 0.0 <= age < MOST_LATENCY]
            self._latency = min(ages, default=0.0)
            for early, at, _ in self._early:
                timeline.arrived(early, at - self._latency)
            self._early = []
            self._ready = True
