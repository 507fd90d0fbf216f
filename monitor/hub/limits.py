"""How much one source may ask of the hub: connections at once, connections and messages a second."""

import asyncio
import contextlib
import socket
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any, cast

from websockets.asyncio.server import ServerConnection

from monitor import clock


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of one source (an IP address), and of all together; rates are per second."""

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

    @property
    def empty(self) -> bool:
        """Whether one more would be too many just now."""
        now = clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left < 1

    def take(self) -> bool:
        """Whether one more is within the limit."""
        if self.empty:
            return False
        self._left -= 1
        return True


BACKLOG = 1024
"""Connections that the system lets wait for us."""

MOST_SOURCES = 10_000
"""Sources whose pace is remembered; the one not seen for longest is forgotten first."""


class AcceptLimiter:
    """Counts connections by source, and how fast they come."""

    def __init__(self, limits: Limits) -> None:
        self.refused = 0
        self._limits = limits
        self._inside: Counter[str] = Counter()
        self._pace: OrderedDict[str, Bucket] = OrderedDict()

    def turns_away(self, source: str) -> bool:
        """Whether one more connection from ``source`` would be too many; it is then counted as refused."""
        if not (self._bucket(source).empty or self._full(source)):
            return False
        self.refused += 1
        return True

    def enter(self, source: str) -> bool:
        """Whether one more connection from ``source`` may come in; if so, ``leave`` must follow."""
        if not self._bucket(source).take() or self._full(source):
            self.refused += 1
            return False
        self._inside[source] += 1
        return True

    def _bucket(self, source: str) -> Bucket:
        bucket = self._pace.get(source)
        if bucket is None:
            bucket = self._pace[source] = Bucket(self._limits.new_per_second, self._limits.new_at_once)
        self._pace.move_to_end(source)
        if len(self._pace) > MOST_SOURCES:
            self._pace.popitem(last=False)
        return bucket

    def _full(self, source: str) -> bool:
        limits = self._limits
        return self._inside[source] >= limits.per_source or self._inside.total() >= limits.connections

    def leave(self, source: str) -> None:
        """A connection that had come in is gone."""
        self._inside[source] -= 1
        if not self._inside[source]:
            del self._inside[source]


TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: 35\r\n\r\nToo many connections at this time.\n"
)


AT_A_TIME = 50
"""Connections that are accepted in a row before those that are served get a turn."""


class ConnectionLimiter(socket.socket):
    """A listening socket that refuses connections beyond the limits before a task is made for them.

    Where an event loop does not call ``accept`` (Windows), ``limited_connections`` refuses a little later.
    """

    limiter: AcceptLimiter
    _taken = 0

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection within the limits. Raises ``BlockingIOError``: there is none just now."""
        while True:
            self._taken += 1
            if self._taken > AT_A_TIME:
                self._taken = 0
                raise BlockingIOError
            try:
                connection, address = super().accept()
            except OSError:
                self._taken = 0
                raise
            if not self.limiter.turns_away(_source(address)):
                return connection, address
            connection.settimeout(0.0)
            with contextlib.suppress(OSError), connection:
                connection.send(TOO_MANY)


def connection_limiters(limiter: AcceptLimiter, host: str, port: int) -> list[ConnectionLimiter]:
    """A listening socket for each address of ``host``, all at one port (0: any). Raises ``OSError``."""
    found: list[ConnectionLimiter] = []
    wrong: OSError | None = None
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        at = (address[0], found[0].getsockname()[1] if found else port)
        try:
            plain = socket.create_server(at, family=family, backlog=BACKLOG)
        except OSError as this:  # a name may stand for an address that this machine does not have
            wrong = this
            continue
        listening = ConnectionLimiter(family, socket.SOCK_STREAM, fileno=plain.detach())
        listening.settimeout(0.0)
        listening.limiter = limiter
        found.append(listening)
    if not found:
        raise wrong or OSError("no address")
    return found


def _source(address: Any) -> str:
    return str(address[0]) if address else ""


def limited_connections(limiter: AcceptLimiter) -> type[ServerConnection]:
    """A class of connections that are counted by ``limiter`` before anything is done for them."""

    class LimitedConnection(ServerConnection):
        """One beyond the limits is told so and closed, without a task or a buffer."""

        source: str | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            source = _source(transport.get_extra_info("peername"))
            if limiter.enter(source):
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
                limiter.leave(self.source)
                super().connection_lost(exc)

    return LimitedConnection
