"""Formats the result of a backtest: a table of rules, and the changes in each call."""

from collections.abc import Iterable, Iterator

from monitor.review.backtest import AlertDifference, Report
from monitor.review.ruletest import Figures, Raised

COLUMNS = ("rule", "alerts/h", "right", "missed", "false", "precision", "recall", "F1", "delay s")


def lines(report: Report, *, compared: bool) -> Iterator[str]:
    """The report as lines of text."""
    yield f"{report.calls} calls, {report.hours:.2f} hours; delays: medians from when an alert was due"
    yield ""
    yield from _table(_rows(report, compared=compared))
    for call, failed in report.failed.items():
        yield f"not judged: {call}: {failed}"
    if compared:
        yield ""
        yield from _changes(report)


def _rows(report: Report, *, compared: bool) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for name, sets in [*report.rules.items(), ("all rules", report.total)]:
        yield _row(name, sets[0])
        if compared and sets[0] != sets[1]:
            yield _row("  before", sets[1])


def _row(name: str, one: Figures) -> tuple[str, ...]:
    counts = (str(one.found), str(one.missed), str(one.wrong))
    shares = (_number(one.precision), _number(one.recall), _number(one.f1))
    return (name, _number(one.per_hour, 1), *counts, *shares, _number(one.delay, 1))


def _number(value: float | None, places: int = 2) -> str:
    return "–" if value is None else f"{value:.{places}f}"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    table = list(rows)
    widths = [max(len(row[at]) for row in table) for at in range(len(COLUMNS))]
    for number, row in enumerate(table):
        cells = [
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
        if not number:
            yield "  ".join("-" * width for width in widths)


def _changes(report: Report) -> Iterator[str]:
    if not report.changed:
        yield "No call's alerts changed."
        return
    yield f"Alerts changed in {len(report.changed)} of {report.calls} calls: {_sum(report)}."
    for call, changed in report.changed.items():
        yield f"  {call}"
        for one in changed:
            yield f"    {_change(one)}"


def _sum(report: Report) -> str:
    """One line that sums up the effect of the change of rules."""
    all_ = [change for changed in report.changed.values() for change in changed]
    new = [change.new for change in all_ if change.new and not change.old]
    gone = [change.old for change in all_ if change.old and not change.new]
    told = [_counted(what, raised) for what, raised in (("new", new), ("gone", gone)) if raised]
    moved = len(all_) - len(new) - len(gone)
    return ", ".join([*told, f"{moved} of another level"] if moved else told)


def _counted(what: str, raised: list[Raised]) -> str:
    right, false = (sum(one.matched is is_right for one in raised) for is_right in (True, False))
    known = [f"{count} {name}" for count, name in ((right, "right"), (false, "false")) if count]
    return f"{len(raised)} {what}" + (f" ({', '.join(known)})" if known else "")


def _change(change: AlertDifference) -> str:
    if change.new and change.old:
        return f"~ {change.rule} at {change.new.at:.1f} s: {change.old.level} -> {change.new.level}"
    raised = change.new or change.old
    if raised is None:
        return change.rule
    sign = "+" if change.new else "-"
    return f"{sign} {change.rule} at {raised.at:.1f} s ({raised.level}{_right(raised)}): {raised.summary}"


def _right(raised: Raised) -> str:
    return {True: ", right", False: ", false", None: ""}[raised.matched]
