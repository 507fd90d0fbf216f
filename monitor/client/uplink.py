"""A call's uplink to a hub: events wait on disk until the hub has stored them.

A thread per call runs a ``HubClient``. On each connection the hub says after which event to go on, so nothing
is lost and nothing is stored twice. Ephemeral events (levels, partial words) are sent while the connection
stands and are not kept; events that are private to the agent are not sent at all. Commands of people come
back on the same connection. What a killed monitor has left on disk is sent by the next one.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from monitor.client.address import HubAddress, why_disconnected
from monitor.client.hub_client import HubClient
from monitor.client.spool import Spool, SpoolInUse, claim, left_behind
from monitor.errors import BadInput
from monitor.events import CallEnded, Command
from monitor.sinks import Line
from monitor.wire import envelope as wire
from monitor.wire.call_state import ended_without_sums
from monitor.wire.messages import Answer, CallIdentity, is_ephemeral, is_private

MOST_FRESH = 2000
"""Events that may wait in memory for a slow connection; beyond it they are read from disk again."""

BATCH_BYTES = 256 * 1024
"""The size of one message to the hub; the hub accepts up to 1 MiB."""

PATIENCE = 5.0
"""Seconds without any progress after which the end of a call does not wait for the hub any longer."""

_answer = msgspec.json.Decoder(Answer)
_encode = msgspec.json.Encoder().encode


class Conversation:
    """Sends one call to the hub, until the hub holds everything that will ever come.

    ``give``, ``finish`` and ``trouble`` may be used from any thread.
    """

    def __init__(
        self,
        hub: HubAddress,
        claimed: CallIdentity,
        spool: Spool,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``tell`` is given why the hub will never take this call, where that is so."""
        self.trouble: str | None = None
        """Why there is no connection, for people."""
        self.on_command: Callable[[Command], None] = lambda _: None
        self._client = HubClient(hub)
        self._tell = tell
        self._claimed = claimed
        self._spool = spool
        self._news = threading.Condition()
        self._fresh: list[tuple[int, bool, bytes]] = []
        self._behind = True
        self._acked = 0
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._connection: ClientConnection | None = None
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def give(self, lines: Sequence[Line]) -> None:
        """Takes the call's next events; the durable ones are on disk when this returns."""
        seen = [line for line in lines if not is_private(line.event)]
        keep = [(line.sequence, line.json) for line in seen if not is_ephemeral(line.event)]
        self._spool.put(keep, ended=any(isinstance(line.event, CallEnded) for line in seen))
        with self._news:
            self._fresh += [(line.sequence, not is_ephemeral(line.event), line.json) for line in seen]
            if len(self._fresh) > MOST_FRESH:
                self._fresh.clear()
                self._behind = True
        self._in_loop(self._wake.set)

    def finish(self, patience: float = PATIENCE) -> bool:
        """No more events will come; True once the hub holds them all, False when it does not go on.

        ``patience``: seconds to wait without any progress.
        """
        with self._news:
            while not (self._all_stored() or self._stopped.is_set()):
                before = self._acked
                if not self._news.wait_for(functools.partial(self._advanced, before), patience):
                    break
            stored = self._all_stored()
        self._stopped.set()
        self._in_loop(functools.partial(self._end, patience))
        self._thread.join(patience)  # one that hangs on a dead connection is left, and dies with the process
        return stored

    def _advanced(self, before: int) -> bool:
        return self._acked > before or self._all_stored() or self._stopped.is_set()

    def _all_stored(self) -> bool:
        return self._acked >= self._spool.last

    def _in_loop(self, do: Callable[[], None]) -> None:
        """Calls ``do`` in the loop's thread, if the loop runs."""
        if loop := self._loop:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(do)

    # --- in the thread of the loop ---

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._converse())

    def _end(self, patience: float) -> None:
        if connection := self._connection:
            connection.close_timeout = min(patience, connection.close_timeout or patience)
        for task in asyncio.all_tasks():
            task.cancel()

    async def _converse(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stopped.is_set():  # ``finish`` may have looked just before
            return
        async with contextlib.aclosing(self._client.attempts(lambda: "/publish")) as attempts:
            async for attempt in attempts:
                if isinstance(attempt, Exception):
                    self.trouble = why_disconnected(attempt)
                    continue
                self._connection = attempt
                try:
                    await self._publish(attempt)
                except (ConnectionClosed, TimeoutError, msgspec.DecodeError, BadInput) as wrong:
                    self.trouble = why_disconnected(wrong)
                finally:
                    self._connection = None
                if self._stopped.is_set():
                    return

    async def _publish(self, connection: ClientConnection) -> None:
        """One connection, until it ends."""
        claim = {"call": self._claimed.call, "agent": self._claimed.agent, "team": self._claimed.team}
        await connection.send(_encode(claim), text=True)
        async with asyncio.timeout(PATIENCE):
            resume = _answer.decode(await connection.recv()).resume or 0
        if resume > self._spool.last:
            self._give_up("the hub already holds another call of this name")
            return
        self.trouble = None
        self._stored(resume)
        with self._news:
            self._fresh.clear()
            self._behind = True
        sending = asyncio.create_task(self._send(connection, resume))
        try:
            async for message in connection:
                answer = _answer.decode(message)
                if answer.ack is not None:
                    self._stored(answer.ack)
                if answer.command is not None:
                    self.on_command(answer.command)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def _give_up(self, trouble: str) -> None:
        self.trouble = trouble
        self._tell(trouble)
        self._stopped.set()
        with self._news:
            self._news.notify_all()

    def _stored(self, number: int) -> None:
        """The hub holds everything up to ``number``."""
        self._spool.acknowledged(number)
        with self._news:
            self._acked = max(self._acked, number)
            self._news.notify_all()

    async def _send(self, connection: ClientConnection, sent: int) -> None:
        try:
            while True:
                self._wake.clear()
                lines = self._ready(sent)
                if not lines:
                    await self._wake.wait()
                    continue
                sent = max([sent, *(number for number, kept, _ in lines if kept)])
                for message in _messages(line for _, _, line in lines):
                    await connection.send(message, text=True)
        except ConnectionClosed:
            pass  # whoever receives on this connection notices as well
        except BadInput as wrong:  # what waits cannot be read: the next connection tries again
            self.trouble = why_disconnected(wrong)
            await connection.close()

    def _ready(self, sent: int) -> list[tuple[int, bool, bytes]]:
        """The events after ``sent`` that can be sent now, with their numbers and whether they are kept."""
        with self._news:
            if self._behind:
                stored = self._spool.after(sent)
                self._behind = bool(stored)
                if stored:
                    return [(number, True, line) for number, line in stored]
            fresh, self._fresh = self._fresh, []
        return [line for line in fresh if line[0] > sent or not line[1]]


def _messages(lines: Iterable[bytes]) -> list[bytes]:
    """Joins lines to messages of at most ``BATCH_BYTES`` (or one line)."""
    messages: list[list[bytes]] = [[]]
    size = 0
    for line in lines:
        if size and size + len(line) > BATCH_BYTES:
            messages.append([])
            size = 0
        messages[-1].append(line)
        size += len(line) + 1
    return [b"\n".join(message) for message in messages if message]


IN_A_HURRY = 0.25
"""Seconds that the end of a call waits for a hub that does not answer, when a person wants to leave."""


class Uplink:
    """A sink that sends one call to a hub, and what earlier monitors left behind.

    ``folder`` holds the events that wait; ``patience``: seconds that ``close`` waits without any progress.
    Raises ``BadInput`` where the folder cannot be used.
    """

    def __init__(
        self,
        hub: HubAddress,
        claimed: CallIdentity,
        folder: Path,
        *,
        patience: float = PATIENCE,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._patience = patience
        self.folder = folder
        self._spool = claim(folder, claimed.call)
        self._spool.begin(hub.url, claimed)
        self._leftovers = Leftovers(hub, folder)
        self._conversation = Conversation(hub, claimed, self._spool, tell)
        self._conversation.start()
        self.left: int = 0
        """After the end: lines that wait on disk for the next time."""

    @property
    def trouble(self) -> str | None:
        """Why there is no connection to the hub just now, for people."""
        return self._conversation.trouble

    def take(self, lines: Sequence[Line]) -> None:
        """Takes the next events, in order."""
        self._conversation.give(lines)

    def take_commands(self, call: str, handler: Callable[[Command], None]) -> None:
        """Says who takes the commands that people give through the hub."""
        self._conversation.on_command = handler

    def hurry(self) -> None:
        """The person wants to leave: ``close`` waits no longer than ``IN_A_HURRY``."""
        self._patience = min(self._patience, IN_A_HURRY)

    def close(self) -> None:
        """Waits until the hub holds the call, or makes no progress; the rest stays on disk."""
        arrived = self._conversation.finish(self._patience)
        self.left = self._spool.waiting
        self._spool.close(remove=arrived and (self._spool.ended or not self._spool.last))
        if arrived:
            self._leftovers.finish(self._patience)


class Leftovers:
    """Sends what earlier monitors have left on disk, in a thread of its own."""

    def __init__(self, hub: HubAddress, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self._thread = threading.Thread(target=self._send_all, name="leftovers", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether the thread is still sending."""
        return self._thread.is_alive()

    def finish(self, patience: float) -> None:
        """Waits up to ``patience`` seconds; what is not sent then is sent the next time."""
        self._thread.join(patience)

    def _send_all(self) -> None:
        for path in left_behind(self._folder):
            try:
                spool = Spool(path)
            except (SpoolInUse, BadInput):
                continue
            sent = False
            with contextlib.suppress(BadInput):  # of an earlier version, or damaged: it is left to expire
                about = spool.about()
                sent = about is None or (about[0] == self._hub.url and self._send(spool, about[1]))
            spool.close(remove=sent)

    def _send(self, spool: Spool, claimed: CallIdentity) -> bool:
        if spool.last == 0:
            return True
        if not spool.ended:
            _end(spool, claimed)
        conversation = Conversation(self._hub, claimed, spool)
        conversation.start()
        return conversation.finish()


def _end(spool: Spool, claimed: CallIdentity) -> None:
    """Adds ``call.ended`` to a call whose monitor was killed."""
    stored = spool.after(0, limit=1_000_000)
    known = max((wire.decode(line)[1].detected_at for _, line in stored), default=0.0)
    ended = ended_without_sums(known, "The monitor of this call stopped before the call ended.")
    number = spool.last + 1
    spool.put([(number, wire.encode(ended, call=claimed.call, sequence=number))], ended=True)


LOOK = 10.0
"""Seconds between two checks for events that earlier calls could not send."""
LONGEST_LOOK = 600.0
"""The same while what waits cannot be sent although the hub is there."""
BEAT = 0.2


class HubConnectionStatus:
    """Tells the agent whether the hub is connected, and sends what waits once it is.

    ``say`` takes a sentence for people; ``folder`` holds what waits for the hub.
    """

    def __init__(self, hub: HubAddress, folder: Path, say: Callable[[str], None]) -> None:
        self._hub = hub
        self._folder = folder
        self._say = say
        self._stands = asyncio.Event()
        self._told = False

    def tell(self, trouble: str | None) -> None:
        """The hub is connected (None), or is not, and why."""
        if trouble is not None:
            self._stands.clear()
            self._told = True
            self._say(
                f"No connection to the hub: {trouble}. Calls are monitored all the same; what is for the hub "
                "waits on this machine."
            )
            return
        self._stands.set()
        if self._told:
            self._told = False
            self._say("Connected to the hub.")

    async def send_what_waits(self) -> None:
        """Sends what earlier calls left, while the hub is connected; until cancelled."""
        pause, before = LOOK, 0
        while True:
            await self._stands.wait()
            waiting = len(left_behind(self._folder))
            if waiting:
                leftovers = Leftovers(self._hub, self._folder)
                while leftovers.busy:  # noqa: ASYNC110 - a thread that dies with the process has no event
                    await asyncio.sleep(BEAT)
            pause = min(LONGEST_LOOK, pause * 2) if 0 < before <= waiting else LOOK
            before = waiting
            await asyncio.sleep(pause)
