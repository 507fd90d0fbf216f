"""What is only looked at, a few times a second: the newest of each subject, and never much of the time.

Levels come ten times a second from each side of each call; with a thousand listeners they alone would
keep a machine busy and make alerts wait. So they are handed out in short beats, the newest line of each
subject, and between two beats lies a pause of at least twice the time the last beat took.
"""

import asyncio
from collections.abc import Callable

from monitor.sinks.entry import Entry

SHORTEST = 0.1
"""Seconds between two beats when there is little to do: ten looks a second are all an eye can use."""

BEAT = 0.005
"""Seconds a beat may take before it lets alerts pass (the line under way is finished)."""

REST = 2.0
"""Pause after a beat as a multiple of the beat: a third of the time at most goes into what is looked at."""


class Pulse:
    """Holds entries until their beat. Only the event loop's thread may touch it."""

    def __init__(self, spread: Callable[[Entry], None]) -> None:
        self.coalesced = 0
        self._spread = spread
        self._waiting: dict[tuple[object, ...], Entry] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def put(self, entry: Entry) -> None:
        """Takes an entry; an older one of its subject gives it its place."""
        self.coalesced += entry.subject in self._waiting
        self._waiting[entry.subject] = entry
        self._set_timer()

    def forget(self, entry: Entry) -> None:
        """What must arrive has overtaken its subject (a final its partials, the end its whole call)."""
        self._waiting.pop(entry.subject, None)

    def forget_call(self, call: str) -> None:
        """Nothing of this call needs to be looked at any more."""
        for subject in [subject for subject in self._waiting if subject[0] == call]:
            del self._waiting[subject]

    def stop(self) -> None:
        """No more beats."""
        if self._timer:
            self._timer.cancel()

    def _set_timer(self) -> None:
        if self._timer is None and self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._not_before), self._beat)

    def _beat(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self._waiting and loop.time() - began < BEAT:
            self._spread(self._waiting.pop(next(iter(self._waiting))))
        spent = loop.time() - began
        self._not_before = began + spent + (REST * spent if self._waiting else max(SHORTEST, REST * spent))
        self._set_timer()
