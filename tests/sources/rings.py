"""A sound card that is a loop in a test: what it hears and when is told to it."""

import numpy as np

from monitor.sources.device import DeviceStream


class Times:
    """PortAudio's times of one callback."""

    def __init__(self, age: float, seconds: float) -> None:
        self.currentTime = 1000.0
        self.inputBufferAdcTime = 1000.0 - age - seconds


class Flags:
    """PortAudio's flags of one callback."""

    def __init__(self, overflow: bool = False) -> None:
        self.input_overflow = overflow


class Card(DeviceStream):
    """A stream without a sound card: the test calls its callback. The clock is the test's, too."""

    def __init__(self, rate: int, clock: "Clock", channels: int = 1) -> None:
        super().__init__(rate, channels)
        self.clock = clock
        self.runs = True
        self.closed = False
        self.heard = 0
        self.age = 0.0
        """Seconds that a block is old when it is delivered, as the driver says."""

    @property
    def active(self) -> bool:
        return self.runs

    def close(self) -> None:
        self.closed = True
        self.runs = False

    def deliver(self, seconds: float, *, overflow: bool = False) -> None:
        """Blocks of 20 ms: a ramp that counts samples (as thousandths), so that places can be told."""
        for _ in range(round(seconds / 0.02)):
            size = self.rate // 50
            times = (self.heard + np.arange(size)) / self.rate
            tone = 0.5 * np.sin(2 * np.pi * 300 * times).astype(np.float32)
            pcm = np.repeat(tone[:, None], self.ring.channels, axis=1)
            self.heard += size
            self.on_audio(pcm, size, Times(self.age, 0.02), Flags(overflow))


class Clock:
    """The machine's clock, as far as the test moves it."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now
