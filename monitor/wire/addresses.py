"""Where a hub listens: host and port."""

import ipaddress

import msgspec

from monitor.errors import BadInput

DEFAULT_PORT = 8765


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
