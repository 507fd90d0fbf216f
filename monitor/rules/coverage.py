"""The rulebook, row by row: what each piece of advice has become, and what nothing can hear."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from monitor import yaml_source as places
from monitor.config import Settings
from monitor.resources import resource
from monitor.rules.rule_set import RuleSet

ROWS = 72

Works = Literal["live", "end", "metadata", "scorecard", "not detectable"]


class RulebookRow(Settings, frozen=True, kw_only=True):
    """A row of the rulebook."""

    row: int
    advice: str
    works: Works
    rules: tuple[str, ...] = ()
    reason: str | None = None
    plug_in: str | None = None
    """The part of the advice that needs something which is not built in, and what that is."""


def load_rulebook(path: Path | None = None) -> list[RulebookRow]:
    """All rows, by number. Raises ``BadInput`` where one is missing or says neither rules nor a reason."""
    place = places.read(path or resource("configs/rulebook.yaml"))
    rows = place.typed(list[RulebookRow])
    for at, (row, number) in enumerate(zip(rows, range(1, ROWS + 1), strict=False)):
        if row.row != number:
            raise place.part(at, "row").wrong(f"row {number} was expected here; rows stand in order.")
        if not row.rules and not row.reason:
            raise place.part(at).wrong("a row names the rules that act on it, or says why nothing can.")
    if len(rows) != ROWS:
        raise place.wrong(f"{ROWS} rows were expected; there are {len(rows)}.")
    return rows


def missing(rows: Iterable[RulebookRow], book: RuleSet) -> list[str]:
    """What rows promise and the book does not hold, one sentence each."""
    there = {rule.rule for rule in book.rules}
    return [
        f"row {row.row} names the rule {name}, which is not in the book."
        for row in rows
        for name in row.rules
        if name not in there
    ]


def untested(book: RuleSet) -> list[str]:
    """Rules that lack a positive or a negative test, one sentence each."""
    found = []
    for rule in book.rules:
        if rule.score is not None:
            if not rule.tests:
                found.append(f"{rule.rule} has no test.")
            continue
        positive = any(one.alerts or one.notes for one in rule.tests)
        negative = any(not one.alerts and not one.notes for one in rule.tests)
        if not positive:
            found.append(f"{rule.rule} has no test in which it alerts.")
        if not negative:
            found.append(f"{rule.rule} has no test in which it stays quiet.")
    return found
