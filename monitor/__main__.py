"""The commands, thin: each lives in ``monitor/commands`` and imports its heavy parts when it runs."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from monitor import __version__
from monitor.errors import BadInput, CheckFailed
from monitor.speech.native_thread import native_thread_running
from monitor.streams import NO_ROOM, give_up_stdout, make_ready

COMMANDS = (
    "demo",
    "replay",
    "live",
    "devices",
    "hub",
    "overlay",
    "watch",
    "rules",
    "report",
    "models",
    "token",
    "call",
)
"""In the order a newcomer meets them."""

STOPPED = 130

DESCRIPTION = """\
Listens to both sides of a phone call while it happens and helps the agent handle a difficult one.
Start with `monitor demo`, which plays a bundled call in two minutes. Nothing leaves
this machine unless you ask for it."""

EXAMPLES = """\
examples:
  monitor demo
  monitor replay call.wav                       a stereo recording: left caller, right agent
  monitor replay caller.wav agent.wav --json
  monitor rules check
exit codes: 0 done, 1 a check found something, 2 the input or the command was wrong, 130 stopped"""


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``monitor``."""
    parser = argparse.ArgumentParser(
        prog="monitor",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"monitor {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    for name in COMMANDS:
        import_module(f"monitor.commands.{name}").register(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code.

    Without ``argv`` this is the whole process. Whoever stopped it does not wait until the interpreter has
    been taken apart, and under a recogniser that is still at work it may not be.
    """
    if argv is None:
        make_ready()
    code = _run(argv)
    if argv is None and (code == STOPPED or native_thread_running()):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # its reader may have gone
                stream.flush()
        os._exit(code)
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = build_parser().parse_args(argv)
        code = int(args.run(args))
        sys.stdout.flush()  # here, where it can still be told that nobody takes it
        return code
    except BadInput as wrong:
        print(f"monitor: {wrong}", file=sys.stderr)  # noqa: T201 - this is the message to the person
        return 2
    except CheckFailed as found:
        print(f"monitor: {found}", file=sys.stderr)  # noqa: T201 - this is the message to the person
        return 1
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        # The reader of our pipe has gone (`| head`): nothing is wrong, and nobody is left to tell.
        give_up_stdout()
        return 0
    except OSError as wrong:
        if wrong.errno not in NO_ROOM:
            raise
        give_up_stdout()
        where = wrong.filename or "what this command prints, or keeps"
        sys.stderr.write(
            f"monitor: There is no room left on the disk for {where}; make some, then try again.\n"
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
