"""A call under way: source, core, recogniser and sinks. Threads meet asyncio here and nowhere else.

``replay_events`` and ``play`` run a recording flat out in the caller's thread; ``Session`` runs a paced
or live call. Both are the same core with another source.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from monitor import clock
from monitor.call import About, Call, rejudge
from monitor.config import CallSettings
from monitor.events import Block, CallEnded, Event, Heard, Order
from monitor.rules.book import load_book
from monitor.sinks import Line, Sink
from monitor.sources.journal import is_journal, read_journal
from monitor.speech.worker import Recogniser, Worker, recognise_now

if TYPE_CHECKING:
    from monitor.sinks.hub import Hub
    from monitor.sinks.server import Address, Door
    from monitor.sources.recording import Recording

FLAT_OUT_BLOCK = 5.0
"""Seconds a block when nobody waits for words: long runs are what numpy likes."""

WORDS_BLOCK = 0.2
"""Seconds a block when words are wanted: the recogniser is asked as often as in a live call."""

PACED_BLOCK = 0.04
"""Seconds a block at speaking speed, as a sound card would deliver them."""


class Announcer:
    """Numbers what a call says, and hands it to every sink.

    ``notice`` is asked when the call has ended: what should be said about its source.
    """

    def __init__(
        self,
        call: str,
        sinks: Sequence[Sink],
        *,
        stamps: bool = True,
        notice: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._call = call
        self._notice = notice
        self._sinks = sinks
        self._stamps = stamps
        self._sequence = 0
        self._began = clock.stopwatch()

    def say(self, events: Iterable[Event]) -> None:
        """Passes ``events`` on, in order."""
        lines = [self._line(event) for event in events]
        if lines:
            for sink in self._sinks:
                sink.take(lines)

    def close(self) -> None:
        """Closes every sink, also when one of them fails."""
        with contextlib.ExitStack() as stack:
            for sink in reversed(self._sinks):
                stack.callback(sink.close)

    def _line(self, event: Event) -> Line:
        self._sequence += 1
        if isinstance(event, CallEnded) and self._stamps:
            spent = round(clock.stopwatch() - self._began, 3)
            event = msgspec.structs.replace(event, wall_seconds=spent, notice=self._notice())
        return Line(self._call, self._sequence, event, clock.stamp() if self._stamps else None)


def play(call: Call, blocks: Iterable[Block], recogniser: Recogniser | None) -> Iterator[list[Event]]:
    """Everything a call says about ``blocks``, flat out; questions are answered on the spot."""
    for block in blocks:
        yield call.hear(block)
        yield from _answered(call, recogniser)
    yield call.hang_up()
    yield from _answered(call, recogniser)
    if not call.ended:
        yield call.give_up()


def _answered(call: Call, recogniser: Recogniser | None) -> Iterator[list[Event]]:
    while recogniser and (jobs := call.jobs()):
        for heard in recognise_now(recogniser, jobs):
            yield call.heard(heard)


@dataclass(frozen=True, kw_only=True)
class Playback:
    """A recording about to be played: the call, its sound, who hears the words, and who is told.

    ``notice`` is asked at the end: what should be said about the recording itself.
    """

    call: Call
    blocks: Iterable[Block]
    sinks: Sequence[Sink]
    recogniser: Recogniser | None = None
    notice: Callable[[], str | None] = lambda: None

    def announcer(self, *more: Sink) -> Announcer:
        """An announcer to the sinks, and to ``more``."""
        return Announcer(self.call.about.call, [*self.sinks, *more], notice=self.notice)


def run_flat_out(playback: Playback) -> bool:
    """Plays as fast as the machine can; False when Ctrl-C ended it (after a clean hang-up)."""
    announcer = playback.announcer()
    try:
        for events in play(playback.call, playback.blocks, playback.recogniser):
            announcer.say(events)
    except KeyboardInterrupt:
        announcer.say(playback.call.give_up())
        return False
    finally:
        announcer.close()
    return True


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
        worker = Worker(playback.recogniser) if playback.recogniser else None
        if worker:
            closing.callback(worker.close)
        session = Session(call, announcer.say, worker)
        if served:
            served.hub.answer_orders(call.about.call, session.put)
        with stopping(session) as stopped:
            await session.run(paced(playback.blocks, call.about.rate, speed))
        return not stopped.is_set()


@dataclass(frozen=True)
class Served:
    """A hub that runs beside one call; ``tell`` is given the address once it listens."""

    hub: "Hub"
    door: "Door"
    tell: Callable[["Address"], None]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Lets listeners connect while inside."""
        from monitor.sinks.server import listening

        async with listening(self.hub, self.door) as address:
            self.tell(address)
            yield


