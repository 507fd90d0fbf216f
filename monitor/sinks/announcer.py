"""Numbers and timestamps the events of a call and passes them to its sinks."""

import contextlib
from collections.abc import Callable, Iterable, Sequence

import msgspec

from monitor import clock
from monitor.events import CallEnded, Event
from monitor.sinks import Line, Patient, Sink


def _as_it_is(ended: CallEnded) -> CallEnded:
    return ended


class Announcer:
    """Numbers the events of a call and passes them to every sink.

    ``ending`` may add to the last event what only the source knows (how far it was heard, and why).
    Without ``stamps`` no wall clock stands in the lines, so that a journal replays to the same bytes.
    """

    def __init__(
        self,
        call: str,
        sinks: Sequence[Sink],
        *,
        stamps: bool = True,
        ending: Callable[[CallEnded], CallEnded] = _as_it_is,
    ) -> None:
        self._call = call
        self._sinks = sinks
        self._stamps = stamps
        self._ending = ending
        self._sequence = 0
        self._began = clock.stopwatch()

    def say(self, events: Iterable[Event]) -> None:
        """Passes events on, in order."""
        lines = [self._line(event) for event in events]
        if lines:
            for sink in self._sinks:
                sink.take(lines)

    def hurry(self) -> None:
        """The person wants to leave: no sink may wait any longer."""
        for sink in self._sinks:
            if isinstance(sink, Patient):
                sink.hurry()

    def close(self) -> None:
        """Closes every sink, also when one of them fails."""
        with contextlib.ExitStack() as stack:
            for sink in reversed(self._sinks):
                stack.callback(sink.close)

    def _line(self, event: Event) -> Line:
        self._sequence += 1
        if isinstance(event, CallEnded):
            event = self._ending(event)
            if self._stamps:
                spent = round(clock.stopwatch() - self._began, 3)
                event = msgspec.structs.replace(event, wall_seconds=spent)
        return Line(self._call, self._sequence, event, clock.stamp() if self._stamps else None)
