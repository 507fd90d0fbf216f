"""``monitor report``: a call afterwards, as one page that opens anywhere, or as JSON."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.replay import add_judging, add_sides
from monitor.errors import BadInput

if TYPE_CHECKING:
    from monitor.commands.playing import Playing
    from monitor.events import Event

EPILOG = """\
examples:
  monitor report call.wav                        writes call.report.html; open it in any browser
  monitor report journals/call-1234.jsonl --out call.html
  monitor report caller.wav agent.wav --model base.en
  monitor report call.flac --json > scorecard.json
The page needs no network and no other file. It quotes the call: treat it as you treat the recording."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "report",
        help="the scorecard, notes and timeline of a recorded call, as one page or JSON",
        description="Tells what happened on a call: who spoke, who cut in, what was promised, what is open.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("call", type=Path, metavar="CALL", help="a recording, or a journal (.jsonl)")
    parser.add_argument(
        "call2", type=Path, nargs="?", metavar="CALL2", help="the agent's side, if CALL is the caller's"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where the page goes (CALL.report.html here)"
    )
    parser.add_argument("--json", action="store_true", help="print the scorecard as JSON, nothing else")
    add_sides(parser)
    add_judging(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the report; the exit code."""
    from monitor.review.scorecard import scorecard

    _refuse_folder(args.out)
    events, hidden = _events(args)
    card = scorecard(events, hide_agent_voice=hidden)
    if args.json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
    if args.out or not args.json:
        from monitor.review.page import report_page

        out = args.out or Path(f"{args.call.stem}.report.html")
        _write(out, report_page(card))
        if not args.json:
            sys.stdout.write(f"The report is in {out}; open it in a browser.\n")
    return 0


def _events(args: argparse.Namespace) -> "tuple[Sequence[Event], bool]":
    """The events of the call, and whether its profile hides how the agent sounds.

    A journal is taken as it was written: its report says what was said on that day.
    """
    from monitor.commands.playing import Playing
    from monitor.rules.profile import load_profile
    from monitor.sources.journal import is_journal, read_journal

    if is_journal(args.call):
        journal = read_journal(args.call)
        if journal.notice:
            sys.stderr.write(f"monitor: {journal.notice}\n")
        return journal.events, load_profile(journal.started.profile).hide_agent_effort
    playing = Playing(
        model=args.model,
        rules=args.rules,
        profile=args.profile,
        meta=args.meta,
        config=args.config,
        gate=args.gate,
        agent_channel=args.agent_channel,
        mono=args.mono,
    )
    return _hear(playing, [path for path in (args.call, args.call2) if path])


def _hear(playing: "Playing", paths: list[Path]) -> "tuple[Sequence[Event], bool]":
    from monitor.call import Call
    from monitor.playback import FLAT_OUT_BLOCK, WORDS_BLOCK, about_recording, play
    from monitor.sources.recording import open_recording
    from monitor.speech.models import choose

    book = playing.book()
    recording = open_recording(paths, agent_channel=playing.agent_channel, mono=playing.mono)
    choice = choose(playing.model, paths)
    recogniser = choice.recogniser()
    about = about_recording(recording, choice.name, choice.notice, meta=playing.metadata())
    call = Call(about, book, playing.settings())
    blocks = recording.blocks(WORDS_BLOCK if recogniser else FLAT_OUT_BLOCK)
    said = _with_progress(play(call, blocks, recogniser), recording.seconds)
    if recording.notice:
        sys.stderr.write(f"monitor: {recording.notice}\n")
    return said, book.hide_agent_effort


def _with_progress(said: "Iterable[list[Event]]", length: float | None) -> "list[Event]":
    """Everything that was said; on a terminal a bar tells how far the call has been heard."""
    from rich.console import Console
    from rich.progress import Progress

    heard: list[Event] = []
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("hearing the call", total=length)
        for events in said:
            heard += events
            if events:
                progress.update(task, completed=events[-1].known)
    return heard


def _refuse_folder(out: Path | None) -> None:
    """Says before a long call is heard, not after, that its report could not be written."""
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise BadInput(f"--out {out} is not a file in a folder that exists; name one, such as report.html.")


def _write(out: Path, page: str) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as wrong:
        raise BadInput(f"The report cannot be written to {out}: {wrong.strerror}.") from None
