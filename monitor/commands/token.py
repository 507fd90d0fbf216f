"""``monitor token``: signed tokens for a hub that can be reached from other machines."""

import argparse
from pathlib import Path

EPILOG = """\
examples:
  monitor token --role supervisor --team north --for 8h --secret-file hub.secret --new-secret
  umask 077  # what is written from here on is for its owner alone
  monitor token --role agent --agent anna --team north --for 30d --secret-file hub.secret > anna.token
The token is printed on stdout; keep it in a file that only its owner can read, and give the file to
--token-file or its text to MONITOR_TOKEN. The hub checks it with the same secret file."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "token",
        help="Make an access token for an agent or a supervisor",
        description="Makes a signed token that lets an agent or a supervisor connect to a hub.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--role", choices=("agent", "supervisor"), required=True)
    parser.add_argument("--agent", metavar="NAME", help="whose calls an agent's token is for")
    parser.add_argument(
        "--team",
        action="append",
        default=[],
        metavar="NAME",
        help="a team (may be given again; '*' is every team)",
    )
    parser.add_argument(
        "--for",
        dest="duration",
        default="8h",
        metavar="TIME",
        help="how long it is valid: 30m, 8h, 90d (default 8h)",
    )
    parser.add_argument(
        "--secret-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="the hub's secret, which signs the token",
    )
    parser.add_argument(
        "--new-secret", action="store_true", help="make the secret file first if it does not exist"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints one token; the exit code."""
    from monitor.client import credentials as secrets
    from monitor.hub.access import mint

    secret = (
        secrets.read_or_make(args.secret_file) if args.new_secret else secrets.read_secret(args.secret_file)
    )
    token = mint(
        secret,
        role=args.role,
        agent=args.agent,
        teams=tuple(args.team),
        seconds=secrets.parse_duration(args.duration),
    )
    print(token)  # noqa: T201 - the token is what was asked for
    return 0
