"""Live monitoring: runs all day, detects calls automatically, and handles each in a session of its own.

Between calls nothing is transcribed, told or kept but the few seconds of pre-roll in memory.
"""

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Protocol, TypeVar

from monitor import clock
from monitor.call import CallInfo
from monitor.events import (
    CHANNELS,
    Band,
    Block,
    CallControl,
    CallControlAnswer,
    Channel,
    Command,
    CommandApplied,
    SpeechEnded,
    SpeechStarted,
)
from monitor.playback import CallSetup
from monitor.session import HangUp, Session
from monitor.sinks import Line, Sink
from monitor.sinks.announcer import Announcer
from monitor.sinks.recorder import Recorder
from monitor.sources.call_detection import CallDetector, HangUpToneDetector, rebase
from monitor.speech.recogniser import RecogniserThread

T = TypeVar("T")

_CALLER = CHANNELS.index("caller")


class LiveSource(Protocol):
    """The audio source of live calls (``sources.capture.Capture``)."""

    @property
    def rate(self) -> int:
        """The sample rate of the blocks, in Hz."""

    @property
    def band(self) -> Band:
        """The audio bandwidth."""

    async def next(self) -> Block:
        """The next block. May be cancelled; no audio is lost."""


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """What holds for every call: how it is judged, where it goes, and when it begins and ends.

    ``sinks`` makes those of one call; the second argument takes commands that come back through them.
    ``recorder`` makes what keeps the audio of a call, where that was asked for.
    ``end_after``: seconds without speech after which a call ends. ``preroll``: seconds before the caller is
    heard that belong to the call.
    """

    setup: CallSetup
    sources: tuple[str, ...]
    sinks: Callable[[CallInfo, Callable[[Command], None]], Sequence[Sink]]
    recorder: Callable[[CallInfo], Recorder] | None = None
    end_after: float = 30.0
    preroll: float = 4.0
    by_itself: bool = True
    """Whether a call begins when the caller is heard, or only when a softphone says so."""
    once: bool = False
    say: Callable[[str], None] = field(default=lambda text: print(text, file=sys.stderr, flush=True))  # noqa: T201


