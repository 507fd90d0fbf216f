"""One listener of the hub, and the bounded queue that keeps a slow one from slowing the others.

What must arrive (alerts, final words, the beginning and end of calls) waits in order. What is only
looked at is coalesced: of each call, kind and side only the newest line waits, and lines left out are
counted and told. A listener whose queue of what must arrive is full is let go with a reason; it can
come back with ``?since=`` and has missed nothing.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from monitor.sinks.access import Viewer
from monitor.sinks.log import Entry

MOST_WAITING = 5000
"""Lines that must arrive and may wait for one listener."""


class FellBehind(Exception):
    """The listener does not take what must arrive."""


@dataclass(eq=False)
class Listener:
    """What waits for one connection. Only the event loop's thread touches it."""

    viewer: Viewer
    after: int = 0
    """Entries up to this sequence have been sent, or are being read from the log."""
    dropped: int = 0
    overflowed: bool = False
    _must: deque[Entry] = field(default_factory=deque)
    _latest: dict[tuple[object, ...], Entry] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, entry: Entry) -> None:
        """Takes an entry that the viewer may see."""
        if entry.kept:
            if len(self._must) >= MOST_WAITING:
                self.overflowed = True
            else:
                self._must.append(entry)
        else:
            key = _same(entry)
            self.dropped += self._latest.pop(key, None) is not None
            self._latest[key] = entry
        self._bell.set()

    async def take(self) -> list[Entry]:
        """Waits until something is there; what must arrive first, in order, then the newest of the rest.

        Raises ``FellBehind`` when more waits than may wait.
        """
        await self._bell.wait()
        self._bell.clear()
        if self.overflowed:
            raise FellBehind
        taken = [*self._must, *self._latest.values()]
        self._must.clear()
        self._latest.clear()
        return taken

    def count_dropped(self) -> int:
        """How many lines were left out since this was last asked."""
        count, self.dropped = self.dropped, 0
        return count


def _same(entry: Entry) -> tuple[object, ...]:
    """Lines of which only the newest matters: one kind, one side (or utterance) of one call."""
    event = entry.event
    return entry.call, event.name, getattr(event, "channel", None), getattr(event, "utterance", None)
