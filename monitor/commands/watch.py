"""``monitor watch``: open calls and alerts of a hub in the terminal, live."""

import argparse
from pathlib import Path

EPILOG = """\
examples:
  monitor watch                                              the hub on this machine
  monitor watch --team north --level warn
  monitor watch --url wss://hub.example --token-file boss.token
In a pipe it prints plain lines. It reconnects automatically and misses nothing."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "watch",
        help="Show the open calls and alerts of a hub in the terminal",
        description="Shows the open calls and the alerts of a hub, live.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", default="ws://127.0.0.1:8765", help="the hub (default: ws://127.0.0.1:8765)")
    parser.add_argument(
        "--team", action="append", default=[], metavar="NAME", help="only this team (may be given again)"
    )
    parser.add_argument(
        "--agent", action="append", default=[], metavar="NAME", help="only this agent (may be given again)"
    )
    parser.add_argument(
        "--call", action="append", default=[], metavar="ID", help="only this call (may be given again)"
    )
    parser.add_argument(
        "--level", type=_level, default="info", help="alerts of this level and above: info, warn or critical"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for the hub (or set MONITOR_TOKEN)"
    )
    parser.set_defaults(run=run)


def _level(text: str) -> str:
    """The level as it was written. Raises ``ArgumentTypeError`` with the levels that there are."""
    from monitor.events import LEVELS

    if text not in LEVELS:
        raise argparse.ArgumentTypeError(f"one of {', '.join(LEVELS)} was expected; this is {text!r}")
    return text


def run(args: argparse.Namespace) -> int:
    """Watches until Ctrl-C; the exit code."""
    from monitor.client.address import parse_hub
    from monitor.client.credentials import read_token
    from monitor.commands.watch_view import watch

    hub = parse_hub(args.url, lambda: read_token(args.token_file))
    filters = {"team": args.team, "agent": args.agent, "call": args.call, "level": [args.level]}
    return watch(hub, filters)
