"""``monitor watch``: a supervisor's view in the terminal: open calls, alerts as they come."""

import argparse
from pathlib import Path

EPILOG = """\
examples:
  monitor watch                                              the hub on this machine
  monitor watch --team north --level warn
  monitor watch --url wss://hub.example --token-file boss.token
In a pipe it prints plain lines. It comes back by itself when the line breaks, and misses nothing."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "watch",
        help="a supervisor's live view in the terminal",
        description="Shows the calls and alerts of a hub, live.",
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
        "--level", choices=("info", "warn", "critical"), default="info", help="alerts of this level and above"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for the hub (or set MONITOR_TOKEN)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Watches until Ctrl-C; the exit code."""
    from monitor.client.address import parse_hub
    from monitor.client.credentials import read_token
    from monitor.commands.watch_view import watch

    hub = parse_hub(args.url, lambda: read_token(args.token_file))
    filters = {"team": args.team, "agent": args.agent, "call": args.call, "level": [args.level]}
    return watch(hub, filters)
