"""A call under way: source, core, recogniser and sinks. Threads meet asyncio here and nowhere else.

A paced recording and a live call are the same ``Session`` with another source; ``run_flat_out`` plays a
recording without an event loop.
"""

import asyncio
import contextlib
import math
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from monitor import clock
from monitor.call import Call
from monitor.errors import BadInput
from monitor.events import Block, Command, Event, RecognitionResult
from monitor.playback import Playback, replay_events, run_flat_out
from monitor.sinks import CommandSource
from monitor.speech.recogniser import RecogniserThread

if TYPE_CHECKING:
    from monitor.hub.hub import Hub
    from monitor.hub.server import HubServer
    from monitor.wire.addresses import Address

__all__ = [
    "HangUp",
    "Playback",
    "Served",
    "Session",
    "paced",
    "replay_events",
    "run",
    "run_flat_out",
    "run_paced",
]

PACED_BLOCK = 0.04
"""Seconds a block at speaking speed, as a sound card would deliver them."""

LAST_WORDS = 8.0
"""Seconds that open recognition requests may take after a live call; devices buffer ten for the next call."""

LEAVING = 0.8
"""The same when a person wants to leave."""


def run(playback: Playback, speed: float = math.inf, served: "Served | None" = None) -> bool:
    """Plays what was prepared to its end; False when Ctrl-C ended it.

    ``speed`` is a factor of speaking speed; infinity without listeners is played in the caller's thread, as
    fast as it goes. While it plays, ``served`` lets listeners connect.
    """
    if math.isinf(speed) and served is None:
        return run_flat_out(playback)
    return run_paced(playback, speed, served)


def run_paced(playback: Playback, speed: float, served: "Served | None" = None) -> bool:
    """Plays at ``speed`` times speaking speed; False when Ctrl-C ended it.

    While it plays, ``served`` lets listeners connect.
    """
    return asyncio.run(_paced_session(playback, speed, served))


async def _paced_session(playback: Playback, speed: float, served: "Served | None") -> bool:
    call = playback.call
    async with contextlib.AsyncExitStack() as closing:
        if served:
            await closing.enter_async_context(served.listening())
        announcer = playback.announcer(*([served.hub] if served else []))
        closing.callback(announcer.close)
        worker = RecogniserThread(playback.recogniser) if playback.recogniser else None
        if worker:
            closing.callback(worker.close)
        session = Session(call, announcer.say, worker, last_words=math.inf)
        for sink in (*playback.sinks, *([served.hub] if served else [])):
            if isinstance(sink, CommandSource):
                sink.take_commands(call.info.call, session.put)
        with stopping(session) as stopped:
            await session.run(paced(playback.blocks, call.info.rate, speed))
        if stopped.is_set():
            announcer.hurry()
        return not stopped.is_set()


@dataclass(frozen=True)
class Served:
    """A hub in the process of a call; ``tell`` is given the address once it listens."""

    hub: "Hub"
    server: "HubServer"
    tell: Callable[["Address"], None]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Lets listeners connect while inside."""
        from monitor.hub.server import listening

        async with listening(self.hub, self.server) as address:
            self.tell(address)
            yield


@contextlib.contextmanager
def stopping(session: "Session") -> Iterator[threading.Event]:
    """While inside, Ctrl-C and SIGTERM hang the call up cleanly; the event tells that it happened."""
    stopped = threading.Event()

    def hang_up(*_: object) -> None:
        stopped.set()
        session.put(HangUp(leaving=True))

    before = {number: signal.signal(number, hang_up) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def paced(blocks: Iterable[Block], rate: int, speed: float = 1.0) -> AsyncIterator[Block]:
    """Blocks at the pace of the clock: each is handed out when its last sample would have been heard."""
    began = clock.monotonic()
    for block in blocks:
        due = began + (block.start + block.pcm.shape[1]) / rate / speed
        await asyncio.sleep(max(0.0, due - clock.monotonic()))
        yield block


@dataclass(frozen=True, slots=True)
class HangUp:
    """Ends the call of the session that it is put into; ``leaving``: a person waits for that."""

    leaving: bool = False


Inbox: TypeAlias = "asyncio.Queue[Block | RecognitionResult | Command | HangUp]"


class Session:
    """One call with its source, recogniser and sinks, under one task group.

    Everything that reaches the core comes through one inbox, so the core is only ever in one place at
    a time: blocks from the source, results from the recogniser's thread, commands from people. After the
    hang-up open recognition requests may take ``last_words`` seconds; then the call ends without them.
    """

    def __init__(
        self,
        call: Call,
        announce: Callable[[list[Event]], None],
        worker: RecogniserThread | None,
        *,
        last_words: float = LAST_WORDS,
        keep: Callable[[Block], None] | None = None,
    ) -> None:
        """``keep`` is given each block that the core processes, and no other."""
        self._call = call
        self._announce = announce
        self._worker = worker
        self._last_words = last_words
        self._keep = keep
        self._inbox: Inbox = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def put(self, item: RecognitionResult | Command | HangUp) -> None:
        """Passes a result, a command or the hang-up to the call; safe from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, item)

    async def run(self, source: AsyncIterator[Block]) -> None:
        """Processes ``source`` to its end, or to the hang-up; returns after ``call.ended``."""
        try:
            async with asyncio.TaskGroup() as tasks:
                feeding = tasks.create_task(self._feed(source))
                await self._run_to_the_end(feeding)
        except BaseExceptionGroup as several:  # what went wrong is for those who know it by its own name
            wrong = (one for one in several.exceptions if isinstance(one, BadInput))
            raise next(wrong, several.exceptions[0]) from several

    async def _feed(self, source: AsyncIterator[Block]) -> None:
        async for block in source:
            self._inbox.put_nowait(block)
        self._inbox.put_nowait(HangUp())

    async def _run_to_the_end(self, feeding: "asyncio.Task[None]") -> None:
        patience = math.inf  # until this moment; from the hang-up on it has an end
        hung_up = False
        while not self._call.ended:
            item = await self._next(patience)
            if item is None:
                self._announce(self._call.abort())
                return
            if isinstance(item, HangUp):
                hung_up = True
                feeding.cancel()
                left = LEAVING if item.leaving else self._last_words
                patience = min(patience, clock.monotonic() + left)
            elif isinstance(item, Block) and hung_up:
                continue  # it was on its way when the call ended
            self._announce(self._apply(item))
            self._ask()

    async def _next(self, patience: float) -> "Block | RecognitionResult | Command | HangUp | None":
        """What reaches the call next; nothing when patience ends."""
        if math.isinf(patience):
            return await self._inbox.get()
        try:
            return await asyncio.wait_for(self._inbox.get(), max(0.0, patience - clock.monotonic()))
        except TimeoutError:
            return None

    def _apply(self, item: Block | RecognitionResult | Command | HangUp) -> list[Event]:
        match item:
            case Block():
                return self._process(item)
            case RecognitionResult():
                return self._call.add_result(item)
            case Command():
                return self._call.apply(item)
            case HangUp():
                return self._call.finish()

    def _process(self, block: Block) -> list[Event]:
        """The next sound."""
        if self._keep:
            self._keep(block)
        return self._call.process(block)

    def _ask(self) -> None:
        if self._worker and (jobs := self._call.requests()):
            self._worker.submit(jobs, self.put)
