"""The address of a hub with its token, and the sentences that say why a connection to it failed."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from monitor.errors import BadInput
from monitor.wire.addresses import DEFAULT_PORT, Address

SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


@dataclass(frozen=True)
class HubAddress:
    """A hub's address without a path. ``token`` is called for each connection, so a renewed one is used."""

    url: str
    token: Callable[[], str | None] = field(default=lambda: None, repr=False)

    @property
    def secure(self) -> bool:
        """Whether connections are encrypted."""
        return self.url.startswith("wss:")

    def headers(self) -> dict[str, str]:
        """The HTTP headers of a connection. Raises ``BadInput`` where the token cannot be read."""
        token = self.token()
        return {"Authorization": f"Bearer {token}"} if token else {}


def parse_hub(text: str, token: Callable[[], str | None] = lambda: None) -> HubAddress:
    """The hub at ``ws://HOST:PORT``, ``wss://HOST`` or ``HOST:PORT``.

    Speech never crosses a network unencrypted: except on loopback only wss:// (or https://) is accepted, and
    a token is required.

    Raises:
        BadInput: The text is not an address, is not encrypted, or lacks a token.
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


CLIENT_ERRORS = (400, 401, 403, 404)
"""HTTP statuses with which a hub refuses a client; the same request would be refused again."""
POLICY_VIOLATION = 1008


def is_refused(wrong: Exception) -> bool:
    """Whether the hub refuses this client (or its token cannot be read), rather than being away."""
    if isinstance(wrong, BadInput):
        return True
    if isinstance(wrong, InvalidStatus):
        return wrong.response.status_code in CLIENT_ERRORS
    return bool(isinstance(wrong, ConnectionClosed) and wrong.rcvd and wrong.rcvd.code == POLICY_VIOLATION)


def why_disconnected(wrong: Exception) -> str:
    """Why there is no connection to a hub, in words, without a full stop.

    Contains neither the token nor anything that was said on a call.
    """
    match wrong:
        case BadInput():  # the file of the token, or of the lines that wait
            return str(wrong).rstrip(".")
        case InvalidStatus():
            body = (wrong.response.body or b"").decode(errors="replace").strip().rstrip(".")
            return f"the hub refused: {body[:200] or wrong.response.status_code}"
        case ConnectionClosed():
            reason = wrong.rcvd.reason if wrong.rcvd else ""
            return (
                f"the hub closed the connection: {reason.rstrip('.')}" if reason else "the connection broke"
            )
        case InvalidHandshake() | msgspec.DecodeError():
            return "what answers at this address is no hub, or requires wss:// instead of ws://"
        case ssl.SSLCertVerificationError():
            return f"the hub's certificate is not trusted: {wrong.verify_message.rstrip('.')}"
        case ssl.SSLError():
            return (
                "what answers at this address does not speak TLS; without TLS the address begins with ws://"
            )
        case socket.gaierror():
            return "the hub's name cannot be resolved"
        case ConnectionRefusedError():
            return "no hub runs at this address"
    return "the hub does not answer"
