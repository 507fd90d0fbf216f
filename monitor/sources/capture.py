"""Captures both sides of a call from audio devices, all day, as one stream of aligned blocks.

PortAudio is used by one thread only, the ``DeviceSupervisor``, which opens the devices and opens them again
after a loss; the event loop only reads ring buffers. What happens to a device is reported as a notice in the
next block, and lost audio as a ``Gap``.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from monitor import clock
from monitor.errors import BadInput
from monitor.events import CHANNELS, Band, Block, Channel
from monitor.sources.channel_stream import (
    LATENCY_SETTLED,
    AlignedPiece,
    CaptureStream,
    ChannelStream,
    LossReporter,
)
from monitor.sources.channels import ChannelAligner

BLOCK = 0.04
"""Seconds in a block."""
MAX_BLOCK = 0.5
"""Most seconds in a block; a reader that was busy catches up in pieces."""
POLL_INTERVAL = 0.02
"""Seconds between two reads of the ring buffers."""
STALLED_AFTER = 1.6
"""Seconds without audio after which a device is reported."""
REOPEN_AFTER = 4.0
"""Seconds without audio after which a device that claims to run is opened again."""
FIRST_BLOCK_TIMEOUT = 6.0
"""Seconds that a device may take for its first block (sound servers start slowly)."""
CHECK_INTERVAL = 0.1
"""Seconds between two checks of the devices."""
AVAILABILITY_INTERVAL = 1.2
"""Seconds between two questions whether a device is still there."""
RETRY_DELAY, MAX_RETRY_DELAY = 0.5, 4.0
"""Seconds before the first and between later attempts to open a device."""
OPEN_ATTEMPTS = 3
"""Times that a device may refuse to open at first: a busy sound server needs a moment."""
MAX_LAG = 2.0
"""Seconds that the reader may be behind the clock before it is reported."""


@dataclass
class _Watched:
    """What the supervisor knows of one device; times are seconds of the machine's clock."""

    source: ChannelStream
    state: Literal["new", "open", "lost"] = "new"
    blocks_received: int = 0
    last_block_at: float = 0.0
    lost_at: float = 0.0
    retry_at: float = 0.0
    retry_delay: float = RETRY_DELAY
    checked_at: float = 0.0
    failures: int = 0
    error: BadInput | None = None


class DeviceSupervisor:
    """Opens devices, notices within two seconds when one is gone, and opens it again when it is back.

    ``refresh`` makes PortAudio look for devices again, which ends every stream; it is called only while none
    is open.
    """

    def __init__(self, sources: Sequence[ChannelStream], refresh: Callable[[], None]) -> None:
        self._watched = [_Watched(source) for source in sources]
        self._refresh = refresh
        self._notices: deque[str] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound cards", daemon=True)

    def start(self) -> None:
        """Starts the thread, which opens the devices."""
        self._thread.start()

    def close(self) -> None:
        """Closes all devices; a driver that hangs is not waited for."""
        self._stop.set()
        self._thread.join(1.0)

    def notices(self) -> tuple[str, ...]:
        """Returns what happened to the devices since the last call, a sentence each."""
        notices = []
        while self._notices:
            notices.append(self._notices.popleft())
        return tuple(notices)

    @property
    def error(self) -> BadInput | None:
        """Why a device could not be opened the first time."""
        return next((watched.error for watched in self._watched if watched.error), None)

    def _run(self) -> None:
        while not self._stop.is_set():
            for watched in self._watched:
                self.check(watched, clock.monotonic())
            self._stop.wait(CHECK_INTERVAL)
        for watched in self._watched:
            if watched.source.stream:
                watched.source.stream.close()

    def check(self, watched: _Watched, now: float) -> None:
        """Checks one device once; ``now`` is the machine's clock in seconds."""
        stream = watched.source.stream
        if stream is None:
            if now >= watched.retry_at:
                self._open(watched, now)
        elif now - watched.checked_at > AVAILABILITY_INTERVAL and not self._is_available(watched, now):
            self._close(watched, stream, now)
        elif stream.blocks_received > watched.blocks_received:
            watched.blocks_received, watched.last_block_at = stream.blocks_received, now
            if watched.state == "lost":
                away = now - watched.lost_at
                self._notices.append(f"{watched.source.name} delivers audio again after {away:.1f} s.")
            watched.state, watched.retry_delay = "open", RETRY_DELAY
        else:
            self._check_silent(watched, stream, now)

    def _check_silent(self, watched: _Watched, stream: CaptureStream, now: float) -> None:
        """Checks a device that delivered nothing since the last check."""
        quiet = now - watched.last_block_at
        silent = not watched.source.pauses_when_idle
        if not stream.active or (
            silent and quiet > (REOPEN_AFTER if watched.blocks_received else FIRST_BLOCK_TIMEOUT)
        ):
            self._close(watched, stream, now)
        elif silent and watched.blocks_received and quiet > STALLED_AFTER:
            self._mark_lost(watched, now)

    def _is_available(self, watched: _Watched, now: float) -> bool:
        watched.checked_at = now
        return watched.source.is_available()

    def _close(self, watched: _Watched, stream: CaptureStream, now: float) -> None:
        """Closes a device that is lost; it is opened again later."""
        self._mark_lost(watched, now)
        watched.source.stream = None
        watched.retry_at = now + watched.retry_delay
        stream.close()

    def _mark_lost(self, watched: _Watched, now: float) -> None:
        """Reports a device as lost, once."""
        if watched.state == "open":
            watched.lost_at = now
            self._notices.append(f"{watched.source.name} stopped delivering audio; trying to reopen it.")
        watched.state = "lost"

    def _open(self, watched: _Watched, now: float) -> None:
        if watched.state == "lost" and all(other.source.stream is None for other in self._watched):
            self._refresh()
        try:
            stream = watched.source.open()
        except BadInput as error:
            watched.failures += 1
            watched.error = error if watched.state == "new" and watched.failures >= OPEN_ATTEMPTS else None
            watched.retry_delay = min(MAX_RETRY_DELAY, watched.retry_delay * 1.5)
            watched.retry_at = now + watched.retry_delay
            return
        watched.error, watched.blocks_received, watched.last_block_at = None, 0, clock.monotonic()
        watched.source.stream = stream


