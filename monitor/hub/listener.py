"""Listeners of the hub: bounded queues, and batched delivery.

One listener of the hub, and the bounded queue that keeps a slow one from slowing the others.

While a listener takes what it is sent, each line goes straight to its socket. When its socket is full,
lines wait: what must arrive (alerts, final words, the beginning and end of calls) in order, and of what
is only looked at the newest of each subject; lines left out are counted and told. A listener for whom
too much waits is let go with a reason; it can come back with ``?since=`` and has missed nothing.

The hub's pulse: lines go out in beats, so that a thousand sockets are written to once for many lines.

A line goes out at once when the hub is at rest. After a beat comes a pause as long as the beat had work:
with few listeners that is nothing, with a thousand a few hundredths of a second in which lines gather to
share a write. Of what is only looked at, the newest of each subject goes out, at most ten times a second.
"""

import asyncio
from collections.abc import Callable, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from monitor import clock
from monitor.hub.access import Viewer
from monitor.hub.entry import LogEntry

MOST_WAITING = 5000
"""Lines that must arrive and may wait for one listener."""

ROOM = 64 * 1024
"""Bytes that may stand between us and a listener's socket before its lines wait here."""


class FellBehind(Exception):
    """The listener does not take what must arrive."""


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
        self._must = 0
        self._dropped = 0
        self._sending = False
        self._bell = asyncio.Event()

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
        self._bell.set()

    async def run(self) -> None:
        """Sends what waits, in order of arrival, until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            self._sending = True
            while self._waiting:
                entry = self._waiting.pop(next(iter(self._waiting)))
                self._must -= entry.durable
                # The library writes before it waits for room, so the line is on its way even if we are
                # let go while we wait.
                self.after = max(self.after, entry.sequence)
                await self.connection.send(entry.line, text=True)
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                await self.connection.send(self._tell_dropped(dropped), text=True)
            self._sending = False
            if self._waiting:
                self._bell.set()

    def _is_free(self, size: int) -> bool:
        open_now = self.connection.state is State.OPEN
        return open_now and self.connection.transport.get_write_buffer_size() + size < ROOM

    def _keep(self, entry: LogEntry) -> None:
        older = self._waiting.pop(entry.subject, None)
        self._dropped += older is not None
        if not entry.durable:
            self._waiting[entry.subject] = entry
        elif self._must < MOST_WAITING:
            self._must += 1
            self._waiting[entry.sequence] = entry
        elif not self.overflowed.done():
            self.overflowed.set_result(None)


LOOK = 0.1
"""Seconds between two looks: ten a second are all an eye can use."""

LOOK_BYTES = 32e6
"""Bytes a second that may go into looks at most: with many listeners, looks come less often."""

REST = 1.0
"""Pause after a beat as a multiple of the beat, so that half of the time is left for what comes in."""


class BatchedDelivery:
    """Holds entries until their beat. Only the event loop's thread may touch it."""

    def __init__(self, send: Callable[[Sequence[LogEntry]], int]) -> None:
        """``send`` hands a batch round and says how many bytes that was."""
        self.coalesced = 0
        self._send = send
        self._must: list[LogEntry] = []
        self._looks: dict[tuple[object, ...], LogEntry] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._not_before = 0.0
        self._next_look = 0.0

    def put(self, entry: LogEntry) -> None:
        """Takes an entry. One that must arrive overtakes the looks at its subject (a final its partials)."""
        if entry.durable:
            self._looks.pop(entry.subject, None)
            self._must.append(entry)
        else:
            self.coalesced += entry.subject in self._looks
            self._looks[entry.subject] = entry
        self._set_timer()

    def forget_looks(self, call: str) -> None:
        """Nothing of this call needs to be looked at any more."""
        for subject in [subject for subject in self._looks if subject[0] == call]:
            del self._looks[subject]

    def flush(self) -> None:
        """Sends what waits now, looks too."""
        self._next_look = 0.0
        self._beat()

    def _set_timer(self) -> None:
        if not (self._must or self._looks):
            return
        loop = asyncio.get_running_loop()
        due = max(loop.time(), self._not_before, 0.0 if self._must else self._next_look)
        if self._timer:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._beat)

    def _beat(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        began, worked = loop.time(), clock.cpu()
        batch, self._must = self._must, []
        looks: list[LogEntry] = []
        if began >= self._next_look:
            looks = list(self._looks.values())
            self._looks.clear()
        batch += looks
        sent = self._send(batch) if batch else 0
        if looks:
            spent_on_looks = sent * _size(looks) / _size(batch)
            self._next_look = began + max(LOOK, spent_on_looks / LOOK_BYTES)
        self._not_before = loop.time() + REST * (clock.cpu() - worked)
        self._set_timer()


def _size(entries: Sequence[LogEntry]) -> int:
    return sum(len(entry.line) for entry in entries)
