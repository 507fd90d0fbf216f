"""Where a hub is, as a person says it, and how to connect there with a token."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio import client as loop_client
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from monitor.errors import BadInput
from monitor.wire.addresses import DEFAULT_PORT, Address

SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
OPEN_SECONDS = 5.0


@dataclass(frozen=True)
class HubAddress:
    """A hub's address without its path. ``token`` is asked anew for each connection."""

    url: str
    token: Callable[[], str | None] = field(default=lambda: None, repr=False)

    @property
    def secure(self) -> bool:
        """Whether the line is encrypted."""
        return self.url.startswith("wss:")

    def headers(self) -> dict[str, str]:
        """What a connection shows."""
        token = self.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def connect(self, path: str = "/publish") -> ClientConnection:
        """A connection, or an ``OSError`` or ``WebSocketException`` with the reason."""
        connection: ClientConnection = connect(self.url + path, **self._options(1 << 20))
        return connection

    def open(self, path: str, *, largest: int = 1 << 20) -> loop_client.connect:
        """The same for an event loop; messages have at most ``largest`` bytes."""
        return loop_client.connect(self.url + path, **self._options(largest))

    def _options(self, largest: int) -> dict[str, Any]:
        """How either client connects."""
        return {
            "additional_headers": self.headers(),
            "ssl": ssl.create_default_context() if self.secure else None,
            "open_timeout": OPEN_SECONDS,
            "close_timeout": 1,
            "compression": None,
            "proxy": None,
            "max_size": largest,
        }


def parse_hub(text: str, token: Callable[[], str | None] = lambda: None) -> HubAddress:
    """``ws://HOST:PORT``, ``wss://HOST`` or ``HOST:PORT``. Raises ``BadInput``.

    Speech does not cross a network in the clear: off loopback only wss:// (or https://) is taken, and a
    token is wanted.
    """
    try:
        parts = urlsplit(text if "://" in text else f"ws://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    scheme = SCHEMES.get(parts.scheme)
    if scheme is None or not host or parts.username or parts.query or parts.fragment:
        raise BadInput(f"{text} is no hub's address; say for example ws://127.0.0.1:{DEFAULT_PORT}.")
    if not Address(host, 0).loopback:
        if scheme != "wss":
            raise BadInput(f"{host} is another machine: what is said on calls goes there by wss:// only.")
        if token() is None:
            raise BadInput(
                f"{host} is another machine: it wants a token; give --token-file or MONITOR_TOKEN."
            )
    default = DEFAULT_PORT if scheme == "ws" else 443
    where = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/publish").removesuffix("/events")
    return HubAddress(urlunsplit((scheme, f"{where}:{port or default}", path, "", "")), token)


REFUSED_FOR_GOOD = (400, 401, 403, 404)
POLICY_VIOLATION = 1008


def is_refused(wrong: Exception) -> bool:
    """Whether the hub would answer the same again: it will not have whoever asks."""
    if isinstance(wrong, InvalidStatus):
        return wrong.response.status_code in REFUSED_FOR_GOOD
    return bool(isinstance(wrong, ConnectionClosed) and wrong.rcvd and wrong.rcvd.code == POLICY_VIOLATION)


def why_no_line(wrong: Exception) -> str:
    """Why a line to a hub does not stand, for people; nothing of the token or of the call is in it."""
    match wrong:
        case InvalidStatus():
            body = (wrong.response.body or b"").decode(errors="replace").strip().rstrip(".")
            return f"the hub refused: {body[:200] or wrong.response.status_code}"
        case ConnectionClosed():
            reason = wrong.rcvd.reason if wrong.rcvd else ""
            return f"the hub ended the line: {reason.rstrip('.')}" if reason else "the line broke"
        case InvalidHandshake():
            return "what answers at this address is no hub, or wants wss:// instead of ws://"
        case ssl.SSLCertVerificationError():
            return f"the hub's certificate is not trusted: {wrong.verify_message.rstrip('.')}"
        case ssl.SSLError():
            return "what answers at this address does not speak TLS; without it the address begins with ws://"
        case socket.gaierror():
            return "nobody knows the hub's name"
        case ConnectionRefusedError():
            return "no hub runs at this address"
    return "the hub does not answer"
