"""``monitor report``: a call afterwards, as one page that opens anywhere, or as JSON."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monitor.commands.outputs import refuse_no_file
from monitor.commands.replay import add_judging, add_sides, call_options, mind_that_there_is_no_sound
from monitor.errors import BadInput

if TYPE_CHECKING:
    from monitor.events import Channel, Event
    from monitor.playback import CallOptions
    from monitor.review.scorecard import Scorecard
    from monitor.review.sound import Spectrogram
    from monitor.sources.recording import Recording

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
        help="Write a report of a recorded call, as one page or as JSON",
        description="Reports what happened on a call: talk time, interruptions, promises and alerts.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("call", type=Path, metavar="CALL", help="a recording, or a journal (.jsonl)")
    parser.add_argument(
        "call2", type=Path, nargs="?", metavar="CALL2", help="the agent's side, if CALL is the caller's"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the page to FILE (default: CALL.report.html)"
    )
    parser.add_argument("--json", action="store_true", help="print the scorecard as JSON, nothing else")
    add_sides(parser)
    add_judging(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the report; the exit code."""
    from monitor.review.scorecard import scorecard

    out = args.out or Path(f"{args.call.stem}.report.html")
    if args.out or not args.json:
        refuse_no_file(out)
    heard = _events(args)
    card = scorecard(heard.events, hide_agent_voice=heard.hidden)
    if args.json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
    if args.out or not args.json:
        from monitor.review.page import report_page

        _write(out, report_page(card, _drawn(heard, card)))
        if not args.json:
            sys.stdout.write(f"The report is in {out}; open it in a browser.\n")
    return 0


class _Heard(NamedTuple):
    """A call that was heard: its events, whether its profile hides how the agent sounds, and its sound."""

    events: "Sequence[Event]"
    hidden: bool
    recording: "Recording | None" = None


def _events(args: argparse.Namespace) -> _Heard:
    """The call of the command line.

    A journal is taken as it was written: its report says what was said on that day.
    """
    from monitor.rules.profile import load_profile
    from monitor.sources.journal import is_journal, read_journal

    if is_journal(args.call):
        mind_that_there_is_no_sound(args)
        if args.rules or args.config or args.profile != "default":
            raise BadInput(
                f"A journal is reported as it was on that day; for other rules replay {args.call} "
                "with them and with --journal first, and report what that wrote."
            )
        journal = read_journal(args.call)
        if journal.notice:
            sys.stderr.write(f"monitor: {journal.notice}\n")
        return _Heard(journal.events, load_profile(journal.started.profile).hide_agent_effort)
    return _hear(call_options(args), [path for path in (args.call, args.call2) if path])


def _hear(options: "CallOptions", paths: list[Path]) -> _Heard:
    from monitor.playback import prepare
    from monitor.rules.profile import load_profile

    playback = prepare(paths, options)
    recording = playback.recording
    said: list[Event] = []
    with _progress("hearing the call", recording.seconds if recording else None) as reached:
        for events in playback.events():
            said += events
            if events:
                reached(events[-1].detected_at)
    if recording and recording.notice:
        sys.stderr.write(f"monitor: {recording.notice}\n")
    return _Heard(said, load_profile(options.profile).hide_agent_effort, recording)


def _drawn(heard: _Heard, card: "Scorecard") -> "dict[Channel, Spectrogram] | None":
    """The pictures of the sound, where there is a recording, of the sides that the profile shows."""
    from monitor.events import CHANNELS
    from monitor.review.sound import PIECE, pictures

    if heard.recording is None:
        return None
    recording = heard.recording
    shown: tuple[Channel, ...] = ("caller",) if heard.hidden else CHANNELS
    with _progress("drawing its sound (the first time takes up to half a minute)", card.seconds) as reached:
        return pictures(recording.blocks(PIECE), recording.rate, card.seconds, shown, reached)


@contextmanager
def _progress(what: str, length: float | None) -> Iterator[Callable[[float], None]]:
    """On a terminal a bar tells how far it has come; what it gives is told the seconds done."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=length)
        yield lambda seconds: progress.update(task, completed=seconds)


def _write(out: Path, page: str) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as wrong:
        raise BadInput(f"The report cannot be written to {out}: {wrong.strerror}.") from None
