"""Listeners of the hub: batched delivery, and a bounded queue for each.

An event is sent at once when the hub is idle. After each batch comes a pause as long as the batch took to
send: nothing with few listeners, a few hundredths of a second with a thousand, in which events gather to
share a write. Of ephemeral events the newest of each subject is sent, at most ten times a second.

While a listener takes what it is sent, each event goes straight to its socket. When its socket is full,
events wait: durable ones in order, and of ephemeral ones the newest of each subject; those left out are
counted and reported. A listener for whom too much waits is disconnected with a reason; it can resume with
``?since=`` and has missed nothing.
"""

import asyncio
from collections.abc import Callable, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from monitor import clock
from monitor.hub.access import Viewer
from monitor.hub.entry import LogEntry

MOST_WAITING = 5000
"""Durable events that may wait for one listener."""

ROOM = 64 * 1024
"""Bytes in the write buffer of a socket above which events wait in the queue."""


class FellBehind(Exception):
    """The listener is too slow for its durable events."""


class Listener:
    """What goes to one connection. Only the event loop's thread may touch it."""

    def __init__(
        self, viewer: Viewer, connection: ServerConnection, tell_dropped: Callable[[int], bytes]
    ) -> None:
        self.viewer = viewer
        self.connection = connection
        self.after = 0
        """Entries up to this sequence have been sent, or are being read from the log."""
        self.overflowed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once more waits than may wait."""
        self._tell_dropped = tell_dropped
        self._waiting: dict[object, LogEntry] = {}
        self._durable = 0
        self._dropped = 0
        self._sending = False
        self._ready = asyncio.Event()

    def offer(self, batch: Sequence[LogEntry], first: int, frames: bytes) -> None:
        """Takes entries that the viewer may see: sends them now if the socket is free, or keeps them.

        ``first`` is the first sequence in the batch that must arrive, ``frames`` is all of it as it goes over
        the wire. A listener that came while the batch was waiting has had some of it already.
        """
        if first <= self.after:
            batch = [entry for entry in batch if not entry.durable or entry.sequence > self.after]
            frames = b"".join(entry.frame for entry in batch)
        if not self._waiting and not self._sending and self._is_free(len(frames)):
            # Frames are the same bytes for every listener and the stream is between messages here, so they
            # may go past the library, which would make them anew for each of a thousand connections.
            self.connection.transport.write(frames)
            self.after = max(self.after, *(entry.sequence for entry in batch), 0)
            return
        for entry in batch:
            self._keep(entry)
        self._ready.set()

    async def run(self) -> None:
        """Sends what waits, in order of arrival, until cancelled."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            self._sending = True
            while self._waiting:
                entry = self._waiting.pop(next(iter(self._waiting)))
                self._durable -= entry.durable
                # The library writes before it waits for room, so the line is on its way even if we are
                # let go while we wait.
                self.after = max(self.after, entry.sequence)
                await self.connection.send(entry.line, text=True)
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                await self.connection.send(self._tell_dropped(dropped), text=True)
            self._sending = False
            if self._waiting:
                self._ready.set()

    def _is_free(self, size: int) -> bool:
        open_now = self.connection.state is State.OPEN
        return open_now and self.connection.transport.get_write_buffer_size() + size < ROOM

    def _keep(self, entry: LogEntry) -> None:
        older = self._waiting.pop(entry.subject, None)
        self._dropped += older is not None
        if not entry.durable:
            self._waiting[entry.subject] = entry
        elif self._durable < MOST_WAITING:
            self._durable += 1
            self._waiting[entry.sequence] = entry
        elif not self.overflowed.done():
            self.overflowed.set_result(None)


EPHEMERAL_SECONDS = 0.1
"""Seconds between two batches with ephemeral events: ten a second are all an eye can use."""

EPHEMERAL_BYTES = 32e6
"""Bytes a second of ephemeral events at most: with many listeners they are sent less often."""

REST = 1.0
"""The pause after a batch as a multiple of the time it took, so that half of the time is left for input."""


class BatchedDelivery:
    """Gathers entries into batches. Not thread-safe: for the event loop's thread."""

    def __init__(self, send: Callable[[Sequence[LogEntry]], int]) -> None:
        """``send`` sends a batch to everybody; it returns the number of bytes."""
        self.coalesced = 0
        self._send = send
        self._durable: list[LogEntry] = []
        self._ephemeral: dict[tuple[object, ...], LogEntry] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._not_before = 0.0
        self._next_ephemeral = 0.0

    def put(self, entry: LogEntry) -> None:
        """Takes an entry. A durable one replaces the ephemeral ones of its subject (a final its partials)."""
        if entry.durable:
            self._ephemeral.pop(entry.subject, None)
            self._durable.append(entry)
        else:
            self.coalesced += entry.subject in self._ephemeral
            self._ephemeral[entry.subject] = entry
        self._set_timer()

    def drop_ephemeral(self, call: str) -> None:
        """Forgets the ephemeral entries of a call."""
        for subject in [subject for subject in self._ephemeral if subject[0] == call]:
            del self._ephemeral[subject]

    def flush(self) -> None:
        """Sends everything that waits."""
        self._next_ephemeral = 0.0
        self._send_batch()

    def _set_timer(self) -> None:
        if not (self._durable or self._ephemeral):
            return
        loop = asyncio.get_running_loop()
        due = max(loop.time(), self._not_before, 0.0 if self._durable else self._next_ephemeral)
        if self._timer:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._send_batch)

    def _send_batch(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        began, worked = loop.time(), clock.cpu()
        batch, self._durable = self._durable, []
        ephemeral: list[LogEntry] = []
        if began >= self._next_ephemeral:
            ephemeral = list(self._ephemeral.values())
            self._ephemeral.clear()
        batch += ephemeral
        sent = self._send(batch) if batch else 0
        if ephemeral:
            spent_on_ephemeral = sent * _size(ephemeral) / _size(batch)
            self._next_ephemeral = began + max(EPHEMERAL_SECONDS, spent_on_ephemeral / EPHEMERAL_BYTES)
        self._not_before = loop.time() + REST * (clock.cpu() - worked)
        self._set_timer()


def _size(entries: Sequence[LogEntry]) -> int:
    return sum(len(entry.line) for entry in entries)
