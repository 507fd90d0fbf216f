"""``monitor demo``: a bundled difficult call, at speaking speed, through the whole product."""

import argparse
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

CALL = "fixtures/audio/difficult-call.flac"
SECONDS = 110.3
"""How long it is; a test looks that this stays true."""

EPILOG = """\
examples:
  monitor demo                 at speaking speed, about two minutes
  monitor demo --open          also opens the supervisor page in your browser
  monitor demo --speed 4       four times as fast
Nothing is installed, sent or kept; Ctrl-C ends it at any time."""

SCENE = "A caller whose connection is down, an agent on a bad morning; both voices are synthetic."
LOOK = (
    ("here", "What both sides say, as it is said. Below it what helps: the next step, then why. "
     "● is a hint, ◆ a warning, ▲ is critical, each in the words or against the speaker's own normal."),
    ("the page", "What a supervisor sees, live. Open the address below, and the call in it."),
    ("the overlay", "What the agent sees: run `monitor overlay` in another terminal on your desktop."),
)  # fmt: skip
NEXT = (
    ("monitor report CALL", "the same call, or yours, as one page to keep"),
    ("monitor replay CALL", "a recording of your own, stereo or two files"),
    ("monitor live --check", "your headset: five seconds tell what can be heard"),
)
WIDTH = 92


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "demo",
        help="Play a bundled difficult call through the whole product (two minutes)",
        description="Plays a bundled difficult call through the whole product.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--speed", default="1", help="1 for speaking speed (default), a factor, or max")
    parser.add_argument("--open", action="store_true", help="open the supervisor page in the browser")
    parser.add_argument("--model", default="bundled", metavar="NAME", help="another recogniser")
    parser.set_defaults(run=run)


def _address() -> str:
    """The usual address of the page, or any free one where that is taken."""
    import socket

    from monitor.wire.addresses import DEFAULT_PORT

    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", DEFAULT_PORT)) == 0
    return f"127.0.0.1:{0 if taken else DEFAULT_PORT}"


def run(args: argparse.Namespace) -> int:
    """Plays the call; the exit code."""
    from monitor.commands.outputs import STOPPED, OutputOptions
    from monitor.commands.replay import parse_speed, play_recording
    from monitor.playback import CallOptions
    from monitor.resources import resource
    from monitor.sinks.console import Outlet

    speed = parse_speed(args.speed)
    serve = None if math.isinf(speed) else _address()
    console = Outlet()
    _welcome(console, speed)
    outputs = OutputOptions(serve=serve, open_page=args.open)
    code = play_recording([resource(CALL)], CallOptions(model=args.model), outputs, speed)
    if code != STOPPED:
        _farewell(console)
    return code


def _welcome(console: "Console", speed: float) -> None:
    """What is about to be seen, and where."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    length = "" if math.isinf(speed) else f" It ends by itself after {_spoken(SECONDS / speed)}."
    # Flat out nobody can look at anything else meanwhile.
    there = LOOK[:1] if math.isinf(speed) else LOOK
    parts = Group(Text(f"{SCENE}{length}"), Text(), Text("Look at", style="bold"), _pairs(there))
    console.print(Panel(parts, title="monitor demo", width=min(WIDTH, console.width)))


def _farewell(console: "Console") -> None:
    """Where to go from here."""
    from rich.console import Group
    from rich.text import Text

    console.print(Group(Text(), Text("That was it; nothing was kept. Next", style="bold"), _pairs(NEXT)))


def _pairs(rows: Sequence[tuple[str, str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for name, text in rows:
        grid.add_row(Text(name, style="cyan"), Text(text))
    return grid


def _spoken(seconds: float) -> str:
    """A length as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
