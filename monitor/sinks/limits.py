"""How much one source may ask of the hub: connections at once, connections and messages a second."""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import cast

from websockets.asyncio.server import ServerConnection

from monitor import clock


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one source (an IP address) may take, and all together."""

    connections: int = 4000
    per_source: int = 2000
    new_per_second: float = 200.0
    new_at_once: int = 2000
    messages_per_second: float = 20.0
    messages_at_once: int = 60
    handshake_seconds: float = 5.0


class Bucket:
    """A token bucket: ``burst`` at once, then ``rate`` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._left = float(burst)
        self._at = clock.monotonic()

    def take(self) -> bool:
        """Whether one more is within the limit."""
        now = clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


MOST_SOURCES = 10_000
"""Sources whose pace is remembered; the one not seen for longest is forgotten first."""


class Turnstile:
    """Counts connections by source, and how fast they come."""

    def __init__(self, limits: Limits) -> None:
        self.refused = 0
        self._limits = limits
        self._inside: Counter[str] = Counter()
        self._pace: OrderedDict[str, Bucket] = OrderedDict()

    def enter(self, source: str) -> bool:
        """Whether one more connection from ``source`` may come in; if so, ``leave`` must follow."""
        limits = self._limits
        bucket = self._pace.setdefault(source, Bucket(limits.new_per_second, limits.new_at_once))
        self._pace.move_to_end(source)
        if len(self._pace) > MOST_SOURCES:
            self._pace.popitem(last=False)
        full = self._inside[source] >= limits.per_source or self._inside.total() >= limits.connections
        if not bucket.take() or full:
            self.refused += 1
            return False
        self._inside[source] += 1
        return True

    def leave(self, source: str) -> None:
        """A connection that had come in is gone."""
        self._inside[source] -= 1
        if not self._inside[source]:
            del self._inside[source]


TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: 35\r\n\r\nToo many connections at this time.\n"
)


def guarded(turnstile: Turnstile) -> type[ServerConnection]:
    """Connections that pass ``turnstile`` before anything is done for them."""

    class Guarded(ServerConnection):
        """A connection that is counted; one too many is told so and closed, without a task or a buffer."""

        source: str | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            address = transport.get_extra_info("peername")
            source = str(address[0]) if address else ""
            if turnstile.enter(source):
                self.source = source
                super().connection_made(transport)
            else:
                writing = cast("asyncio.Transport", transport)
                writing.write(TOO_MANY)
                writing.close()

        def data_received(self, data: bytes) -> None:
            if self.source is not None:
                super().data_received(data)

        def eof_received(self) -> None:
            if self.source is not None:
                super().eof_received()

        def connection_lost(self, exc: Exception | None) -> None:
            if self.source is not None:
                turnstile.leave(self.source)
                super().connection_lost(exc)

    return Guarded
