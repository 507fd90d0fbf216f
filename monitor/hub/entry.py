"""One event on its way through the hub, and what kind of care it needs."""

from dataclasses import dataclass
from functools import cached_property

import msgspec
from websockets.frames import Frame, Opcode

from monitor.events import Event
from monitor.wire import envelope as wire


@dataclass(frozen=True)
class LogEntry:
    """An event with the hub's sequence, as listeners get it.

    ``durable`` ones arrive: in order and none left out. What is not is only looked at: the newest will do.
    """

    sequence: int
    call: str
    event: Event
    line: bytes
    durable: bool

    @cached_property
    def frame(self) -> bytes:
        """The line as one websocket text message from a server (RFC 6455, 5.2); made once for everybody."""
        return bytes(Frame(Opcode.TEXT, self.line).serialize(mask=False))

    @cached_property
    def subject(self) -> tuple[object, ...]:
        """Lines of which only the newest matters share it: kind, side and utterance of one call."""
        event = self.event
        return self.call, event.name, getattr(event, "channel", None), getattr(event, "utterance", None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A line from a publisher: its own number in its call, its envelope and its event."""

    number: int
    envelope: wire.Envelope
    event: Event


def numbered(sequence: int, call: str, arrival: Arrival, *, durable: bool) -> LogEntry:
    """An arrival as the hub's listeners get it."""
    envelope = msgspec.structs.replace(arrival.envelope, sequence=f"{sequence:0{wire.SEQUENCE_DIGITS}d}")
    return LogEntry(sequence, call, arrival.event, wire.line(envelope), durable)
