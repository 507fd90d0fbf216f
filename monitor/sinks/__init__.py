"""Sinks: where the events of a call go, such as the console, a journal, transcripts or a hub.

A sink takes numbered events and never keeps the call waiting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from monitor.events import Command, Event
from monitor.wire import envelope as wire


@dataclass(frozen=True)
class Line:
    """One event with its number in its call; it is encoded once, when that is first needed."""

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
    """Anything that takes the events of a call."""

    def take(self, lines: Sequence[Line]) -> None:
        """Takes the next events, in order. Must return soon."""

    def close(self) -> None:
        """Ends the output; called once, after the last event or when the call was cut off."""


@runtime_checkable
class CommandSource(Protocol):
    """A sink through which people send commands, which go back to the call."""

    def take_commands(self, call: str, handler: Callable[[Command], None]) -> None:
        """Says who takes the commands for ``call``."""


@runtime_checkable
class Patient(Protocol):
    """A sink whose ``close`` may wait for somebody else."""

    def hurry(self) -> None:
        """The person wants to leave: ``close`` may not wait any longer."""
