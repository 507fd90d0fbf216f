"""The publishing protocol: how a monitor sends one call to the hub, and what the hub answers.

The monitor claims the call; the hub answers with the number after which to go on; then events come in
batches, and each batch is acknowledged once it is stored. Commands of people travel the other way.
"""

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from websockets.asyncio.server import ServerConnection, broadcast

from monitor.errors import BadInput
from monitor.events import CallControlReply, CallStarted, Command, Dropped, Refused, Snapshot
from monitor.hub.access import Identity
from monitor.hub.entry import Arrival
from monitor.wire import envelope as wire
from monitor.wire.messages import Answer, CallIdentity, Claim

FIRST_WORD_SECONDS = 5.0
"""How long a client may take to say whose call, or whose monitor, it is."""

FirstT = TypeVar("FirstT")

HIGHEST_NUMBER = 10**wire.SEQUENCE_DIGITS - 1


_claim = msgspec.json.Decoder(Claim)
_encoder = msgspec.json.Encoder()


def encoded(answer: Answer) -> bytes:
    """An answer as JSON."""
    return _encoder.encode(answer)


async def receive_first(
    connection: ServerConnection, decoder: "msgspec.json.Decoder[FirstT]", fields: str, late: str
) -> FirstT:
    """The message with which a client must begin; ``fields`` names its fields.

    Raises:
        BadInput: None came in time (the sentence is ``late`` and the fields), or it was another message.
    """
    try:
        async with asyncio.timeout(FIRST_WORD_SECONDS):
            return decoder.decode(await connection.recv())
    except TimeoutError:
        raise BadInput(f"{late}: {fields}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(f"The first message must be {fields} as JSON, and nothing else.") from None


async def receive_claim(connection: ServerConnection) -> CallIdentity:
    """The claim that a publisher begins with. Raises ``BadInput`` where none comes in time."""
    late = "A publisher first says whose call it sends"
    claim = await receive_first(connection, _claim, "{call, agent, team}", late)
    return CallIdentity(call=claim.call, agent=claim.agent, team=claim.team)


def arrivals(message: str | bytes, claimed: CallIdentity, who: Identity) -> list[Arrival]:
    """The events of one message. Raises ``BadInput`` for one that may not be published here."""
    raw = message.encode() if isinstance(message, str) else message
    return [_checked(line, claimed, who) for line in raw.split(b"\n") if line]


class CommandSender:
    """Sends commands to a publisher without waiting for it."""

    def __init__(self, connections: Iterable[ServerConnection]) -> None:
        self._connections = list(connections)

    def send(self, command: Command) -> None:
        """Sends ``command`` to the monitor of the call."""
        broadcast(self._connections, encoded(Answer(command=command)), text=True)


def _checked(line: bytes, claimed: CallIdentity, who: Identity) -> Arrival:
    """A publisher's event, if it is of the claimed call, and of no other agent."""
    envelope, event = wire.decode(line)
    if envelope.partitionkey != claimed.call:
        raise BadInput("A line belongs to another call than the one that was announced.")
    if isinstance(event, Snapshot | Dropped | Refused | CallControlReply):
        raise BadInput(f"Only the hub itself says {event.name}.")
    if isinstance(event, CallStarted) and not who.local:
        named = (event.agent or claimed.agent, event.team or claimed.team)
        if named != (claimed.agent, claimed.team):
            raise BadInput("A line names another agent or team than the one that was announced.")
    digits = envelope.sequence
    if not (digits.isascii() and digits.isdecimal() and 0 < int(digits[:20]) <= HIGHEST_NUMBER):
        raise BadInput("A line has no number.")
    return Arrival(int(digits), envelope, event)
