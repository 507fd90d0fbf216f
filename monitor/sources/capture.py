"""Both sides of a headset as one stream of blocks, all day: opened, watched, resumed, aligned.

PortAudio is asked by one thread, the ``Keeper``; the event loop only looks at rings. What happens to a
device is told as a notice in the next block, and what was lost as a ``Gap``.
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
from monitor.sources.channel_stream import SETTLED, AlignedPiece, CaptureStream, ChannelStream, LossReporter
from monitor.sources.channels import ChannelAligner

BLOCK = 0.04
MOST = 0.5
"""Seconds of a block at most; a reader that was busy catches up in pieces."""
LOOK = 0.02
"""Seconds between two looks at the bells."""
STALLED = 1.6
"""Seconds without a block after which people are told."""
GIVEN_UP = 4.0
"""Seconds without a block after which a device that claims to run is opened anew."""
FIRST = 6.0
"""Seconds that a device may take for its first block (sound servers wake up slowly)."""
WATCH = 0.1
ASK = 1.2
"""Seconds between two questions whether a device is still there."""
RETRY, RETRY_MOST = 0.5, 4.0
TRIES = 3
"""Times that a device may refuse to open at first: a busy sound server needs a moment to wake up."""
BEHIND = 2.0
"""Seconds that the reader may be behind the clock before it is told."""


@dataclass
class _Watched:
    """What the keeper knows of one lane."""

    lane: ChannelStream
    state: Literal["new", "open", "lost"] = "new"
    rung: int = 0
    news: float = 0.0
    lost_at: float = 0.0
    retry_at: float = 0.0
    pause: float = RETRY
    asked: float = 0.0
    refused: int = 0
    wrong: BadInput | None = None


class Keeper:
    """Opens devices, notices within two seconds when one is gone, and opens it again when it is back.

    ``refresh`` looks for devices anew, which ends every stream; it is only called while none is open.
    """

    def __init__(self, lanes: Sequence[ChannelStream], refresh: Callable[[], None]) -> None:
        self._watched = [_Watched(lane) for lane in lanes]
        self._refresh = refresh
        self._notices: deque[str] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="sound cards", daemon=True)

    def start(self) -> None:
        """Begins to open."""
        self._thread.start()

    def close(self) -> None:
        """Lets all devices go; a driver that hangs is not waited for."""
        self._stop.set()
        self._thread.join(1.0)

    def notices(self) -> tuple[str, ...]:
        """What happened to the devices since the last question, a sentence each."""
        told = []
        while self._notices:
            told.append(self._notices.popleft())
        return tuple(told)

    @property
    def wrong(self) -> BadInput | None:
        """Why a device could not be opened the first time."""
        return next((watched.wrong for watched in self._watched if watched.wrong), None)

    def _keep(self) -> None:
        while not self._stop.is_set():
            for watched in self._watched:
                self.tend(watched, clock.monotonic())
            self._stop.wait(WATCH)
        for watched in self._watched:
            if watched.lane.stream:
                watched.lane.stream.close()

    def tend(self, watched: _Watched, now: float) -> None:
        """One look at one device."""
        stream = watched.lane.stream
        if stream is None:
            if now >= watched.retry_at:
                self._open(watched, now)
        elif now - watched.asked > ASK and not self._is_there(watched, now):
            self._let_go(watched, stream, now)
        elif stream.rung > watched.rung:
            watched.rung, watched.news = stream.rung, now
            if watched.state == "lost":
                away = now - watched.lost_at
                self._notices.append(f"{watched.lane.name} is back after {away:.1f} s.")
            watched.state, watched.pause = "open", RETRY
        else:
            self._watch(watched, stream, now)

    def _watch(self, watched: _Watched, stream: CaptureStream, now: float) -> None:
        """A device from which nothing came since the last look."""
        quiet = now - watched.news
        silent = not watched.lane.pauses
        if not stream.active or (silent and quiet > (GIVEN_UP if watched.rung else FIRST)):
            self._let_go(watched, stream, now)
        elif silent and watched.rung and quiet > STALLED:
            self._miss(watched, now)

    def _is_there(self, watched: _Watched, now: float) -> bool:
        watched.asked = now
        return watched.lane.there()

    def _let_go(self, watched: _Watched, stream: CaptureStream, now: float) -> None:
        """Closes a device that is lost; it is opened again later."""
        self._miss(watched, now)
        watched.lane.stream = None
        watched.retry_at = now + watched.pause
        stream.close()

    def _miss(self, watched: _Watched, now: float) -> None:
        """Tells, once, that a device is lost."""
        if watched.state == "open":
            watched.lost_at = now
            self._notices.append(f"{watched.lane.name} delivers no sound any more; trying to get it back.")
        watched.state = "lost"

    def _open(self, watched: _Watched, now: float) -> None:
        if watched.state == "lost" and all(other.lane.stream is None for other in self._watched):
            self._refresh()
        try:
            stream = watched.lane.open()
        except BadInput as wrong:
            watched.refused += 1
            watched.wrong = wrong if watched.state == "new" and watched.refused >= TRIES else None
            watched.pause = min(RETRY_MOST, watched.pause * 1.5)
            watched.retry_at = now + watched.pause
            return
        watched.wrong, watched.rung, watched.news = None, 0, clock.monotonic()
        watched.lane.stream = stream


class Capture:
    """The live call's sound: ``next()`` gives blocks of about 40 ms of both sides, on one time base.

    ``lanes`` are one that hears both sides, or two in any order.
    """

    def __init__(self, lanes: Sequence[ChannelStream], refresh: Callable[[], None] = lambda: None) -> None:
        self._lanes = lanes
        rates = {side: lane.rate for lane in lanes for side in lane.sides}
        self._channels = ChannelAligner((rates["agent"], rates["caller"]))
        self._keeper = Keeper(lanes, refresh)
        self._notices: list[str] = []
        self._pushed: dict[Channel, int] = dict.fromkeys(CHANNELS, 0)
        self._losses = LossReporter(self._channels.rate)
        self._began = 0.0
        self._behind = False
        self.gaps = 0
        """Gaps told so far, all calls together."""

    @property
    def rate(self) -> int:
        """Hz of the blocks."""
        return self._channels.rate

    @property
    def band(self) -> Band:
        """Whether the sound is a telephone's (8 kHz) or wider."""
        return self._channels.band

    async def start(self) -> None:
        """Opens the devices; returns when all of them deliver. Raises ``BadInput`` where one does not."""
        self._keeper.start()
        deadline = clock.monotonic() + FIRST + SETTLED
        while not all(_delivers(lane) for lane in self._lanes):
            if self._keeper.wrong:
                raise self._keeper.wrong
            if clock.monotonic() > deadline:
                silent = next(lane.name for lane in self._lanes if not _delivers(lane))
                raise BadInput(f"{silent} is open but delivers no sound; choose another device.")
            await asyncio.sleep(LOOK)
        self.begin(clock.monotonic())

    def begin(self, now: float) -> None:
        """The time base begins: sample 0 of the first block is heard now."""
        self._began = now
        for lane in self._lanes:
            lane.begin(now)

    async def next(self) -> Block:
        """The next block, empty where there is news but no sound. Cancelling the waiting loses nothing."""
        while True:
            self.look(clock.monotonic())
            if self._channels.ready >= BLOCK * self.rate or self._notices:
                return self.take()
            await asyncio.sleep(LOOK)

    def look(self, now: float) -> None:
        """Moves what the rings hold on to the two sides."""
        for lane in self._lanes:
            for piece in lane.read(now):
                self._push(lane, piece)
        self._notices += self._keeper.notices()

    def take(self) -> Block:
        """A block of what both sides have, with what happened meanwhile."""
        block = self._channels.take(round(MOST * self.rate))
        self._tell_lag(block)
        gaps = self._losses.due(block.start + block.pcm.shape[1])
        self.gaps += len(gaps)
        notices, self._notices = tuple(self._notices), []
        return replace(block, gaps=gaps, notices=notices)

    def close(self) -> None:
        """Lets the devices go."""
        self._keeper.close()

    def _push(self, lane: ChannelStream, piece: AlignedPiece) -> None:
        for row, side in enumerate(lane.sides):
            if piece.missing:
                if piece.lost:
                    self._losses.note(side, self._pushed[side] / lane.rate, piece.missing / lane.rate)
                self._channels.push(side, np.zeros(piece.missing, np.float32))
            if piece.sound.size:
                self._channels.push(side, piece.sound[row])
            self._pushed[side] += piece.missing + piece.sound.shape[1]

    def _tell_lag(self, block: Block) -> None:
        lag = clock.monotonic() - self._began - (block.start + block.pcm.shape[1]) / self.rate
        if (lag > BEHIND) != self._behind:
            self._behind = not self._behind
            said = f"This machine is {lag:.1f} s behind the call." if self._behind else "In step again."
            self._notices.append(said)


def _delivers(lane: ChannelStream) -> bool:
    stream = lane.stream
    return stream is not None and (
        stream.ring.written >= SETTLED * lane.rate or (lane.pauses and stream.active)
    )
