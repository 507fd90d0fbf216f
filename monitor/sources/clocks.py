"""Clocks that do not quite agree: a sound card's count of samples against the clock of the machine.

A card that says 16,000 samples a second delivers perhaps 16,004. ``Timeline`` learns from the moments at
which samples arrive when each was really heard; ``Follower`` reads the sound at the pace of the clock,
so that two cards stay in step for a whole shift. Pure: times are handed in.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from monitor.sources.stretch import AFTER, BEFORE, interpolate

Samples = NDArray[np.float32]

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


class Timeline:
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


class Follower:
    """Reads one stream at the pace of the clock: one sample out for each ``1 / rate`` seconds.

    The pace changes slowly, by interpolation, so nothing clicks. ``began`` is the moment of output
    sample 0. A fresh ``Timeline`` begins with each ``restart`` (the stream was opened anew).
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
        self.timeline = Timeline(self.rate)
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
