"""One client of a hub: it follows events, stands by for call control, and carries uplinks.

Reconnecting is the websockets library's (``async for connection in connect(...)``). What is added here: the
token and the place to resume from are read anew for each attempt, each failed attempt is reported, and a hub
that closes every connection at once is not asked again without a delay.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import backoff
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.uri import parse_uri

from monitor import clock
from monitor.client.address import HubAddress, is_refused, why_disconnected
from monitor.errors import BadInput
from monitor.events import CallControl, CallControlAnswer, Command, Event, Snapshot
from monitor.wire import envelope as wire
from monitor.wire.messages import ForwardedCallControl, ForwardedReply, StandbyClaim

FIRST_DELAY, LONGEST_DELAY = 0.4, 5.0
"""Seconds between attempts: at random up to the first, then doubled up to the longest."""

BRIEF_SECONDS = 1.0
"""A connection that ends within this time counts as a failed attempt; one that lasts is accepted."""

OPEN_SECONDS = 5.0
MESSAGE_BYTES = 1 << 20
SNAPSHOT_BYTES = 1 << 24

HUB = "hub"
"""The partition of what the hub itself says; except for the snapshot it has no place in the log."""

_passed = msgspec.json.Decoder(ForwardedCallControl)
_encode = msgspec.json.Encoder().encode

_quiet = logging.getLogger("monitor.client.websockets")
"""The library logs requests with their headers, and those hold tokens: so it logs nothing."""
_quiet.disabled = True


@dataclass(frozen=True)
class Connected:
    """The connection stands; with ``resumed`` the events missed meanwhile come first."""

    resumed: bool


@dataclass(frozen=True)
class Disconnected:
    """There is no connection, for the reason given; it is tried again. ``refused``: the hub is there."""

    reason: str
    refused: bool = False


@dataclass(frozen=True)
class HubEvent:
    """One event from the hub with the call that it belongs to."""

    call: str
    event: Event


HubNews = Connected | Disconnected | HubEvent


class HubClient:
    """A client of the hub at ``hub``, for use within one event loop.

    ``since`` and ``log`` are the sequence and the log from which ``follow`` resumes; they are kept
    up to date. ``longest_delay`` is the longest time between two attempts to connect, in seconds.
    """

    def __init__(
        self,
        hub: HubAddress,
        *,
        since: int | None = None,
        log: str | None = None,
        longest_delay: float = LONGEST_DELAY,
    ) -> None:
        self.hub = hub
        self.since = since
        self.log = log
        self._longest_delay = longest_delay
        self._following: ClientConnection | None = None

    async def follow(
        self, filters: Mapping[str, Sequence[str]] | None = None
    ) -> AsyncGenerator[HubNews, None]:
        """Yields events and changes of the connection, without end; each event once.

        ``filters`` are the query keys of docs/wire.md. Events of a kind that this version does not know are
        left out.
        """
        path = partial(self._events_path, filters or {})
        async with contextlib.aclosing(self.attempts(path, max_bytes=SNAPSHOT_BYTES)) as attempts:
            async for attempt in attempts:
                if isinstance(attempt, Exception):
                    yield Disconnected(why_disconnected(attempt), is_refused(attempt))
                    continue
                yield Connected(resumed=self.since is not None)
                self._following = attempt
                try:
                    async for message in attempt:
                        if received := self._received(message):
                            yield received
                    yield Disconnected("the hub has closed")
                except ConnectionClosed as closed:
                    yield Disconnected(why_disconnected(closed), is_refused(closed))
                finally:
                    self._following = None

    async def send_command(self, call: str, command: Command) -> bool:
        """Sends a command for ``call`` on the connection that ``follow`` keeps; False where there is none."""
        if self._following is None:
            return False
        plain = {name: value for name, value in msgspec.to_builtins(command).items() if value is not None}
        try:
            await self._following.send(_encode({"call": call, "order": plain}), text=True)
        except (ConnectionClosed, OSError):
            return False
        return True

    async def stand_by(
        self,
        whose: StandbyClaim,
        answer: Callable[[CallControl], CallControlAnswer],
        tell: Callable[[str | None], None],
    ) -> None:
        """Answers the call control of the agent's softphone until cancelled.

        ``tell`` is given why there is no connection, each reason once, and None once it stands. A hub that
        refuses this monitor is asked again: an expired token is renewed by writing a new one into its file.
        """
        status = ConnectionStatus(tell)
        async with contextlib.aclosing(self.attempts(lambda: "/standby")) as attempts:
            async for attempt in attempts:
                if isinstance(attempt, Exception):
                    status.lost(why_disconnected(attempt))
                    continue
                try:
                    await _answer_call_control(attempt, whose, answer, status)
                except (ConnectionClosed, msgspec.DecodeError) as wrong:
                    if not _closed_without_reason(wrong):  # else the next attempt tells what it means
                        status.lost(why_disconnected(wrong))

    async def attempts(
        self, path: Callable[[], str], *, max_bytes: int = MESSAGE_BYTES
    ) -> AsyncGenerator[ClientConnection | Exception, None]:
        """Yields each connection once it is open, and each exception with which an attempt failed.

        ``path`` is called for each attempt. Asking for the next item closes the connection yielded before.
        """
        failures: asyncio.Queue[Exception] = asyncio.Queue()

        def retry(wrong: Exception) -> Exception | None:
            if not isinstance(wrong, OSError | TimeoutError | WebSocketException | BadInput):
                return wrong  # a fault of ours: raised
            failures.put_nowait(wrong)
            return None

        reconnecting = _Reconnecting(self.hub, path, retry, self._delays, max_bytes)
        connections = cast("AsyncGenerator[ClientConnection, None]", aiter(reconnecting))
        delays = self._delays()
        connecting: asyncio.Future[ClientConnection] | None = None
        try:
            while True:
                connecting = asyncio.ensure_future(anext(connections))
                async with contextlib.aclosing(_until_done(connecting, failures)) as failed:
                    async for failure in failed:
                        yield failure
                opened = clock.monotonic()
                connection = connecting.result()
                yield connection
                if clock.monotonic() - opened < BRIEF_SECONDS:
                    await connection.close()
                    await asyncio.sleep(next(delays))
                else:
                    delays = self._delays()
        finally:
            if connecting:
                connecting.cancel()
                await asyncio.gather(connecting, return_exceptions=True)
            await connections.aclose()

    def _delays(self) -> Generator[float]:
        return backoff(
            initial_delay=min(FIRST_DELAY, self._longest_delay),
            min_delay=min(FIRST_DELAY, self._longest_delay),
            max_delay=self._longest_delay,
            factor=2.0,
        )

    def _events_path(self, filters: Mapping[str, Sequence[str]]) -> str:
        query = [(key, value) for key, values in filters.items() for value in values]
        if self.since is not None:
            query.append(("since", str(self.since)))
            query += [("log", self.log)] if self.log else []
        return f"/events?{urlencode(query)}" if query else "/events"

    def _received(self, message: str | bytes) -> HubEvent | None:
        try:
            envelope, event = wire.decode(message)
        except BadInput:
            return None  # a newer hub may say more than this client knows
        if isinstance(event, Snapshot):
            self.since, self.log = event.sequence, event.log or None
        elif envelope.partitionkey != HUB:
            self.since = max(self.since or 0, int(envelope.sequence))
        return HubEvent(envelope.partitionkey, event)


class ConnectionStatus:
    """Tells each reason for a lost connection once until it stands again, and that it stands, once."""

    def __init__(self, tell: Callable[[str | None], None]) -> None:
        """``tell`` is given the reason, or None once the connection stands."""
        self._tell = tell
        self._told: set[str] = set()
        self._stands = False

    def lost(self, reason: str) -> None:
        """There is no connection."""
        self._stands = False
        if reason not in self._told:
            self._told.add(reason)
            self._tell(reason)

    def stands(self) -> None:
        """There is a connection."""
        self._told.clear()
        if not self._stands:
            self._stands = True
            self._tell(None)


class _Reconnecting(connect):
    """The library's reconnecting client, with an address and a token that may change between attempts."""

    def __init__(
        self,
        hub: HubAddress,
        path: Callable[[], str],
        retry: Callable[[Exception], Exception | None],
        delays: Callable[[], Generator[float]],
        max_bytes: int,
    ) -> None:
        super().__init__(
            hub.url + path(),
            process_exception=retry,
            reconnect_delays=delays,
            ssl=ssl.create_default_context() if hub.secure else None,
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            compression=None,
            proxy=None,
            max_size=max_bytes,
            logger=_quiet,
        )
        self._hub = hub
        self._path = path

    async def __aenter__(self) -> ClientConnection:
        self.uri = self._hub.url + self._path()
        self.ws_uri = parse_uri(self.uri)
        self.additional_headers = self._hub.headers()
        return await super().__aenter__()


async def _until_done(
    connecting: "asyncio.Future[ClientConnection]", failures: "asyncio.Queue[Exception]"
) -> AsyncGenerator[Exception, None]:
    """The failures that are reported before ``connecting`` is done."""
    while not connecting.done():
        failing = asyncio.ensure_future(failures.get())
        try:
            await asyncio.wait((connecting, failing), return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                yield failing.result()
        finally:
            failing.cancel()


async def _answer_call_control(
    connection: ClientConnection,
    whose: StandbyClaim,
    answer: Callable[[CallControl], CallControlAnswer],
    status: ConnectionStatus,
) -> None:
    """One connection, until it ends."""
    await connection.send(_encode(whose), text=True)
    steady = asyncio.get_running_loop().call_later(BRIEF_SECONDS, status.stands)
    try:
        async for message in connection:
            passed = _passed.decode(message)
            reply = ForwardedReply(number=passed.number, reply=answer(passed.control))
            await connection.send(_encode(reply), text=True)
    finally:
        steady.cancel()


def _closed_without_reason(wrong: Exception) -> bool:
    return isinstance(wrong, ConnectionClosed) and not (wrong.rcvd and wrong.rcvd.reason)