class LiveMonitor:
    """Monitors call after call. ``control`` and ``stop`` are for the event loop's thread."""

    def __init__(self, day: LiveSettings, sound: LiveSource, worker: RecogniserThread | None) -> None:
        self._day = day
        self._sound = sound
        self._worker = worker
        self._asked: asyncio.Queue[CallControl] = asyncio.Queue()
        self._stopped = asyncio.Event()
        self._session: Session | None = None
        self._info: CallInfo | None = None
        self._told = False
        self._names: set[str] = set()
        self._beginning: str | None = None
        """The call that a softphone has started and whose first block has not come yet."""

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Ends the call under way cleanly, and then ``run``."""
        self._stopped.set()
        if self._session:
            self._session.put(HangUp(leaving=True))

    def control(self, asked: CallControl) -> CallControlAnswer:
        """Does what a softphone asks for (``monitor call``, or a hub)."""
        info, session = self._info, self._session
        call = self._beginning or (info.call if info else None)
        if asked.kind == "status":
            return CallControlAnswer(
                done=True, say=f"{call} is under way." if call else "No call now.", call=call
            )
        if asked.kind == "start":
            return self._start(asked, call)
        if asked.kind == "end" and self._beginning:
            return self._cancel_start(self._beginning)
        if session is None:
            return CallControlAnswer(done=False, say="There is no call under way.")
        session.put(HangUp() if asked.kind == "end" else Command(kind=asked.kind, by="softphone"))
        return CallControlAnswer(done=True, say=f"{call}: {asked.kind}.", call=call)

    def _start(self, asked: CallControl, call: str | None) -> CallControlAnswer:
        if asked.call and PurePath(asked.call).name != asked.call:
            return CallControlAnswer(
                done=False, say="A call's name cannot lead to another folder; leave out the slash."
            )
        if call and (self._told or self._beginning):
            return CallControlAnswer(done=False, say=f"{call} is still under way; end it first.", call=call)
        if self._session:
            self._session.put(
                HangUp(leaving=True)
            )  # it had begun by itself; from here on it is the softphone's
        name = self._unused(asked.call) if asked.call else call_name(self._day.setup.agent)
        self._beginning = name
        self._asked.put_nowait(CallControl(kind="start", call=name, meta=asked.meta))
        return CallControlAnswer(done=True, say=f"{name} begins.", call=name)

    def _cancel_start(self, call: str) -> CallControlAnswer:
        """Cancels a call that was started and of which nothing has been processed."""
        if self._asked.empty():
            return CallControlAnswer(done=False, say=f"{call} is just beginning; say it again.", call=call)
        self._asked.get_nowait()
        self._beginning = None
        return CallControlAnswer(done=True, say=f"{call}: end.", call=call)

    def _unused(self, name: str) -> str:
        """The name, with a number appended where an earlier call has the same one.

        A hub, a journal and a recording know a call by its name; two of one name would be one to them.
        """
        number, free = 2, name
        while free in self._names:
            number, free = number + 1, f"{name}-{number}"
        self._names.add(free)
        return free

    async def run(self) -> None:
        """Waits for calls and processes them, until it is stopped."""
        while not self._stopped.is_set():
            begun = await self.until_stopped(self._wait())
            if begun is None:
                return
            await self._run_call(*begun)
            if self._day.once:
                return

    async def until_stopped(self, waiting: Coroutine[Any, Any, T]) -> T | None:
        """The result of ``waiting``, or None if ``stop`` comes first."""
        task, stop = asyncio.ensure_future(waiting), asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None

    async def _wait(self) -> tuple[CallControl | None, list[Block]]:
        """Waits for a call; the request that started it (None: it was detected), and its first blocks."""
        self._day.say("Waiting for a call.")
        waiting = CallDetector(self._sound.rate, self._day.setup.settings.vad, preroll=self._day.preroll)
        while True:
            block = await self._sound.next()
            for notice in block.notices:
                self._day.say(notice)
            if not self._asked.empty():
                return self._asked.get_nowait(), [block]
            if waiting.feed(block) and self._day.by_itself:
                return None, waiting.recent_blocks()

    async def _run_call(self, asked: CallControl | None, first: list[Block]) -> None:
        day = self._day
        call = day.setup.new_call(
            (asked and asked.call) or call_name(day.setup.agent),
            sources=day.sources,
            rate=self._sound.rate,
            band=self._sound.band,
            meta=asked.meta if asked else None,
        )
        self._info = info = call.info
        silence = SilenceTimer(day.end_after)
        holder: list[Session] = []
        sinks = [silence, *day.sinks(info, lambda command: holder[0].put(command))]
        announcer = Announcer(info.call, sinks)
        recorder = day.recorder(info) if day.recorder else None
        session = Session(call, announcer.say, self._worker, keep=recorder.write if recorder else None)
        holder.append(session)
        self._told, self._session = asked is not None, session
        self._beginning = None if asked else self._beginning
        try:
            if not self.stopped:
                await session.run(self._blocks_of_call(first, lambda: silence.too_long(call.now)))
        finally:
            self._session = self._info = None
            announcer.close()
            if recorder:
                recorder.close()
                if recorder.wrong:
                    day.say(recorder.wrong)

    async def _blocks_of_call(self, first: list[Block], over: Callable[[], bool]) -> AsyncIterator[Block]:
        """The blocks of one call, in call time, until a hang-up tone is heard or ``over`` says so.

        ``over`` is asked of what the core has heard by then, which may be less than what was handed out.
        """
        rate, began = self._sound.rate, first[0].start
        tone = HangUpToneDetector(rate)
        for block in first:
            yield rebase(block, began, rate)
        while True:
            block = rebase(await self._sound.next(), began, rate)
            yield block
            if tone.feed(block.pcm[_CALLER]) or over():
                return


class SilenceTimer:
    """A sink that measures for how long nobody has spoken."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._since = 0.0
        self._talking: set[Channel] = set()
        self._held = False

    def take(self, lines: Sequence[Line]) -> None:
        """The next lines, in order."""
        for line in lines:
            match line.event:
                case SpeechStarted(channel=channel):
                    self._talking.add(channel)
                    self._since = line.event.detected_at
                case SpeechEnded(channel=channel, end=end):
                    self._talking.discard(channel)
                    self._since = max(self._since, end)
                case CommandApplied(kind="hold"):
                    self._held = True
                case CommandApplied(kind="resume", at=at):
                    self._held, self._since = False, at

    def too_long(self, now: float) -> bool:
        """Whether nobody has spoken for the longest time by ``now`` (call seconds); never while on hold."""
        return not self._talking and not self._held and now - self._since > self._longest

    def close(self) -> None:
        """The call is over."""


def call_name(agent: str | None) -> str:
    """A name for a call that has none: the agent, the time, and two random bytes."""
    when = clock.stamp()[:19].replace("-", "").replace(":", "").replace("T", "-")
    who = "".join(letter if letter.isalnum() else "-" for letter in (agent or "call"))
    return f"{who}-{when}-{secrets.token_hex(2)}"


@contextlib.contextmanager
def stopping(live: LiveMonitor) -> Iterator[set[int]]:
    """While inside, Ctrl-C and SIGTERM stop ``live`` cleanly; yields the set of signals that came."""
    loop = asyncio.get_running_loop()
    came: set[int] = set()

    def stop(number: int, _: object) -> None:
        came.add(number)
        loop.call_soon_threadsafe(live.stop)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
