"""``monitor replay``: a recorded call, or a journal, through the pipeline of a live one."""

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.outputs import (
    STOPPED,
    OutputOptions,
    add_outputs,
    build_sinks,
    open_uplink,
    output_options,
    serving,
    tell_notice,
    tell_what_waits,
)
from monitor.errors import BadInput

if TYPE_CHECKING:
    from monitor.call import CallInfo
    from monitor.client.uplink import Uplink
    from monitor.playback import CallOptions
    from monitor.sinks import Sink

EPILOG = """\
examples:
  monitor replay call.wav                            stereo: left caller, right agent
  monitor replay caller.wav agent.wav                two mono files: caller first
  monitor replay call.mp3 --model base.en --transcript call.vtt
  monitor replay call.flac --json > events.jsonl     one CloudEvent a line
  monitor replay call.wav --speed 1 --serve          at speaking speed, with the page
  monitor replay call.wav --speed 1 --uplink ws://127.0.0.1:8765 --agent anna --team north
  monitor replay journals/call-1234.jsonl --rules my-rules/"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "replay",
        help="Replay a recorded call or a journal and show its alerts",
        description="Replays a recorded call (or a journal) through the pipeline of a live one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("call", type=Path, metavar="CALL", help="a recording, or a journal (.jsonl)")
    parser.add_argument(
        "call2", type=Path, nargs="?", metavar="CALL2", help="the agent's side, if CALL is the caller's"
    )
    parser.add_argument(
        "--speed", default="max", help="max (default), 1 for speaking speed, or another factor"
    )
    add_sides(parser)
    add_judging(parser)
    parser.add_argument(
        "--transcript",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write the transcript: .vtt .srt .json .ctm .rttm .vcon (may be given again)",
    )
    add_outputs(parser)
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
        "--vad", choices=("silero", "webrtc", "both"), help="which voice activity detector decides"
    )


def call_options(args: argparse.Namespace) -> "CallOptions":
    """How the calls of a command line are heard and judged."""
    from monitor.playback import CallOptions

    return CallOptions(
        model=args.model,
        rules=args.rules,
        profile=args.profile,
        meta=args.meta,
        config=args.config,
        vad=args.vad,
        agent_channel=args.agent_channel,
        mono=getattr(args, "mono", None),
        agent=getattr(args, "agent", None),
        team=getattr(args, "team", None),
    )


def run(args: argparse.Namespace) -> int:
    """Replays one call; the exit code."""
    from monitor.sources.journal import is_journal

    speed = parse_speed(args.speed)
    options, outputs = call_options(args), output_options(args)
    if is_journal(args.call):
        mind_that_there_is_no_sound(args)
        return play_journal(args.call, options, outputs)
    return play_recording([path for path in (args.call, args.call2) if path], options, outputs, speed)


def parse_speed(text: str) -> float:
    """``max`` (infinity) or a positive factor of speaking speed. Raises ``BadInput``."""
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 100:
        raise BadInput(
            f"--speed {text} is neither max nor a factor above 0 and up to 100; say --speed 1 or --speed max."
        )
    return speed


def play_recording(
    paths: Sequence[Path], options: "CallOptions", outputs: OutputOptions, speed: float
) -> int:
    """Plays a recording to its end; the exit code."""
    from monitor.playback import prepare
    from monitor.session import PACED_BLOCK, run

    uplinks: list[Uplink] = []
    flat_out = math.isinf(speed) and not outputs.serve
    playback = prepare(
        paths,
        options,
        sinks=partial(_sinks, outputs, uplinks),
        unique=bool(outputs.uplink),
        block_seconds=None if flat_out else PACED_BLOCK,
    )
    finished = run(playback, speed, serving(outputs, playback.call.info.call))
    for uplink in uplinks:
        tell_what_waits(uplink)
    return 0 if finished else STOPPED


def _sinks(
    outputs: OutputOptions, uplinks: "list[Uplink]", info: "CallInfo", seconds: float | None
) -> "list[Sink]":
    """The sinks of a recording; its uplink is also put into ``uplinks``."""
    sinks = build_sinks(outputs, seconds)
    if outputs.uplink:
        uplinks.append(open_uplink(outputs, info))
    if outputs.json:
        tell_notice(info.notice)
    return [*sinks, *uplinks]


def play_journal(path: Path, options: "CallOptions", outputs: OutputOptions) -> int:
    """Judges a journal again; the exit code."""
    from monitor.call import rejudge
    from monitor.sinks.announcer import Announcer
    from monitor.sources.journal import read_journal

    journal = read_journal(path)
    if outputs.journal and (outputs.journal / f"{journal.call}.jsonl").resolve() == path.resolve():
        raise BadInput(f"--journal {outputs.journal} would overwrite {path} itself; name another folder.")
    rules, settings = options.rule_set(), options.settings()
    announcer = Announcer(journal.call, build_sinks(outputs, journal.end), stamps=False)
    try:
        for events in rejudge(journal.events, rules, settings):
            announcer.say(events)
    except KeyboardInterrupt:
        return STOPPED
    finally:
        announcer.close()
    if journal.notice:
        sys.stderr.write(f"monitor: {journal.notice}\n")
    return 0


NOT_HERE: dict[str, object] = {"call2": None, "serve": None, "uplink": None, "meta": None}
LEFT_ASIDE: dict[str, object] = {
    "speed": "max", "agent": None, "team": None, "mono": None, "agent_channel": 1, "model": None,
    "vad": None,
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
