"""A monitor's conversation with its hub about one call, through every break of the line.

One thread keeps the connection (with back-off and jitter) and hears what the hub says; another sends. On
each new connection the hub says after which line to go on, so nothing is lost and nothing stands twice.
"""

import functools
import random
import threading
from collections.abc import Callable, Iterable, Sequence

import msgspec
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection

from monitor.errors import BadInput
from monitor.events import CallEnded, Order
from monitor.sinks import Line
from monitor.sinks.access import Claimed
from monitor.sinks.entry import is_private, only_looked_at
from monitor.sinks.hub_address import HubAddress, why_no_line
from monitor.sinks.publishing import Answer
from monitor.sinks.spool import Spool

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
        self.order: Callable[[Order], None] = lambda _: None
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
        keep = [(line.sequence, line.json) for line in seen if not only_looked_at(line.event)]
        self._spool.put(keep, ended=any(isinstance(line.event, CallEnded) for line in seen))
        with self._news:
            self._fresh += [(line.sequence, not only_looked_at(line.event), line.json) for line in seen]
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
