"""``monitor replay``: a recorded call, or a journal, through the very same pipeline as a live one."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.uplinking import add_uplink
from monitor.errors import BadInput

if TYPE_CHECKING:
    from monitor.commands.playing import Playing

EPILOG = """\
examples:
  monitor replay call.wav                            stereo: left caller, right agent
  monitor replay caller.wav agent.wav                two mono files: caller first
  monitor replay call.mp3 --model base.en --transcript call.vtt
  monitor replay call.flac --json > events.jsonl     one CloudEvent a line
  monitor replay call.wav --speed 1 --serve          at speaking speed, with the page open to listeners
  monitor replay call.wav --speed 1 --uplink ws://127.0.0.1:8765 --agent anna --team north
  monitor replay journals/call-1234.jsonl --rules my-rules/"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "replay",
        help="replay a recorded call and see what would have been said",
        description="Replays a recorded call (or a journal) through the pipeline of a live one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("call", type=Path, metavar="CALL", help="a recording, or a journal (.jsonl)")
    parser.add_argument(
        "call2", type=Path, nargs="?", metavar="CALL2", help="the agent's side, if CALL is the caller's"
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines and nothing else on stdout")
    parser.add_argument(
        "--prosody", action="store_true", help="with --json: also ten lines a second on each voice"
    )
    parser.add_argument(
        "--speed", default="max", help="max (default), 1 for speaking speed, or another factor"
    )
    add_sides(parser)
    add_judging(parser)
    parser.add_argument("--journal", type=Path, metavar="DIR", help="write every event to DIR/CALL.jsonl")
    parser.add_argument(
        "--transcript",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write the transcript: .vtt .srt .json .ctm .rttm .vcon (may be given again)",
    )
    parser.add_argument("--serve", nargs="?", const="127.0.0.1:8765", metavar="HOST:PORT",
                        help="let listeners watch over a websocket (default 127.0.0.1:8765)")  # fmt: skip
    add_uplink(parser)
    parser.set_defaults(run=run)


def add_sides(parser: argparse.ArgumentParser) -> None:
    """The options that say which side of a recording is whose."""
    parser.add_argument(
        "--agent-channel",
        type=int,
        choices=(0, 1),
        default=1,
        help="which channel is the agent (default 1, right)",
    )
    parser.add_argument(
        "--mono", choices=("agent", "caller"), help="accept a mono recording of this side alone"
    )


def add_judging(parser: argparse.ArgumentParser) -> None:
    """The options that say how a call is heard and judged; live calls have them too."""
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a Whisper model by name or path, bundled, script, or none (acoustic rules only)",
    )
    parser.add_argument(
        "--rules", type=Path, metavar="PATH", help="a rule file or folder instead of the bundled rules"
    )
    parser.add_argument("--profile", default="default", help="default, eu, quiet, or a profile's file")
    parser.add_argument("--meta", type=Path, metavar="FILE", help="what the dialler knows of the call (YAML)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings instead of configs/call.yaml")
    parser.add_argument(
        "--gate", choices=("silero", "webrtc", "both"), help="which voice activity detector decides"
    )


def run(args: argparse.Namespace) -> int:
    """Replays one call; the exit code."""
    from monitor.commands.playing import play_journal, play_recording
    from monitor.sources.journal import is_journal

    playing = _playing(args)
    if is_journal(args.call):
        mind_that_there_is_no_sound(args)
        return play_journal(playing, args.call)
    return play_recording(playing, [path for path in (args.call, args.call2) if path])


NOT_HERE: dict[str, object] = {"call2": None, "serve": None, "uplink": None, "meta": None}
LEFT_ASIDE: dict[str, object] = {
    "speed": "max", "agent": None, "team": None, "mono": None, "agent_channel": 1, "model": None,
    "gate": None,
}  # fmt: skip
"""What asks of a recording what a journal cannot do, and what says how a recording is heard or named, which
is past with a journal; with their defaults."""


def mind_that_there_is_no_sound(args: argparse.Namespace) -> None:
    """Says what a journal leaves aside. Raises ``BadInput`` where the command wants what it cannot do."""
    if given := _given(args, NOT_HERE):
        raise BadInput(
            f"{args.call} is a journal: it is judged again as it was heard, without the sound; "
            f"leave out {given}, or name the recording."
        )
    if given := _given(args, LEFT_ASIDE):
        sys.stderr.write(f"monitor: {args.call} is a journal, taken as it was heard, without {given}.\n")


def _given(args: argparse.Namespace, defaults: dict[str, object]) -> str:
    """The options that are not at their defaults, in words."""
    given = [name for name, default in defaults.items() if getattr(args, name, default) != default]
    return ", ".join("CALL2" if name == "call2" else f"--{name.replace('_', '-')}" for name in given)


def _playing(args: argparse.Namespace) -> "Playing":
    from monitor.commands.playing import Playing, parse_speed

    return Playing(
        model=args.model,
        rules=args.rules,
        profile=args.profile,
        meta=args.meta,
        config=args.config,
        gate=args.gate,
        agent_channel=args.agent_channel,
        mono=args.mono,
        speed=parse_speed(args.speed),
        json=args.json,
        prosody=args.prosody,
        journal=args.journal,
        transcripts=tuple(args.transcript),
        serve=args.serve,
        uplink=args.uplink,
        token_file=args.token_file,
        agent=args.agent,
        team=args.team,
    )