class Capture:
    """The audio of live calls: ``next()`` returns blocks of about 40 ms of both sides on one time base.

    ``sources`` are one stream with both sides, or one for each side in any order.
    """

    def __init__(self, sources: Sequence[ChannelStream], refresh: Callable[[], None] = lambda: None) -> None:
        self._sources = sources
        rates = {side: source.rate for source in sources for side in source.sides}
        self._channels = ChannelAligner((rates["agent"], rates["caller"]))
        self._supervisor = DeviceSupervisor(sources, refresh)
        self._notices: list[str] = []
        self._pushed: dict[Channel, int] = dict.fromkeys(CHANNELS, 0)
        self._losses = LossReporter(self._channels.rate)
        self._began = 0.0
        self._lagging = False
        self.gaps = 0
        """Gaps reported so far, in all calls together."""

    @property
    def rate(self) -> int:
        """Sampling rate of the blocks in Hz."""
        return self._channels.rate

    @property
    def band(self) -> Band:
        """Whether the audio is telephone band (8 kHz) or wider."""
        return self._channels.band

    async def start(self) -> None:
        """Opens the devices and returns when all of them deliver audio. Raises ``BadInput`` where one does
        not.
        """
        self._supervisor.start()
        deadline = clock.monotonic() + FIRST_BLOCK_TIMEOUT + LATENCY_SETTLED
        while not all(_delivers(source) for source in self._sources):
            if self._supervisor.error:
                raise self._supervisor.error
            if clock.monotonic() > deadline:
                silent = next(source.name for source in self._sources if not _delivers(source))
                raise BadInput(f"{silent} is open but delivers no audio; choose another device.")
            await asyncio.sleep(POLL_INTERVAL)
        self.begin(clock.monotonic())

    def begin(self, now: float) -> None:
        """Starts the time base: sample 0 of the first block is at ``now``, in seconds of the machine's
        clock.
        """
        self._began = now
        for source in self._sources:
            source.begin(now)

    async def next(self) -> Block:
        """Returns the next block, empty where there is a notice but no audio. Cancelling it loses nothing."""
        while True:
            self.poll(clock.monotonic())
            if self._channels.ready >= BLOCK * self.rate or self._notices:
                return self.take()
            await asyncio.sleep(POLL_INTERVAL)

    def poll(self, now: float) -> None:
        """Moves what the ring buffers hold on to the two sides."""
        for source in self._sources:
            for piece in source.read(now):
                self._push(source, piece)
        self._notices += self._supervisor.notices()

    def take(self) -> Block:
        """Returns a block of what both sides have, with the gaps and notices since the last one."""
        block = self._channels.take(round(MAX_BLOCK * self.rate))
        self._report_lag(block)
        gaps = self._losses.due(block.start + block.pcm.shape[1])
        self.gaps += len(gaps)
        notices, self._notices = tuple(self._notices), []
        return replace(block, gaps=gaps, notices=notices)

    def close(self) -> None:
        """Closes the devices."""
        self._supervisor.close()

    def _push(self, source: ChannelStream, piece: AlignedPiece) -> None:
        for row, side in enumerate(source.sides):
            if piece.missing:
                if piece.lost:
                    self._losses.add(side, self._pushed[side] / source.rate, piece.missing / source.rate)
                self._channels.push(side, np.zeros(piece.missing, np.float32))
            if piece.sound.size:
                self._channels.push(side, piece.sound[row])
            self._pushed[side] += piece.missing + piece.sound.shape[1]

    def _report_lag(self, block: Block) -> None:
        lag = clock.monotonic() - self._began - (block.start + block.pcm.shape[1]) / self.rate
        if (lag > MAX_LAG) != self._lagging:
            self._lagging = not self._lagging
            behind = f"This machine is {lag:.1f} s behind the call."
            said = behind if self._lagging else "This machine keeps up with the call again."
            self._notices.append(said)


def _delivers(source: ChannelStream) -> bool:
    stream = source.stream
    return stream is not None and (
        stream.ring.written >= LATENCY_SETTLED * source.rate or (source.pauses_when_idle and stream.active)
    )
