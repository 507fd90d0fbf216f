"""``monitor hub``: the meeting point of agents and supervisors, and their page."""

import argparse
from pathlib import Path

EPILOG = """\
examples:
  monitor hub                                        on this machine alone: http://127.0.0.1:8765/
  monitor hub --listen 0.0.0.0:8765 --cert hub.pem --key hub.key --secret-file hub.secret
  monitor hub --erase CALL                           forget everything that was said in one call
Monitors send their calls with --uplink; listeners connect to /events (see docs/wire.md). Operators ask
/healthz, /readyz and /metrics. Ctrl-C ends it; nothing is lost."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "hub",
        help="the meeting point of agents and supervisors, and the page",
        description="Takes the events of agents' monitors, keeps them for a while, and streams them to those "
        "who may see them.",
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
        "--keep-days", type=float, default=30.0, metavar="N", help="forget events after N days (default 30)"
    )
    parser.add_argument(
        "--keep-mb", type=float, default=1000.0, metavar="N", help="keep at most N megabytes (default 1000)"
    )
    parser.add_argument(
        "--erase", metavar="CALL", help="forget everything of one call and end; a running hub may go on"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serves until it is stopped; the exit code."""
    from monitor.commands.hubbing import Hubbing, erase, serve_until_stopped

    hubbing = Hubbing(
        listen=args.listen,
        db=args.db,
        cert=args.cert,
        key=args.key,
        secret_file=args.secret_file,
        origins=tuple(args.origin),
        keep_days=args.keep_days,
        keep_mb=args.keep_mb,
    )
    return erase(hubbing, args.erase) if args.erase else serve_until_stopped(hubbing)
