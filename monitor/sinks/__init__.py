"""Where events go: the console, a journal, transcripts, the hub.

A sink takes numbered lines and never keeps the call waiting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from monitor.events import Command, Event
from monitor.wire import envelope as wire


@dataclass(frozen=True)
class Line:
    """One event with its place in the stream of its call; it is encoded once, when first wanted."""

    call: str
    sequence: int
    event: Event
    time: str | None = None

    @cached_property
    def envelope(self) -> wire.Envelope:
        """The CloudEvent around the event."""
        return wire.wrap(self.event, call=self.call, sequence=self.sequence, time=self.time)

    @cached_property
    def json(self) -> bytes:
        """The CloudEvent as one line, without its newline."""
        return wire.line(self.envelope)


class Sink(Protocol):
    """Anything that wants the events of a call."""

    def take(self, lines: Sequence[Line]) -> None:
        """The next lines, in order. Must return soon."""

    def close(self) -> None:
        """The call is over, or was cut: put what is held where it belongs."""


@runtime_checkable
class CommandSource(Protocol):
    """A sink through which people send commands, which go back to the call."""

    def take_commands(self, call: str, handler: Callable[[Command], None]) -> None:
        """Says who takes the commands for ``call``."""


@runtime_checkable
class Patient(Protocol):
    """A sink whose end may take a while."""

    def hurry(self) -> None:
        """A person wants to leave: the end may not wait for others any more."""
