"""Measures precision, recall and F1 of each rule on the scripted calls, with clean and with damaged words.

python benchmarks/corpus.py                     clean words, and a word error rate of 15 %
python benchmarks/corpus.py --damage 0.1 --seeds 5
python benchmarks/corpus.py --apart             the calls on which neither rules nor phrases were tuned
"""

import argparse
from pathlib import Path
from statistics import mean

from monitor.review.backtest import Report, Task, backtest
from monitor.review.collection import calls_in
from monitor.review.ruletest import Figures, figures

CALLS = Path(__file__).resolve().parent.parent / "fixtures" / "calls"
APART = CALLS.with_name("calls-apart")


def judged(folder: Path, damage: float, seed: int, jobs: int | None) -> Report:
    """Judges all scripted calls of a folder with the bundled rules."""
    tasks = [Task(call=call, rules=(None,), damage=damage, seed=seed) for call in calls_in(folder)]
    return backtest(tasks, workers=jobs)


def line(name: str, one: Figures, others: list[Figures]) -> str:
    """One row of the table: a rule with clean words, and the mean over the seeds with damaged ones."""
    cells = [_share(value) for value in (one.precision, one.recall, one.f1)]
    for key in ("precision", "recall", "f1"):
        values = [value for other in others if (value := getattr(other, key)) is not None]
        cells.append(_share(mean(values) if values else None))
    return f"{name:24}" + "".join(f"{cell:>8}" for cell in cells)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--damage", type=float, default=0.15, help="word error rate (default 0.15)")
    parser.add_argument("--seeds", type=int, default=3, help="damages to average over (default 3)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--apart", action="store_true", help="the calls that nothing was tuned on")
    parser.add_argument("--jobs", type=int, help="processes (default: one per core)")
    args = parser.parse_args()
    folder = APART if args.apart else CALLS
    clean = judged(folder, 0.0, 0, args.jobs)
    seeds = range(args.first, args.first + args.seeds)
    harmed = [judged(folder, args.damage, seed, args.jobs) for seed in seeds]
    print(
        f"{clean.calls} calls, {60 * clean.hours:.0f} min; damaged at {args.damage:.0%}, {args.seeds} seeds"
    )
    print(f"{'rule':24}{'clean P':>8}{'R':>8}{'F1':>8}{'harmed P':>8}{'R':>8}{'F1':>8}")
    nothing = figures([], 0.0)
    names = sorted({name for report in (clean, *harmed) for name in report.rules})
    for name in names:
        row = [report.rules.get(name, (nothing,))[0] for report in (clean, *harmed)]
        if any(one.found + one.missed + one.wrong for one in row):
            print(line(name, row[0], row[1:]))
    print(line("all rules", clean.total[0], [report.total[0] for report in harmed]))


if __name__ == "__main__":
    main()
