"""The hub's server: one port for websockets, the files of the supervisor page, and operators' requests.

On loopback nobody is asked for a token. On any other address TLS and tokens are required, and that is said
before the address is bound.
"""

import asyncio
import contextlib
import logging
import mimetypes
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from monitor import clock
from monitor.errors import BadInput
from monitor.hub import commands
from monitor.hub.access import Identity, Viewer, bearer, identify, stream_filter
from monitor.hub.hub import Hub
from monitor.hub.limits import (
    BACKLOG,
    AcceptLimiter,
    Bucket,
    ConnectionLimiter,
    Limits,
    connection_limiters,
    limited_connections,
)
from monitor.hub.listener import FellBehind
from monitor.hub.metrics import CONTENT_TYPE
from monitor.wire.addresses import Address
from monitor.wire.messages import CallControlMessage

SAFETY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Connection": "close",
}


def text(status: HTTPStatus, words: str) -> Response:
    """A plain-text response."""
    return response(status, "text/plain; charset=utf-8", words.encode())


def response(status: HTTPStatus, kind: str, body: bytes) -> Response:
    """A response with the security headers of the page."""
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), **SAFETY_HEADERS})
    return Response(status.value, status.phrase, headers, body)


def page(folder: Path, path: str) -> Response:
    """A file of the page; nothing outside ``folder`` is ever read."""
    if path == "/favicon.ico":
        path = "/favicon.svg"
    name = "index.html" if path == "/" else unquote(path).lstrip("/")
    file = _inside(folder.resolve(), name)
    if file is None:
        return text(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    kind += "; charset=utf-8" if kind.startswith("text/") or "javascript" in kind else ""
    return response(HTTPStatus.OK, kind, file.read_bytes())


def _inside(root: Path, name: str) -> Path | None:
    if "\0" in name or "\\" in name:
        return None
    file = (root / name).resolve()
    hidden = any(part.startswith(".") for part in Path(name).parts)
    known = file.is_relative_to(root) and file.is_file() and file.suffix != ".py"
    return file if known and not hidden else None


WEB = Path(__file__).resolve().parent.parent / "web"
PROTOCOL = Subprotocol("monitor.v1")
BIGGEST_MESSAGE = 1 << 20

TELL_SECONDS = 60.0
"""Between two sentences about the same trouble."""

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013

_quiet = logging.getLogger("monitor.hub.websockets")
"""The library logs requests with their headers, and those hold tokens: so it logs nothing."""
_quiet.disabled = True


@dataclass(frozen=True, kw_only=True)
class HubServer:
    """Where a hub listens, with which certificate, and the secret that tokens are signed with.

    Raises ``BadInput`` for an address off loopback without TLS or without a secret.
    """

    address: Address
    tls: ssl.SSLContext | None = None
    secret: str | None = None
    origins: tuple[str, ...] = ()
    limits: Limits = field(default=Limits())
    web: Path = field(default=WEB)
    tell: Callable[[str], None] = field(default=lambda _: None)
    """Takes a sentence for the operator."""

    def __post_init__(self) -> None:
        if not self.address.loopback and (self.tls is None or self.secret is None):
            raise BadInput(
                f"{self.address.host} is not this machine alone: listening there needs --cert and --key "
                "(TLS) and --secret-file (tokens); or listen on 127.0.0.1."
            )


@contextlib.asynccontextmanager
async def listening(hub: Hub, server: HubServer) -> AsyncIterator[Address]:
    """Serves the hub while inside; yields the address that is bound (port 0 means any).

    Raises ``BadInput`` where the address cannot be bound.
    """
    handler = RequestHandler(hub, server)
    host, port = server.address.host, server.address.port
    try:
        sockets = connection_limiters(handler.limiter, host, port)
    except OSError as wrong:
        reason = (wrong.strerror or "").split(" (while")[0]  # asyncio says the address again
        raise BadInput(f"The hub cannot listen on {host}:{port}: {reason}.") from None
    async with contextlib.AsyncExitStack() as serving:
        for listener in sockets:
            serving.callback(listener.close)
        bound = Address(host, int(sockets[0].getsockname()[1]))
        for listener in sockets:
            await serving.enter_async_context(_served(handler, listener))
        try:
            yield bound
        finally:
            hub.flush()


def _served(handler: "RequestHandler", listener: ConnectionLimiter) -> Server:
    return serve(
        handler.serve,
        sock=listener,
        process_request=handler.process_request,
        select_subprotocol=lambda _, offered: PROTOCOL if PROTOCOL in offered else None,
        ssl=handler.server.tls,
        max_size=BIGGEST_MESSAGE,
        open_timeout=handler.server.limits.handshake_seconds,
        close_timeout=2,
        compression=None,
        server_header=None,
        backlog=BACKLOG,
        logger=_quiet,
        create_connection=limited_connections(handler.limiter),
    )


class RequestHandler:
    """Answers HTTP requests, and identifies and serves websockets."""

    def __init__(self, hub: Hub, server: HubServer) -> None:
        self.limiter = AcceptLimiter(server.limits)
        self._hub = hub
        self.server = server
        self._publishers = 0
        hub.metrics.follow("monitor_publishers", lambda: self._publishers)
        hub.metrics.follow("monitor_turned_away_total", lambda: self.limiter.refused)
        self._tell_again = 0.0

    def process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """The response to a plain request or a refused websocket; None accepts a websocket."""
        path = _split(request.path).path
        if not self._host_is_ours(request.headers):
            return self._refuse(HTTPStatus.FORBIDDEN, "host", "This is not the name of this hub.")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._plain(path, request.headers)
        if not self._origin_is_ours(request.headers):
            reason = "This page comes from elsewhere and may not listen here."
            return self._refuse(HTTPStatus.FORBIDDEN, "origin", reason)
        if path not in ("/", "/events", "/publish", "/standby"):
            return self._refuse(HTTPStatus.NOT_FOUND, "path", "There is nothing here; listen at /events.")
        try:
            connection.identity = self._identity(request.headers)  # type: ignore[attr-defined]  # carried to serve
        except BadInput as wrong:
            return self._refuse(HTTPStatus.UNAUTHORIZED, "token", str(wrong))
        return None

    async def serve(self, connection: ServerConnection) -> None:
        """Serves one websocket to its end, or to the end of its token."""
        who: Identity = connection.identity  # type: ignore[attr-defined]  # set in process_request
        left = None if who.expires is None else who.expires - clock.unix()
        with contextlib.suppress(ConnectionClosed):
            try:
                async with asyncio.timeout(left):
                    await self._serve(connection, who)
            except TimeoutError:
                await self._end(connection, POLICY_VIOLATION, "this token has expired; come with a new one")
            except FellBehind as slow:
                await self._end(connection, TRY_AGAIN_LATER, str(slow))
            except BadInput as wrong:
                await self._end(connection, POLICY_VIOLATION, str(wrong))
            except sqlite3.Error as wrong:
                self._tell_of_log(wrong)
                await self._end(connection, INTERNAL_ERROR, "the hub cannot keep events just now; come back")

    def _tell_of_log(self, wrong: sqlite3.Error) -> None:
        """Tells the operator that events cannot be stored, at most once in ``TELL_SECONDS``."""
        self._hub.metrics.count("monitor_refused_total", reason="log")
        now = clock.monotonic()
        if now >= self._tell_again:
            self._tell_again = now + TELL_SECONDS
            self.server.tell(
                f"The event log cannot be written: {wrong}. Monitors keep their lines until it can."
            )

    async def _serve(self, connection: ServerConnection, who: Identity) -> None:
        address = _split(connection.request.path if connection.request else "/")
        if address.path == "/publish":
            self._publishers += 1
            try:
                await self._hub.attend_publisher(connection, who)
            finally:
                self._publishers -= 1
        elif address.path == "/standby":
            await self._hub.call_control.stand_by(connection, who)
        else:
            await self._listen(connection, Viewer(who=who, wants=stream_filter(address.query)))

    async def _end(self, connection: ServerConnection, code: int, reason: str) -> None:
        if code == POLICY_VIOLATION:
            self._hub.metrics.count("monitor_refused_total", reason="message")
        await connection.close(code, reason.encode()[:120].decode(errors="ignore"))  # RFC 6455, 5.5

    async def _listen(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Serves both directions of a listener; when one ends, so does the other."""
        sending = asyncio.create_task(self._hub.attend_listener(connection, viewer))
        hearing = asyncio.create_task(self._receive(connection, viewer))
        try:
            await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, hearing):
                task.cancel()
            ends = await asyncio.gather(sending, hearing, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, ConnectionClosed):
                raise end

    async def _receive(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Takes the messages of a listener until it goes; what cannot be done is answered with the reason."""
        limits = self.server.limits
        pace = Bucket(limits.messages_per_second, limits.messages_at_once)
        async for message in connection:
            if not pace.take():
                raise BadInput(f"too many messages; {limits.messages_per_second:g} a second are enough")
            try:
                asked = commands.parse(message)
                if isinstance(asked, CallControlMessage):
                    await connection.send(await self._hub.control(viewer, asked), text=True)
                else:
                    self._hub.send_command(viewer, asked)
            except BadInput as wrong:
                self._hub.metrics.count("monitor_refused_total", reason="order")
                await connection.send(self._hub.refusal(str(wrong)), text=True)

    def _identity(self, headers: Headers) -> Identity:
        protocols = ", ".join(headers.get_all("Sec-WebSocket-Protocol"))
        return identify(bearer(headers, protocols), self.server.secret)

    def _host_is_ours(self, headers: Headers) -> bool:
        """Whether the Host header fits: on loopback another name is an attempt at DNS rebinding."""
        host = _split(f"//{headers.get('Host', '')}").hostname
        return not self.server.address.loopback or (host is not None and Address(host, 0).loopback)

    def _origin_is_ours(self, headers: Headers) -> bool:
        """Whether the Origin header fits; only browsers send one, other clients show tokens."""
        origin = headers.get("Origin")
        if origin is None or origin in self.server.origins:
            return True
        return _split(origin).netloc == headers.get("Host")

    def _plain(self, path: str, headers: Headers) -> Response:
        if path == "/healthz":
            return text(HTTPStatus.OK, "ok\n")
        if path == "/readyz":
            ready = self._hub.log.is_writable()
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            return text(status, "ok\n" if ready else "The event log cannot be written.\n")
        if path == "/metrics":
            return self._metrics(headers)
        return page(self.server.web, path)

    def _metrics(self, headers: Headers) -> Response:
        """Metrics, for holders of a supervisor's token where the hub has a secret."""
        try:
            if self._identity(headers).role != "supervisor":
                raise BadInput("Metrics are for supervisors.")
        except BadInput as wrong:
            return self._refuse(HTTPStatus.UNAUTHORIZED, "token", str(wrong))
        return response(HTTPStatus.OK, CONTENT_TYPE, self._hub.metrics.text().encode())

    def _refuse(self, status: HTTPStatus, kind: str, reason: str) -> Response:
        self._hub.metrics.count("monitor_refused_total", reason=kind)
        return text(status, f"{reason}\n")


def _split(address: str) -> SplitResult:
    """The parts of an address; none of a malformed one."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")
