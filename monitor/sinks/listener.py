"""One listener of the hub, and the bounded queue that keeps a slow one from slowing the others.

While a listener takes what it is sent, each line goes straight to its socket. When its socket is full,
lines wait: what must arrive (alerts, final words, the beginning and end of calls) in order, and of what
is only looked at the newest of each subject; lines left out are counted and told. A listener for whom
too much waits is let go with a reason; it can come back with ``?since=`` and has missed nothing.
"""

import asyncio
from collections.abc import Callable, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from monitor.sinks.access import Viewer
from monitor.sinks.entry import Entry

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
        self._waiting: dict[object, Entry] = {}
        self._must = 0
        self._dropped = 0
        self._sending = False
        self._bell = asyncio.Event()

    def offer(self, batch: Sequence[Entry], first: int, frames: bytes) -> None:
        """Takes entries that the viewer may see: sends them now if the socket is free, or keeps them.

        ``first`` is the first sequence in the batch that must arrive, ``frames`` is all of it as it goes over
        the wire. A listener that came while the batch was waiting has had some of it already.
        """
        if first <= self.after:
            batch = [entry for entry in batch if not entry.must or entry.sequence > self.after]
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
                self._must -= entry.must
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

    def _keep(self, entry: Entry) -> None:
        older = self._waiting.pop(entry.subject, None)
        self._dropped += older is not None
        if not entry.must:
            self._waiting[entry.subject] = entry
        elif self._must < MOST_WAITING:
            self._must += 1
            self._waiting[entry.sequence] = entry
        elif not self.overflowed.done():
            self.overflowed.set_result(None)
