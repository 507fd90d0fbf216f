"""A call's uplink to a hub: lines wait on disk until the hub has stored them.

A monitor's conversation with its hub about one call, through every break of the line.

One thread keeps the connection (with back-off and jitter) and hears what the hub says; another sends. On
each new connection the hub says after which line to go on, so nothing is lost and nothing stands twice.

A call's way to a hub: lines wait on disk until the hub holds them, through every break of the line.

What is only looked at is sent while the line stands and is not kept. What is private to the agent is not
sent at all. Orders of people come back the same way. What a killed monitor left is sent by the next one.

A live monitor's hub over the day: who sits there is told how the line stands, and what waits is sent.
"""

import asyncio
import functools
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection

from monitor.client.address import HubAddress, why_no_line
from monitor.client.spool import Spool, SpooledLine, claim, left_behind
from monitor.errors import BadInput
from monitor.events import CallEnded, Command
from monitor.sinks import Line
from monitor.wire import envelope as wire
from monitor.wire.messages import Answer, Claimed, is_ephemeral, is_private

MOST_FRESH = 2000
"""Lines that may wait in memory for a slow line; beyond it they are read from disk again."""

BATCH_BYTES = 256 * 1024
"""A message to the hub is cut here; the hub takes up to 1 MiB."""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
"""Seconds between attempts to connect: doubled each time, and shortened by up to half at random."""

PATIENCE = 5.0
"""Seconds without any progress after which the end of a call does not wait for the hub any longer."""

_answer = msgspec.json.Decoder(Answer)
_encode = msgspec.json.Encoder().encode


