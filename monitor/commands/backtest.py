"""``monitor rules backtest``: a change of rules, judged on recorded calls."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.review.backtest import Report, Result

EPILOG = """\
The folder of calls may hold recordings (with NAME.json beside them as the truth), journals (.jsonl) and
call scripts (.yaml). Audio is analysed once and the result is cached, so that the next run is faster.

example:
  monitor rules backtest my-rules/ --against configs/rules --calls recordings/ --out change.json
"""


def register_backtest(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``backtest`` to the commands of ``monitor rules``."""
    parser = subparsers.add_parser(
        "backtest",
        help="judge a change of rules on recorded calls",
        description="Replays recorded calls with new rules (and with old ones), and reports for each "
        "rule how often it was right, missed or wrong, how late, and which calls' alerts changed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "new", metavar="NEW", type=Path, nargs="?", help="file or folder of rules (default: the bundled ones)"
    )
    add("--against", metavar="OLD", type=Path, help="rules to compare with")
    add("--calls", metavar="DIR", type=Path, required=True, help="folder of recorded calls")
    add("--model", help="recogniser for recordings: as for `monitor replay`; `none` for acoustic rules only")
    add("--profile", default="default", help="profile that both sets of rules run under")
    add("--fail-under", metavar="F1", type=_share, help="exit 1 if the F1 over all rules is below this")
    add("--damage", metavar="RATE", type=_share, default=0.0, help="damage the words at this word error rate")
    add("--seed", type=int, default=1, help="seed of the damage (default 1)")
    add("--jobs", metavar="N", type=_workers, help="processes (default: one per core)")
    add("--no-cache", action="store_true", help="analyse all audio again, without the cache")
    add("--json", action="store_true", help="print the report as JSON")
    add("--out", metavar="FILE", type=Path, help="write the report as JSON to a file, too")
    parser.set_defaults(run=run)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _workers(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Runs the backtest; 1 if the bar of ``--fail-under`` was not reached."""
    from monitor.commands.outputs import refuse_no_file
    from monitor.review.backtest import backtest
    from monitor.review.backtest_text import lines

    if args.out:
        refuse_no_file(args.out, "change.json")
    tasks = _tasks(args)
    with _progress(len(tasks), "judging calls") as tell:
        report = backtest(tasks, workers=args.jobs, tell=tell)
    _all_failed(report)
    if args.out:
        _write(args.out, report)
    if args.json:
        sys.stdout.write(_json(report).decode() + "\n")
    else:
        sys.stdout.write("\n".join(lines(report, compared=args.against is not None)) + "\n")
    return _passed(report, args.fail_under)


def _tasks(args: argparse.Namespace) -> list[Any]:
    from monitor.review.backtest import Task
    from monitor.review.collection import calls_in
    from monitor.review.facts import FactsCache, default_folder
    from monitor.rules.rule_set import load_rules

    rules = [args.new, *([args.against] if args.against else [])]
    for path in rules:  # wrong rules are told at once, not after an hour of hearing
        load_rules([path] if path else None, profile=args.profile)
    calls = calls_in(args.calls)
    named = {one.rule for call in calls for one in call.wanted or ()}
    judged = tuple(sorted(named | {rule.rule for rule in load_rules().rules}))
    folder = None if args.no_cache else default_folder()
    FactsCache(folder).sweep()
    return [
        Task(
            call=call, rules=tuple(str(path) if path else None for path in rules), model=args.model,
            profile=args.profile, cache=str(folder) if folder else None, damage=args.damage, seed=args.seed,
            judged=judged,
        )
        for call in calls
    ]  # fmt: skip


@contextmanager
def _progress(total: int, what: str) -> "Iterator[Callable[[Result], None]]":
    """A progress bar on a terminal's stderr; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda _: bar.advance(task)


def _all_failed(report: "Report") -> None:
    from monitor.errors import BadInput

    if not report.calls:
        first = next(iter(report.failed.values()))
        raise BadInput(f"None of the calls could be judged; the first: {first}")


def _json(report: "Report") -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def _write(path: Path, report: "Report") -> None:
    from monitor.errors import BadInput

    try:
        path.write_bytes(_json(report) + b"\n")
    except OSError as wrong:
        raise BadInput(f"The report cannot be written to {path}: {wrong.strerror}.") from None


def _passed(report: "Report", bar: float | None) -> int:
    if bar is None:
        return 0
    reached = report.total[0].f1
    if reached is None:
        from monitor.errors import BadInput

        raise BadInput(
            "--fail-under needs calls whose expected alerts are known; none of these calls has any."
        )
    if reached < bar:
        sys.stderr.write(f"F1 is {reached:.3f}, below {bar:g}.\n")
        return 1
    return 0
