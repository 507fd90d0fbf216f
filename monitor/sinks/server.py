"""The hub's door: one port for websockets, the page, and the questions of operators.

On loopback the door is open. On any other address it wants TLS and tokens, and says so before it binds.
"""

import asyncio
import contextlib
import ipaddress
import mimetypes
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from monitor.errors import BadInput
from monitor.sinks.access import Identity, Viewer, bearer, identify, wanted
from monitor.sinks.hub import POLICY_VIOLATION, Hub

WEB = Path(__file__).resolve().parent.parent / "web"
PROTOCOL = Subprotocol("monitor.v1")
BIGGEST_MESSAGE = 1 << 20
DEFAULT_PORT = 8765

SAFETY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Address(msgspec.Struct, frozen=True):
    """Where the hub listens."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``:PORT`` or ``HOST``. Raises ``BadInput``."""
    host, found, port = text.rpartition(":")
    if not found:
        host, port = text, str(DEFAULT_PORT)
    if not port.isdecimal() or int(port) > 65535:
        raise BadInput(f"{text} is no address; say HOST:PORT, for example 127.0.0.1:{DEFAULT_PORT}.")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


@dataclass(frozen=True, kw_only=True)
class Door:
    """How the hub is reached: where, with which certificate, and the secret that tokens are signed with."""

    address: Address
    tls: ssl.SSLContext | None = None
    secret: str | None = None
    origins: tuple[str, ...] = ()
    web: Path = field(default=WEB)

    def __post_init__(self) -> None:
        if not self.address.loopback and (self.tls is None or self.secret is None):
            raise BadInput(
                f"{self.address.host} is not this machine alone: listening there needs --cert and --key "
                "(TLS) and --secret-file (tokens); or listen on 127.0.0.1."
            )


@contextlib.asynccontextmanager
async def listening(hub: Hub, door: Door) -> AsyncIterator[Address]:
    """The hub behind its door while inside; gives the address really bound (port 0 means any)."""
    doorman = Doorman(hub, door)
    try:
        server = await serve(
            doorman.attend,
            door.address.host,
            door.address.port,
            process_request=doorman.look,
            select_subprotocol=lambda _, offered: PROTOCOL if PROTOCOL in offered else None,
            ssl=door.tls,
            max_size=BIGGEST_MESSAGE,
            compression=None,
            server_header=None,
            backlog=1024,
        )
    except OSError as wrong:
        raise BadInput(
            f"The hub cannot listen on {door.address.host}:{door.address.port}: {wrong.strerror}."
        ) from None
    async with server:
        yield _bound(server, door.address)


def _bound(server: Server, address: Address) -> Address:
    port = next(iter(server.sockets)).getsockname()[1]
    return Address(address.host, int(port))


class Doorman:
    """Looks at each request before it is let in: files are answered, websockets identified."""

    def __init__(self, hub: Hub, door: Door) -> None:
        self._hub = hub
        self._door = door
        self._ready = True

    def look(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers plain HTTP; lets a websocket through (None) or refuses it with one clear sentence."""
        path = urlsplit(request.path).path
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._plain(path)
        if not self._origin_is_ours(request.headers):
            return _text(HTTPStatus.FORBIDDEN, "This page comes from elsewhere and may not listen here.\n")
        try:
            connection.identity = self._identity(request.headers)  # type: ignore[attr-defined]  # carried to attend
        except BadInput as wrong:
            return _text(HTTPStatus.UNAUTHORIZED, f"{wrong}\n")
        if path not in ("/", "/events", "/publish"):
            return _text(HTTPStatus.NOT_FOUND, "There is nothing here; listen at /events.\n")
        return None

    async def attend(self, connection: ServerConnection) -> None:
        """Serves one websocket to its end."""
        who: Identity = connection.identity  # type: ignore[attr-defined]  # set in look
        address = urlsplit(connection.request.path if connection.request else "/")
        with contextlib.suppress(ConnectionClosed):
            try:
                if address.path == "/publish":
                    await self._hub.attend_publisher(connection, who)
                else:
                    await self._listen(connection, Viewer(who=who, wants=wanted(address.query)))
            except BadInput as wrong:
                await connection.close(POLICY_VIOLATION, str(wrong)[:120])
            except (msgspec.DecodeError, UnicodeDecodeError):
                await connection.close(POLICY_VIOLATION, "this is not what the hub understands")

    async def _listen(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Both directions at once; when one ends, so does the other."""
        sending = asyncio.create_task(self._hub.attend_listener(connection, viewer))
        hearing = asyncio.create_task(self._hub.hear_listener(connection, viewer))
        done, left = await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()

    def _identity(self, headers: Headers) -> Identity:
        protocols = ", ".join(headers.get_all("Sec-WebSocket-Protocol"))
        return identify(bearer(headers, protocols), self._door.secret)

    def _origin_is_ours(self, headers: Headers) -> bool:
        """A browser always names the page's origin; other clients name none and show tokens instead."""
        origin = headers.get("Origin")
        if origin is None or origin in self._door.origins:
            return True
        return urlsplit(origin).netloc == headers.get("Host")

    def _plain(self, path: str) -> Response:
        if path in ("/healthz", "/readyz"):
            return _text(HTTPStatus.OK, "ok\n")
        if path == "/favicon.ico":
            path = "/favicon.svg"
        return self._file("index.html" if path == "/" else path.lstrip("/"))

    def _file(self, name: str) -> Response:
        root = self._door.web.resolve()
        file = (root / name).resolve()
        if not file.is_relative_to(root) or not file.is_file() or file.suffix == ".py":
            return _text(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        kind += "; charset=utf-8" if kind.startswith("text/") or "javascript" in kind else ""
        return _response(HTTPStatus.OK, kind, file.read_bytes())


def _text(status: HTTPStatus, text: str) -> Response:
    return _response(status, "text/plain; charset=utf-8", text.encode())


def _response(status: HTTPStatus, kind: str, body: bytes) -> Response:
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), **SAFETY_HEADERS})
    return Response(status.value, status.phrase, headers, body)
