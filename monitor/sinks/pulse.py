"""The hub's pulse: lines go out in beats, so that a thousand sockets are written to once for many lines.

A line goes out at once when the hub is at rest. After a beat comes a pause as long as the beat had work:
with few listeners that is nothing, with a thousand a few hundredths of a second in which lines gather to
share a write. Of what is only looked at, the newest of each subject goes out, at most ten times a second.
"""

import asyncio
from collections.abc import Callable, Sequence

from monitor import clock
from monitor.sinks.entry import Entry

LOOK = 0.1
"""Seconds between two looks: ten a second are all an eye can use."""

LOOK_BYTES = 32e6
"""Bytes a second that may go into looks at most: with many listeners, looks come less often."""

REST = 1.0
"""Pause after a beat as a multiple of the beat, so that half of the time is left for what comes in."""


class Pulse:
    """Holds entries until their beat. Only the event loop's thread may touch it."""

    def __init__(self, send: Callable[[Sequence[Entry]], int]) -> None:
        """``send`` hands a batch round and says how many bytes that was."""
        self.coalesced = 0
        self._send = send
        self._must: list[Entry] = []
        self._looks: dict[tuple[object, ...], Entry] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._not_before = 0.0
        self._next_look = 0.0

    def put(self, entry: Entry) -> None:
        """Takes an entry. One that must arrive overtakes the looks at its subject (a final its partials)."""
        if entry.must:
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
        looks: list[Entry] = []
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


def _size(entries: Sequence[Entry]) -> int:
    return sum(len(entry.line) for entry in entries)
