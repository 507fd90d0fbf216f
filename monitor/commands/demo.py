"""``monitor demo``: the two-minute tour. A bundled difficult call, at speaking speed, through everything."""

import argparse

CALL = "fixtures/audio/difficult-call.flac"

EPILOG = """\
examples:
  monitor demo                 at speaking speed, about two minutes
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
    parser.add_argument("--model", default="bundled", metavar="NAME", help="another recogniser")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Plays the call; the exit code."""
    from rich.console import Console
    from rich.panel import Panel

    from monitor.commands.playing import Playing, parse_speed, play_recording
    from monitor.resources import resource

    playing = Playing(model=args.model, speed=parse_speed(args.speed))
    Console().print(
        Panel(
            "A caller with a broken connection, and an agent on a bad morning (both voices are synthetic).\n"
            "Watch the agent's side: each card says what to do next, and why, in the words or against the\n"
            "speaker's own normal. ● is a hint, ◆ a warning, ▲ is critical.",
            title="monitor demo",
            expand=False,
        )
    )
    return play_recording(playing, [resource(CALL)])
