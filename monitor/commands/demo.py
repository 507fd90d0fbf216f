"""``monitor demo``: the two-minute tour. A bundled difficult call, at speaking speed, through everything."""

import argparse
import math

CALL = "fixtures/audio/difficult-call.flac"

EPILOG = """\
examples:
  monitor demo                 at speaking speed, about two minutes
  monitor demo --open          and opens the supervisors' page in your browser
  monitor demo --speed 4       the impatient tour
Nothing is installed, sent or kept; Ctrl-C ends it at any time."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "demo",
        help="the two-minute tour: a bundled difficult call, played through the whole product",
        description="Plays a bundled difficult call through the whole product.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--speed", default="1", help="1 for speaking speed (default), a factor, or max")
    parser.add_argument("--open", action="store_true", help="open the supervisors' page in the browser")
    parser.add_argument("--model", default="bundled", metavar="NAME", help="another recogniser")
    parser.set_defaults(run=run)


def _address() -> str:
    """The usual address of the page, or any free one where that is taken."""
    import socket

    from monitor.sinks.server import DEFAULT_PORT

    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", DEFAULT_PORT)) == 0
    return f"127.0.0.1:{0 if taken else DEFAULT_PORT}"


def run(args: argparse.Namespace) -> int:
    """Plays the call; the exit code."""
    from rich.console import Console
    from rich.panel import Panel

    from monitor.commands.playing import Playing, parse_speed, play_recording
    from monitor.resources import resource

    speed = parse_speed(args.speed)
    serve = None if math.isinf(speed) else _address()
    playing = Playing(model=args.model, speed=speed, serve=serve, open_page=args.open)
    Console().print(
        Panel(
            "A caller with a broken connection, and an agent on a bad morning (both voices are synthetic). "
            "Each card to the agent says what to do next, and why: in the words, or against the speaker's "
            "own normal. ● is a hint, ◆ a warning, ▲ is critical. The page below is what supervisors see.",
            title="monitor demo",
            width=92,
        )
    )
    return play_recording(playing, [resource(CALL)])
