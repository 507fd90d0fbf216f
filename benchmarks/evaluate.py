"""Scores the monitor's detections against the ground truth of recorded calls.

python benchmarks/evaluate.py                            every bundled call, acoustic rules only
python benchmarks/evaluate.py --model script             with the words of the scripts
python benchmarks/evaluate.py my/calls/*.wav --json      other calls with a NAME.json beside them
python benchmarks/evaluate.py call.wav --events call.jsonl    score what `monitor replay --json` printed
python benchmarks/evaluate.py --fail-under 0.9           exit code 1 if a kind's F1 is lower, an expected
                                                         alert is missing, or one came unexpected
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from monitor.errors import BadInput
from monitor.events import Event
from monitor.resources import resource
from monitor.review.evaluate import Alerted, Evaluation, evaluate, total
from monitor.review.truth import load_truth, recordings, truth_beside
from monitor.session import replay_events
from monitor.wire.envelope import decode


def main() -> int:
    """Scores the calls named on the command line."""
    args = _arguments()
    try:
        evaluations = [_scored(path, args) for path in _truths(args.calls)]
    except BadInput as wrong:
        print(wrong, file=sys.stderr)
        return 2
    every = total(evaluations)
    if args.json:
        print(
            msgspec.json.format(msgspec.json.encode([_plain(one) for one in [*evaluations, every]])).decode()
        )
    else:
        _show(evaluations, every)
    if args.fail_under is None:
        return 0
    return 1 if every.worst_f1 < args.fail_under or every.missed or every.unexpected else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("calls", nargs="*", type=Path, help="recordings with ground truth beside them")
    parser.add_argument("--model", default="none", help="none, script, bundled, or a Whisper model")
    parser.add_argument("--rules", type=Path, help="a rule file or folder instead of the bundled rules")
    parser.add_argument("--events", type=Path, help="score these JSON lines instead of replaying (one call)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--fail-under", type=float, metavar="F1", help="exit with 1 below this")
    return parser.parse_args()


def _truths(calls: Sequence[Path]) -> list[Path]:
    """The truth files of ``calls``, or of every bundled call; one for the two files of a pair."""
    return sorted({truth_beside(path) for path in calls} or resource("fixtures/audio").glob("*.json"))


def _scored(path: Path, args: argparse.Namespace) -> Evaluation:
    truth = load_truth(path)
    if args.events:
        events: list[Event] = [decode(line)[1] for line in args.events.read_bytes().splitlines()]
    else:
        events = replay_events(
            recordings(truth, path), model=args.model, rules=args.rules, agent_channel=truth.agent_channel
        )
    return evaluate(events, truth)


def _plain(one: Evaluation) -> dict[str, object]:
    kinds = {kind: score.summary() for kind, score in one.kinds.items()}
    return {**msgspec.to_builtins(one), "kinds": kinds}


def _show(evaluations: list[Evaluation], every: Evaluation) -> None:
    console = Console()
    kinds = Table("kind", "found", "missed", "wrong", "precision", "recall", "F1", "delay median", "p90")
    for kind, score in every.kinds.items():
        kinds.add_row(kind, *("-" if value is None else f"{value:g}" for value in score.summary().values()))
    console.print(kinds)
    alerts = Table("call", "alert", "side", "expected", "opened", "")
    for one in evaluations:
        for verdict, list_of in (("met", one.met), ("MISSED", one.missed), ("UNEXPECTED", one.unexpected)):
            for alert in list_of:
                alerts.add_row(one.call, alert.rule, alert.channel or "", *_times(alert), verdict)
    console.print(alerts)
    for channel, (wrong, of) in every.word_errors.items():
        console.print(f"words, {channel}: {wrong} errors in {of} ({wrong / max(of, 1):.1%})")


def _times(alert: Alerted) -> tuple[str, str]:
    window = "" if alert.from_ is None else f"{alert.from_:.1f}-{alert.to:.1f} s"
    return window, "" if alert.at is None else f"{alert.at:.1f} s ({alert.level})"


if __name__ == "__main__":
    sys.exit(main())
