"""``monitor live``: both sides of the headset, all day; alerts come while they can still help."""

import argparse
from pathlib import Path

from monitor.commands.replay import add_judging
from monitor.commands.uplinking import add_uplink

EPILOG = """\
examples:
  monitor live --check                               five seconds of meters: is each side there?
  monitor live                                       the default microphone, and what the headset plays
  monitor live --mic "USB Headset" --speaker alsa_output.usb-headset.monitor --serve
  monitor live --uplink wss://hub.example --token-file anna.token --agent anna --team north
  monitor live --device "Line In" --agent-channel 0  one two-channel device, the agent on the left
A call begins when the caller is heard, or with `monitor call start`; it ends with `monitor call end`, a
hang-up tone, or a long silence. Between calls nothing is transcribed or kept. Ctrl-C ends it."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "live",
        help="listen to the calls of this headset, all day",
        description="Listens to the microphone (agent) and to what the headset plays (caller).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mic", metavar="DEVICE", help="what hears the agent (`monitor devices`)")
    parser.add_argument("--speaker", metavar="DEVICE", help="what hears the caller: a loopback or monitor")
    parser.add_argument("--device", metavar="DEVICE", help="one two-channel device that hears both")
    parser.add_argument(
        "--agent-channel",
        type=int,
        choices=(0, 1),
        default=1,
        help="with --device: which channel is the agent (default 1, right)",
    )
    parser.add_argument(
        "--rate",
        type=int,
        metavar="HZ",
        help="open the devices at this rate (default: their own; 8000 for a telephone line)",
    )
    parser.add_argument("--check", action="store_true", help="a five-second sound check, and nothing else")
    _add_calls(parser)
    add_judging(parser)
    add_uplink(parser)
    parser.add_argument("--json", action="store_true", help="print JSON lines and nothing else on stdout")
    parser.add_argument("--prosody", action="store_true",
                        help="with --json: also ten lines a second on each voice")  # fmt: skip
    parser.add_argument("--journal", type=Path, metavar="DIR", help="write every event to DIR/CALL.jsonl")
    parser.add_argument("--record", type=Path, metavar="DIR",
                        help="write the sound of each call to DIR/CALL.wav (removed after 30 days); ask "
                        "whoever is heard first")  # fmt: skip
    parser.add_argument("--serve", nargs="?", const="127.0.0.1:8765", metavar="HOST:PORT",
                        help="let listeners watch over a websocket (default 127.0.0.1:8765)")  # fmt: skip
    parser.set_defaults(run=run)


def _add_calls(parser: argparse.ArgumentParser) -> None:
    """The options that say when a call begins and ends."""
    parser.add_argument(
        "--begin",
        choices=("heard", "told"),
        default="heard",
        help="a call begins when the caller is heard (default), or only when told",
    )
    parser.add_argument(
        "--end-after",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="a call ends when nobody has spoken for so long (default 30)",
    )
    parser.add_argument(
        "--preroll",
        type=float,
        default=4.0,
        metavar="SECONDS",
        help="so much of what was heard before the caller belongs to the call (default 4)",
    )
    parser.add_argument("--once", action="store_true", help="end after the first call")


def run(args: argparse.Namespace) -> int:
    """Listens until it is stopped; the exit code."""
    from monitor.commands.checking import check
    from monitor.commands.living import Living, listen

    living = Living(
        model=args.model,
        rules=args.rules,
        profile=args.profile,
        meta=args.meta,
        config=args.config,
        gate=args.gate,
        json=args.json,
        prosody=args.prosody,
        journal=args.journal,
        serve=args.serve,
        uplink=args.uplink,
        token_file=args.token_file,
        agent=args.agent,
        team=args.team,
        agent_channel=args.agent_channel,
        mic=args.mic,
        speaker=args.speaker,
        device=args.device,
        rate=args.rate,
        begin=args.begin,
        end_after=args.end_after,
        preroll=args.preroll,
        once=args.once,
        record=args.record,
    )
    return check(living) if args.check else listen(living)
