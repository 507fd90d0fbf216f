"""Running a hub: from the words of the command to a server that lives until it is told to end."""

import asyncio
import contextlib
import math
import os
import signal
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from monitor.client.credentials import read_secret
from monitor.errors import BadInput
from monitor.hub.hub import Hub
from monitor.hub.log import EventLog, sole_writer
from monitor.hub.server import HubServer, listening
from monitor.wire.addresses import Address, parse_address

STOPPED = 130
HOUSEKEEPING = 600.0
"""Seconds between two looks at what is to be forgotten."""


@dataclass(frozen=True, kw_only=True)
class Hubbing:
    """How a hub is to be run, as the command line said it."""

    listen: str
    db: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    secret_file: Path | None = None
    origins: tuple[str, ...] = ()
    keep_days: float = 30.0
    keep_mb: float = 1000.0

    def __post_init__(self) -> None:
        for name, value in (("--keep-days", self.keep_days), ("--keep-mb", self.keep_mb)):
            if not (value > 0 and math.isfinite(value)):
                raise BadInput(f"{name} {value:g} keeps nothing; give a number above 0.")

    @property
    def path(self) -> Path:
        """Where the event log lies."""
        return self.db or Path(platformdirs.user_data_dir("call-monitor")) / "hub.db"

    def door(self) -> HubServer:
        """The door as it was asked for. Raises ``BadInput``."""
        return HubServer(
            address=parse_address(self.listen),
            tls=_tls(self.cert, self.key),
            secret=read_secret(self.secret_file) if self.secret_file else None,
            origins=self.origins,
            tell=_say,
        )


def serve_until_stopped(hubbing: Hubbing) -> int:
    """Serves until Ctrl-C (130) or SIGTERM (0)."""
    door = hubbing.door()
    _allow_many_connections()
    with contextlib.closing(EventLog(hubbing.path)) as log, sole_writer(hubbing.path):
        log.retain(days=hubbing.keep_days, megabytes=hubbing.keep_mb)
        return asyncio.run(_serve(hubbing, Hub(log), door))


def erase(hubbing: Hubbing, call: str) -> int:
    """Forgets one call; the exit code."""
    if not hubbing.path.exists():
        raise BadInput(f"There is no event log at {hubbing.path}; say which with --db PATH.")
    log = EventLog(hubbing.path)
    try:
        if not log.last_of(call):
            raise BadInput(f"The event log {hubbing.path} holds no call {call[:60]!r}.")
        sys.stdout.write(f"{log.erase(call)} events of {call} are erased.\n")
    finally:
        log.close()
    return 0


async def _serve(hubbing: Hubbing, hub: Hub, door: HubServer) -> int:
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    loop = asyncio.get_running_loop()
    for number, code in ((signal.SIGINT, STOPPED), (signal.SIGTERM, 0)):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop, code)
    async with listening(hub, door) as address:
        _tell(address, door, hubbing.path)
        tidying = asyncio.create_task(_keep_house(hubbing, hub))
        try:
            return await stopped
        finally:
            tidying.cancel()


async def _keep_house(hubbing: Hubbing, hub: Hub) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING)
        hub.forget_erased_calls()
        hub.give_up_on_silent_calls()
        hub.log.retain(days=hubbing.keep_days, megabytes=hubbing.keep_mb)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _tell(address: Address, door: HubServer, path: Path) -> None:
    scheme, secure = ("https", "wss") if door.tls else ("http", "ws")
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = f"{host}:{address.port}"
    sys.stderr.write(
        f"The hub listens at {secure}://{where}/events, the page is at {scheme}://{where}/ and the event log "
        f"in {path}.\n"
    )
    sys.stderr.flush()


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise BadInput("TLS needs both: --cert FILE and --key FILE.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as wrong:
        plain = None if isinstance(wrong, ssl.SSLError) else wrong.strerror
        reason = plain or "they do not belong together, or are not PEM"
        raise BadInput(f"The certificate {cert} with the key {key} cannot be used: {reason}.") from None
    return context


def _allow_many_connections() -> None:
    """A thousand listeners are a thousand descriptors; the usual soft limit is 1,024."""
    if os.name == "posix":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