@contextlib.contextmanager
def stopping(session: "Session") -> Iterator[threading.Event]:
    """While inside, Ctrl-C and SIGTERM hang the call up cleanly; the event tells that it happened."""
    stopped = threading.Event()

    def hang_up(*_: object) -> None:
        stopped.set()
        session.put(HangUp())

    before = {number: signal.signal(number, hang_up) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def about_recording(
    recording: "Recording", model: str, notice: str | None = None, meta: dict[str, Any] | None = None
) -> About:
    """What is known of a recorded call before it is heard."""
    return About(
        call=recording.call,
        sources=tuple(Path(source).name for source in recording.sources),
        rate=recording.rate,
        band=recording.band,
        model=model,
        notice=notice,
        meta=meta,
    )


def replay_events(
    paths: Sequence[Path],
    *,
    model: str = "none",
    rules: Path | None = None,
    agent_channel: int = 1,
    settings: CallSettings | None = None,
    profile: str = "default",
    block_seconds: float | None = None,
) -> list[Event]:
    """Every event of a recorded call or journal, flat out, in process."""
    book = load_book([rules] if rules else None, profile=profile)
    if len(paths) == 1 and is_journal(paths[0]):
        journal = read_journal(paths[0])
        return [event for events in rejudge(journal.events, book, settings) for event in events]
    from monitor.sources.recording import open_recording
    from monitor.speech.models import choose

    recording = open_recording(list(paths), agent_channel=agent_channel)
    choice = choose(model, list(paths))
    recogniser = choice.recogniser()
    call = Call(about_recording(recording, choice.name, choice.notice), book, settings)
    step = block_seconds or (WORDS_BLOCK if recogniser else FLAT_OUT_BLOCK)
    return [event for events in play(call, recording.blocks(step), recogniser) for event in events]


async def paced(blocks: Iterable[Block], rate: int, speed: float = 1.0) -> AsyncIterator[Block]:
    """Blocks at the pace of the clock: each is handed out when its last sample would have been heard."""
    began = clock.monotonic()
    for block in blocks:
        due = began + (block.start + block.pcm.shape[1]) / rate / speed
        await asyncio.sleep(max(0.0, due - clock.monotonic()))
        yield block


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put into the inbox of a session to end its call."""


Inbox: TypeAlias = "asyncio.Queue[Block | Heard | Order | HangUp]"


class Session:
    """One call with its source, recogniser and sinks, under one task group.

    Everything that reaches the core comes through one inbox, so the core is only ever in one place at
    a time: blocks from the source, answers from the recogniser's thread, orders from people.
    """

    LAST_WORDS = 1.5
    """Seconds that open questions may take after the hang-up before the call ends without them."""

    def __init__(self, call: Call, announce: Callable[[list[Event]], None], worker: Worker | None) -> None:
        self._call = call
        self._announce = announce
        self._worker = worker
        self._inbox: Inbox = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None

    def put(self, item: Heard | Order | HangUp) -> None:
        """Hands an answer, an order or the hang-up to the call; safe from any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, item)

    async def run(self, source: AsyncIterator[Block]) -> None:
        """Hears ``source`` to its end, or to the hang-up; returns when ``call.ended`` has been said."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(self._feed(source))
            await self._attend()
            feeding.cancel()

    async def _feed(self, source: AsyncIterator[Block]) -> None:
        async for block in source:
            self._inbox.put_nowait(block)
        self._inbox.put_nowait(HangUp())

    async def _attend(self) -> None:
        last_call: float | None = None
        while not self._call.ended:
            left = None if last_call is None else last_call - clock.monotonic()
            try:
                item = await asyncio.wait_for(self._inbox.get(), left)
            except TimeoutError:
                self._announce(self._call.give_up())
                return
            if isinstance(item, HangUp) and last_call is None:
                last_call = clock.monotonic() + self.LAST_WORDS
            self._announce(self._said(item))
            self._ask()

    def _said(self, item: Block | Heard | Order | HangUp) -> list[Event]:
        match item:
            case Block():
                return self._call.hear(item)
            case Heard():
                return self._call.heard(item)
            case Order():
                return self._call.told(item)
            case HangUp():
                return self._call.hang_up()

    def _ask(self) -> None:
        if self._worker and (jobs := self._call.jobs()):
            self._worker.submit(jobs, self.put)
