"""An event on its way through the hub."""

from dataclasses import dataclass
from functools import cached_property

import msgspec
from websockets.frames import Frame, Opcode

from monitor.events import Event
from monitor.wire import envelope as wire


@dataclass(frozen=True)
class LogEntry:
    """An event with the hub's sequence, as listeners get it.

    ``durable`` ones are all delivered, in order. Of the others (ephemeral) the newest of a subject is enough.
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
        """The key of ephemeral events of which only the newest matters: call, kind, side and utterance."""
        event = self.event
        return self.call, event.name, getattr(event, "channel", None), getattr(event, "utterance", None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event from a publisher with its number in its call."""

    number: int
    envelope: wire.Envelope
    event: Event


def numbered(sequence: int, call: str, arrival: Arrival, *, durable: bool) -> LogEntry:
    """An arrival as the hub's listeners get it."""
    envelope = msgspec.structs.replace(arrival.envelope, sequence=f"{sequence:0{wire.SEQUENCE_DIGITS}d}")
    return LogEntry(sequence, call, arrival.event, wire.line(envelope), durable)
