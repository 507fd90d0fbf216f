"""``monitor call``: call control for the monitor that runs on this machine."""

import argparse
from pathlib import Path

EPILOG = """\
examples:
  monitor call start --meta call.yaml       with what the dialler knows of the call
  monitor call hold                         and resume, when the caller is taken off hold
  monitor call end
  monitor call status
The monitor that `monitor live` runs on this machine answers. Exit code 1: it could not do what was asked."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "call",
        help="Tell the running monitor that a call starts, ends or is on hold",
        description="Call control for a softphone: tells `monitor live` that a call starts or ends.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=("start", "end", "hold", "resume", "status"))
    parser.add_argument("--call", metavar="NAME", help="with start: the call's name")
    parser.add_argument("--meta", type=Path, metavar="FILE", help="with start: what the dialler knows (YAML)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sends one request; the exit code."""
    import re
    import sys

    import msgspec

    from monitor.errors import BadInput
    from monitor.events import CallControl
    from monitor.metadata import read_meta
    from monitor.sources.call_control import send_call_control

    if args.kind != "start" and (args.call or args.meta):
        raise BadInput("--call and --meta belong to `monitor call start`.")
    if args.call and not re.fullmatch(r"[\w.@+-]{1,100}", args.call):
        raise BadInput("A call's name has letters, digits and . _ - + @, at most 100 of them.")
    meta = msgspec.to_builtins(read_meta(args.meta)) if args.meta else None
    reply = send_call_control(CallControl(kind=args.kind, call=args.call, meta=meta))
    (sys.stdout if reply.done else sys.stderr).write(f"{reply.say}\n")
    return 0 if reply.done else 1
