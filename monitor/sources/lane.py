"""One stream of a call: from a sound card's ring to the time base of the call, through every mishap."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.audio.ring import Ring
from monitor.events import Channel
from monitor.sources.clocks import Follower

Samples = NDArray[np.float32]

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


class Stream(Protocol):
    """What a lane hears: an open device (``device.DeviceStream``)."""

    ring: Ring
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
class Piece:
    """The next stretch of a lane: ``missing`` samples of silence, then ``sound`` [channels, n].

    ``lost`` tells that the missing ones are sound that never arrived, and no pause of a loopback.
    """

    missing: int
    sound: Samples
    lost: bool = True


class Lane:
    """One device and the side, or both sides, that it hears.

    The keeper's thread sets ``stream`` (None while it is lost); the reader's loop calls the rest.
    """

    def __init__(
        self,
        name: str,
        rate: int,
        sides: tuple[Channel, ...],
        open_: Callable[[], Stream],
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
        self.stream: Stream | None = None
        self.overflows = 0
        """Times that the driver said it had to drop sound."""
        self._reading: Stream | None = None
        self._follower = Follower(rate, len(sides), 0.0)
        self._stamp = 0
        self._base = 0
        self._latency = 0.0
        self._early: list[tuple[int, float, float]] = []
        self._seen = 0
        self._last_news = 0.0
        self._ready = False

    def begin(self, now: float) -> None:
        """The time base begins now; what was heard before is left out."""
        self._follower = Follower(self.rate, len(self.sides), now)
        self._reading = None
        self._last_news = now

    def read(self, now: float) -> list[Piece]:
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
                pieces.append(Piece(gap, sound, lost=not self.pauses))
        late = self._follower.silence(now - (PAUSE if self.pauses or stream is None else PATIENCE))
        if late:
            pieces.append(Piece(late, np.zeros((len(self.sides), 0), np.float32), lost=not self.pauses))
        return [piece for piece in pieces if piece.missing or piece.sound.size]

    def _start_over(self) -> None:
        """The clock of the stream is to be learned anew, from what it gives from here on."""
        stream = self._reading
        self._follower.restart()
        self._ready = False
        self._early = []
        self._base = stream.ring.taken if stream else 0

    def _take(self, stream: Stream, now: float) -> None:
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
