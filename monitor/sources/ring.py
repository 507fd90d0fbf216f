"""The ring buffer between a sound card's callback and the thread that reads it.

One producer, one consumer, no lock. The producer copies its samples in and then advances ``written``; the
consumer copies nothing: it gets views. All memory is allocated when the ring is made. Each sample is stored
twice, one buffer length apart, so that a window is one contiguous view wherever it starts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RingWindow:
    """A view of the ring: float32 [channels, n]; ``start`` is the number of its first sample.

    ``lost`` samples before it were overwritten before they were taken. The view stays valid until the
    producer has written ``RingBuffer.guard`` more samples: use it or copy it at once.
    """

    start: int
    pcm: Samples
    lost: int = 0


class RingBuffer:
    """Holds the last ``capacity`` samples of each channel and counts those that were not read in time.

    ``guard`` samples are held in addition (a quarter of the capacity by default): so many may be written
    while the consumer uses a window, however old. Raises ``ValueError`` for a ring without a sample or a
    channel.
    """

    def __init__(self, capacity: int, channels: int = 1, guard: int | None = None) -> None:
        if capacity < 1 or channels < 1:
            raise ValueError("a ring holds at least one sample of one channel")
        self.capacity = capacity
        self.channels = channels
        self.guard = max(1, capacity // 4) if guard is None else guard
        self.written = 0
        """Samples ever written; only the producer changes it, after the samples are in place."""
        self.taken = 0
        """Samples ever taken or lost; only the consumer changes it."""
        self.lost = 0
        """Samples overwritten before they were taken; counted by the consumer."""
        self._size = capacity + self.guard
        self._twice = np.zeros((channels, 2 * self._size), np.float32)
        self._halves = self._twice.reshape(channels, 2, self._size)

    def __len__(self) -> int:
        """Samples that wait to be taken (at most ``capacity``)."""
        return min(self.written - self.taken, self.capacity)

    def write(self, pcm: Samples) -> None:
        """Producer: writes float32 [channels, n], any n. One copy, no allocation, no waiting."""
        new = pcm.shape[1]
        skip = max(0, new - self._size)  # more than the whole ring at once: only its end can be kept
        at = (self.written + skip) % self._size
        head = min(new - skip, self._size - at)
        self._halves[:, :, at : at + head] = pcm[:, None, skip : skip + head]
        self._halves[:, :, : new - skip - head] = pcm[:, None, skip + head :]
        self.written += new

    def take(self, most: int | None = None) -> RingWindow:
        """Consumer: the oldest samples not yet taken, at most ``most``, as a view."""
        written = self.written
        missed = max(0, written - self.taken - self.capacity)
        self.lost += missed
        start = self.taken + missed
        size = written - start if most is None else min(most, written - start)
        self.taken = start + size
        return RingWindow(start, self._view(start, size), missed)

    def last(self, samples: int) -> RingWindow:
        """The newest samples, taken or not, as a view; fewer where fewer have been written."""
        written = self.written
        size = min(samples, written, self.capacity)
        return RingWindow(written - size, self._view(written - size, size))

    def _view(self, start: int, size: int) -> Samples:
        at = start % self._size
        view = self._twice[:, at : at + size]
        view.flags.writeable = False
        return view
