"""``monitor hub``: the event hub and the supervisor page."""

import argparse
import contextlib
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.outputs import STOPPED
from monitor.errors import BadInput

if TYPE_CHECKING:
    import ssl

    from monitor.hub.hub import Hub
    from monitor.hub.server import HubServer
    from monitor.wire.addresses import Address

KEEP_DAYS = 30.0
KEEP_MB = 25_000.0
"""What 50 agents who talk five hours a day bring in ``KEEP_DAYS``: 3 MB of events for an hour of talk."""

EPILOG = """\
examples:
  monitor hub                                        on this machine alone: http://127.0.0.1:8765/
  monitor hub --listen 0.0.0.0:8765 --cert hub.pem --key hub.key --secret-file hub.secret
  monitor hub --erase CALL                           delete all events of one call
Monitors send their calls with --uplink; listeners connect to /events (see docs/wire.md). Operators ask
/healthz, /readyz and /metrics. SIGHUP reads a renewed certificate. Ctrl-C ends it; nothing is lost."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "hub",
        help="Run the event hub and the supervisor page",
        description="Receives the events of the agents' monitors, stores them for a while, and streams them "
        "to those who may see them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:8765",
        metavar="HOST:PORT",
        help="where to listen (default 127.0.0.1:8765)",
    )
    parser.add_argument(
        "--db", type=Path, metavar="PATH", help="the event log (default: in your data folder)"
    )
    parser.add_argument("--cert", type=Path, metavar="FILE", help="the TLS certificate chain (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key (PEM)")
    parser.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="the secret that tokens are signed with (monitor token)",
    )
    parser.add_argument(
        "--origin", action="append", default=[], metavar="URL", help="another site whose pages may connect"
    )
    parser.add_argument(
        "--keep-days",
        type=float,
        default=KEEP_DAYS,
        metavar="N",
        help=f"delete events after N days (default {KEEP_DAYS:g})",
    )
    parser.add_argument(
        "--keep-mb",
        type=float,
        default=KEEP_MB,
        metavar="N",
        help=f"keep at most N megabytes of events (default {KEEP_MB:.0f}, about {KEEP_DAYS:.0f} days of 50 "
        "agents; the file is about 1.4 times as large)",
    )
    parser.add_argument(
        "--erase", metavar="CALL", help="delete all events of one call and exit; the hub may keep running"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serves until it is stopped; the exit code."""
    options = HubOptions(
        listen=args.listen,
        db=args.db,
        cert=args.cert,
        key=args.key,
        secret_file=args.secret_file,
        origins=tuple(args.origin),
        keep_days=args.keep_days,
        keep_mb=args.keep_mb,
    )
    return erase(options, args.erase) if args.erase else serve_until_stopped(options)


HOUSEKEEPING_SECONDS = 600.0
"""Between two rounds of retention."""


@dataclass(frozen=True, kw_only=True)
class HubOptions:
    """How a hub is run, as the command line said it. Raises ``BadInput`` where nothing would be kept."""

    listen: str
    db: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    secret_file: Path | None = None
    origins: tuple[str, ...] = ()
    keep_days: float = KEEP_DAYS
    keep_mb: float = KEEP_MB

    def __post_init__(self) -> None:
        for name, value in (("--keep-days", self.keep_days), ("--keep-mb", self.keep_mb)):
            if not (value > 0 and math.isfinite(value)):
                raise BadInput(f"{name} {value:g} keeps nothing; give a number above 0.")

    @property
    def path(self) -> Path:
        """Where the event log lies."""
        import platformdirs

        return self.db or Path(platformdirs.user_data_dir("call-monitor")) / "hub.db"

    def server(self) -> "HubServer":
        """The server with its certificate and secret. Raises ``BadInput``."""
        from monitor.client.credentials import read_secret
        from monitor.hub.server import HubServer
        from monitor.wire.addresses import parse_address

        return HubServer(
            address=parse_address(self.listen),
            tls=self._tls(),
            secret=read_secret(self.secret_file) if self.secret_file else None,
            origins=self.origins,
            tell=_say,
        )

    def renew_certificate(self, tls: "ssl.SSLContext | None") -> str:
        """Loads the certificate and key files again into ``tls``; a sentence that says what came of it.

        The files are tried first: one that cannot be used leaves the certificate that is in use in place.
        Connections that stand keep the certificate that they began with.
        """
        if tls is None or self.cert is None or self.key is None:
            return "There is no certificate to read again: this hub listens without TLS."
        try:
            self._tls()
        except BadInput as wrong:
            return f"{wrong} The certificate from before stays in use."
        tls.load_cert_chain(self.cert, self.key)
        return f"The certificate {self.cert} was read again; new connections use it."

    def _tls(self) -> "ssl.SSLContext | None":
        import ssl

        if self.cert is None and self.key is None:
            return None
        if self.cert is None or self.key is None:
            raise BadInput("TLS needs both: --cert FILE and --key FILE.")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as wrong:
            plain = None if isinstance(wrong, ssl.SSLError) else wrong.strerror
            reason = plain or "they do not belong together, or are not PEM"
            raise BadInput(
                f"The certificate {self.cert} with the key {self.key} cannot be used: {reason}."
            ) from None
        return context


def serve_until_stopped(options: HubOptions) -> int:
    """Serves until Ctrl-C (130) or SIGTERM (0)."""
    import asyncio

    from monitor.hub.hub import Hub
    from monitor.hub.log import EventLog, sole_writer

    server = options.server()
    _allow_many_connections()
    with contextlib.closing(EventLog(options.path)) as log, sole_writer(options.path):
        log.retain(days=options.keep_days, megabytes=options.keep_mb)
        return asyncio.run(_serve(options, Hub(log), server))


def erase(options: HubOptions, call: str) -> int:
    """Erases one call; the exit code."""
    from monitor.hub.log import EventLog

    if not options.path.exists():
        raise BadInput(f"There is no event log at {options.path}; say which with --db PATH.")
    log = EventLog(options.path)
    try:
        if not log.last_of(call):
            raise BadInput(f"The event log {options.path} holds no call {call[:60]!r}.")
        sys.stdout.write(f"{log.erase(call)} events of {call} are erased.\n")
    finally:
        log.close()
    return 0


async def _serve(options: HubOptions, hub: "Hub", server: "HubServer") -> int:
    import asyncio
    import signal

    from monitor.hub.server import listening

    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    for number, code in ((signal.SIGINT, STOPPED), (signal.SIGTERM, 0)):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop, code)
    if hasattr(signal, "SIGHUP"):  # Windows has none
        loop.add_signal_handler(signal.SIGHUP, lambda: _say(options.renew_certificate(server.tls)))
    async with listening(hub, server) as address:
        _tell(address, server, options.path)
        tidying = asyncio.create_task(_keep_house(options, hub))
        try:
            return await stopped
        finally:
            tidying.cancel()


async def _keep_house(options: HubOptions, hub: "Hub") -> None:
    import asyncio

    while True:
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
        hub.forget_erased_calls()
        hub.give_up_on_silent_calls()
        hub.log.retain(days=options.keep_days, megabytes=options.keep_mb)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _tell(address: "Address", server: "HubServer", path: Path) -> None:
    scheme, secure = ("https", "wss") if server.tls else ("http", "ws")
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = f"{host}:{address.port}"
    _say(
        f"The hub listens at {secure}://{where}/events, the page is at {scheme}://{where}/ and the event log "
        f"in {path}."
    )


def _allow_many_connections() -> None:
    """A thousand listeners are a thousand descriptors; the usual soft limit is 1,024."""
    if os.name == "posix":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
