"""Following a hub from another program: events as they come, through every break of the line."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from monitor.client.address import HubAddress, is_refused, why_no_line
from monitor.errors import BadInput
from monitor.events import Event, Snapshot
from monitor.wire import envelope as wire

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
HUB = "hub"
"""The partition of what the hub itself says; but for the snapshot it has no place in the log."""


@dataclass(frozen=True)
class Broken:
    """The line broke; ``reason`` is for people. It is tried again."""

    reason: str


@dataclass(frozen=True)
class Back:
    """The line stands; ``resumed`` tells that what was missed comes first."""

    resumed: bool


@dataclass(frozen=True)
class RefusedByHub:
    """One line of the hub: the call it belongs to, and the event."""

    call: str
    event: Event


News = Broken | Back | RefusedByHub


@dataclass
class EventFollower:
    """A listener that comes back. ``filters`` as in docs/wire.md."""

    hub: HubAddress
    filters: dict[str, list[str]] = field(default_factory=dict)
    since: int | None = None
    log: str | None = None

    async def news(self) -> AsyncIterator[News]:
        """What comes, for ever. Raises ``BadInput`` when the hub will not have this listener."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._connect() as connection:
                    yield Back(resumed=self.since is not None)
                    pause = FIRST_PAUSE
                    async for told in self._lines(connection):
                        yield told
                yield Broken("the hub has closed")
            except InvalidStatus as wrong:
                if is_refused(wrong):
                    body = (wrong.response.body or b"").decode(errors="replace").strip()
                    raise BadInput(f"The hub refused: {body[:200] or wrong.response.status_code}") from None
                yield Broken(f"the hub answered {wrong.response.status_code}")
            except ConnectionClosed as gone:
                yield Broken(_why(gone))
            except (OSError, WebSocketException, TimeoutError) as wrong:
                yield Broken(why_no_line(wrong))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _lines(self, connection: ClientConnection) -> AsyncIterator[RefusedByHub]:
        async for message in connection:
            envelope, event = wire.decode(message)
            if isinstance(event, Snapshot):
                self.since, self.log = event.sequence, event.log or None
            elif envelope.partitionkey != HUB:
                self.since = max(self.since or 0, int(envelope.sequence))
            yield RefusedByHub(envelope.partitionkey, event)

    def _connect(self) -> connect:
        filters = [(key, value) for key, values in self.filters.items() for value in values]
        if self.since is not None:
            filters.append(("since", str(self.since)))
            filters += [("log", self.log)] if self.log else []
        query = f"?{urlencode(filters)}" if filters else ""
        return self.hub.open(f"/events{query}", largest=1 << 24)


def _why(gone: ConnectionClosed) -> str:
    """Why the hub closed. Raises ``BadInput`` when coming back would end the same way."""
    reason = gone.rcvd.reason if gone.rcvd else ""
    if is_refused(gone):
        raise BadInput(f"The hub ended the line: {reason or 'it does not say why'}") from None
    return reason or "the line broke"