class Conversation:
    """One call's conversation with the hub, until the hub holds everything that will ever come."""

    def __init__(
        self,
        hub: HubAddress,
        claimed: Claimed,
        spool: Spool,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``tell`` is given why the hub will never take this call, where that is so."""
        self.trouble: str | None = None
        """Why the line does not stand, for people."""
        self.order: Callable[[Command], None] = lambda _: None
        self._hub = hub
        self._tell = tell
        self._claimed = claimed
        self._spool = spool
        self._news = threading.Condition()
        self._fresh: list[tuple[int, bool, bytes]] = []
        self._behind = True
        self._acked = 0
        self._stopped = threading.Event()
        self._connection: ClientConnection | None = None
        self._thread = threading.Thread(target=self._keep_talking, name="uplink", daemon=True)

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def give(self, lines: Sequence[Line]) -> None:
        """Takes the call's next lines; those that must arrive are on disk when this returns."""
        seen = [line for line in lines if not is_private(line.event)]
        keep = [(line.sequence, line.json) for line in seen if not is_ephemeral(line.event)]
        self._spool.put(keep, ended=any(isinstance(line.event, CallEnded) for line in seen))
        with self._news:
            self._fresh += [(line.sequence, not is_ephemeral(line.event), line.json) for line in seen]
            if len(self._fresh) > MOST_FRESH:
                self._fresh.clear()
                self._behind = True
            self._news.notify_all()

    def finish(self, patience: float = PATIENCE) -> bool:
        """No more lines will come; True once the hub holds them all, False when it does not go on."""
        with self._news:
            while not (self._all_there() or self._stopped.is_set()):
                before = self._acked
                if not self._news.wait_for(functools.partial(self._went_on, before), patience):
                    break
            arrived = self._all_there()
        self._stop(patience)
        return arrived

    def _went_on(self, before: int) -> bool:
        return self._acked > before or self._all_there() or self._stopped.is_set()

    def _all_there(self) -> bool:
        return self._acked >= self._spool.last

    def _stop(self, patience: float) -> None:
        """Ends both threads; one that hangs on a dead line is left behind, it dies with the process."""
        self._stopped.set()
        with self._news:
            self._news.notify_all()
        if connection := self._connection:
            connection.close_timeout = min(patience, connection.close_timeout or patience)
            connection.close()
        self._thread.join(patience)

    # --- the thread that keeps the connection ---

    def _keep_talking(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                with self._hub.connect() as connection:
                    self._connection = connection
                    if not self._stopped.is_set():  # whoever stops us may have looked just before
                        self._talk(connection)
                    pause = FIRST_PAUSE
            except (OSError, WebSocketException, TimeoutError, msgspec.DecodeError) as wrong:
                self.trouble = why_no_line(wrong)
            except BadInput as wrong:  # the token's file, or the buffer, cannot be used just now
                self.trouble = str(wrong).rstrip(".")
            finally:
                self._connection = None
            self._stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            pause = min(LONGEST_PAUSE, pause * 2)

    def _talk(self, connection: ClientConnection) -> None:
        claim = {"call": self._claimed.call, "agent": self._claimed.agent, "team": self._claimed.team}
        connection.send(_encode(claim), text=True)
        resume = _answer.decode(connection.recv(timeout=PATIENCE)).resume or 0
        if resume > self._spool.last:
            self._give_up("the hub already holds another call of this name")
            return
        self.trouble = None
        self._noted(resume)
        with self._news:
            self._fresh.clear()
            self._behind = True
        sending = threading.Thread(target=self._send, args=(connection, resume), daemon=True)
        sending.start()
        try:
            for message in connection:
                self._hear(_answer.decode(message))
        finally:
            with self._news:
                self._news.notify_all()
            sending.join(PATIENCE)

    def _give_up(self, trouble: str) -> None:
        self.trouble = trouble
        self._tell(trouble)
        self._stopped.set()
        with self._news:
            self._news.notify_all()

    def _hear(self, answer: Answer) -> None:
        if answer.ack is not None:
            self._noted(answer.ack)
        if answer.order is not None:
            self.order(answer.order)

    def _noted(self, number: int) -> None:
        """The hub holds everything up to ``number``."""
        self._spool.acknowledged(number)
        with self._news:
            self._acked = max(self._acked, number)
            self._news.notify_all()

    # --- the thread that sends ---

    def _send(self, connection: ClientConnection, sent: int) -> None:
        try:
            while (lines := self._next(connection, sent)) is not None:
                sent = max([sent, *(number for number, kept, _ in lines if kept)])
                for message in _messages(line for _, _, line in lines):
                    connection.send(message, text=True)
        except (ConnectionClosed, BadInput):
            pass  # the other thread has noticed, or will, and connects again

    def _next(self, connection: ClientConnection, sent: int) -> list[tuple[int, bool, bytes]] | None:
        """Waits for lines after ``sent``; none when this connection is over."""
        with self._news:
            self._news.wait_for(
                lambda: self._fresh or self._behind or self._stopped.is_set() or connection.close_code
            )
            if self._stopped.is_set() or connection.close_code:
                return None
            if self._behind:
                stored = self._spool.after(sent)
                self._behind = bool(stored)
                return [(number, True, line) for number, line in stored]
            fresh, self._fresh = self._fresh, []
        return [line for line in fresh if line[0] > sent or not line[1]]


def _messages(lines: Iterable[bytes]) -> list[bytes]:
    """Lines joined to messages that the hub takes."""
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
    """Sends one call to a hub, and what earlier monitors left behind. A sink."""

    def __init__(
        self,
        hub: HubAddress,
        claimed: Claimed,
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
        """Why the line to the hub does not stand just now, for people."""
        return self._conversation.trouble

    def take(self, lines: Sequence[Line]) -> None:
        """The next lines, in order."""
        self._conversation.give(lines)

    def answer_orders(self, call: str, order: Callable[[Command], None]) -> None:
        """Says who takes the orders that people give through the hub."""
        self._conversation.order = order

    def hurry(self) -> None:
        """A person wants to leave: what the hub does not hold by then waits on disk for the next time."""
        self._patience = min(self._patience, IN_A_HURRY)

    def close(self) -> None:
        """Waits, with bounded patience, until the hub holds the call; what it does not hold stays on disk."""
        arrived = self._conversation.finish(self._patience)
        self.left = self._spool.waiting
        self._spool.close(remove=arrived and (self._spool.ended or not self._spool.last))
        if arrived:
            self._leftovers.finish(self._patience)


class Leftovers:
    """Sends on what monitors that are gone have left on disk, beside the call of now."""

    def __init__(self, hub: HubAddress, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self._thread = threading.Thread(target=self._send_all, name="leftovers", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it is still at it."""
        return self._thread.is_alive()

    def finish(self, patience: float) -> None:
        """Waits so many seconds; what is not sent then is sent the next time."""
        self._thread.join(patience)

    def _send_all(self) -> None:
        for path in left_behind(self._folder):
            try:
                spool = Spool(path)
            except SpooledLine:
                continue
            about = spool.about()
            if about is None:
                spool.close(remove=True)
            elif about[0] != self._hub.url or not self._send(spool, about[1]):
                spool.close()
            else:
                spool.close(remove=True)

    def _send(self, spool: Spool, claimed: Claimed) -> bool:
        if spool.last == 0:
            return True
        if not spool.ended:
            _end(spool, claimed)
        conversation = Conversation(self._hub, claimed, spool)
        conversation.start()
        return conversation.finish()


def _end(spool: Spool, claimed: Claimed) -> None:
    """Ends a call whose monitor was killed: how far it is known, and why there are no sums."""
    stored = spool.after(0, limit=1_000_000)
    known = max((wire.decode(line)[1].detected_at for _, line in stored), default=0.0)
    ended = CallEnded(
        detected_at=known, seconds=known, talk={}, overlap=0.0, silence=0.0, interruptions={}, alerts={},
        notice="The monitor of this call stopped before the call ended.",
    )  # fmt: skip
    number = spool.last + 1
    spool.put([(number, wire.encode(ended, call=claimed.call, sequence=number))], ended=True)


LOOK = 10.0
"""Seconds between two looks for what earlier calls could not send."""
LONGEST_LOOK = 600.0
"""The same where what waits cannot be sent, for a reason of its own."""
BEAT = 0.2


class HubConnectionStatus:
    """``say`` takes a sentence for people; ``folder`` holds what waits for the hub."""

    def __init__(self, hub: HubAddress, folder: Path, say: Callable[[str], None]) -> None:
        self._hub = hub
        self._folder = folder
        self._say = say
        self._stands = asyncio.Event()
        self._told = False

    def tell(self, trouble: str | None) -> None:
        """The line stands (None), or does not, and why."""
        if trouble is not None:
            self._stands.clear()
            self._told = True
            self._say(
                f"No line to the hub: {trouble}. Calls are heard all the same; what is for the hub waits on "
                "this machine."
            )
            return
        self._stands.set()
        if self._told:
            self._told = False
            self._say("The line to the hub stands.")

    async def send_what_waits(self) -> None:
        """Whenever the line stands, sends what killed monitors and broken lines left; until cancelled."""
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
