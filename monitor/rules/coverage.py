"""Coverage of the rulebook: which rules implement each of its rows, and which rows cannot be detected."""

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
    reason: str | None = None
    """Why no rule can implement the row."""
    plug_in: str | None = None
    """The part of the advice that needs something the product does not have, and what that is."""


def load_rulebook(path: Path | None = None) -> list[RulebookRow]:
    """Reads all rows, by number.

    Raises:
        BadInput: A row is missing or out of order, or its reason is missing or unexpected.
    """
    place = places.read(path or resource("configs/rulebook.yaml"))
    rows = place.typed(list[RulebookRow])
    for at, (row, number) in enumerate(zip(rows, range(1, ROWS + 1), strict=False)):
        if row.row != number:
            raise place.part(at, "row").wrong(f"row {number} was expected here; rows stand in order.")
        if (row.reason is None) == (row.works == "not detectable"):
            raise place.part(at).wrong("`reason` says why a row is not detectable; other rows have none.")
    if len(rows) != ROWS:
        raise place.wrong(f"{ROWS} rows were expected; there are {len(rows)}.")
    return rows


def implemented(book: RuleSet) -> dict[int, tuple[str, ...]]:
    """The ids of the rules that implement each row, by the row's number."""
    found: dict[int, tuple[str, ...]] = {}
    for rule in book.rules:
        for row in rule.rows:
            found[row] = (*found.get(row, ()), rule.rule)
    return found


def missing(rows: Iterable[RulebookRow], book: RuleSet) -> list[str]:
    """Rows without a rule, and rules that name unknown rows, one sentence each."""
    numbers = {row.row for row in rows}
    there = implemented(book)
    faults = [
        f"row {row.row} ({row.advice}) is not implemented by any rule."
        for row in rows
        if row.reason is None and row.row not in there
    ]
    return faults + [
        f"{rule.rule} names the row {row}, which the rulebook does not have."
        for rule in book.rules
        for row in rule.rows
        if row not in numbers
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
