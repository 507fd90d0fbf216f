"""Generates parts of ``docs/rules.md`` (keys, moments, measures, facts) and the JSON Schema beside it.

A generated part stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. The text around it is written by
hand and is kept. A folder without a manual gets one with the generated parts only.
"""

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from monitor.config import Settings
from monitor.dialogue.tracker import KINDS
from monitor.errors import BadInput
from monitor.events import Channel
from monitor.rules.measures import MEASURES, Measure
from monitor.rules.measures.facts import fact_names
from monitor.rules.measures.registry import Time, Unit
from monitor.rules.rule import (
    KEYS,
    LIKE,
    OVERRIDE,
    Cue,
    During,
    EscalationStep,
    Example,
    Expected,
    Rule,
    Scope,
)
from monitor.rules.schema import rules_schema
from monitor.rules.triggers import MOMENTS
from monitor.timeline import CALL

SCHEMA_FILE, MANUAL_FILE = "rules.schema.json", "rules.md"

HAPPENED = {
    "raised": "the {side}'s voice is raised",
    "calmed": "the {side}'s voice comes down again",
    "turn": "the {side} has the floor",
    "interruption": "the {side} takes the floor from the other side",
    "held": "a hold is over",
}
"""Descriptions of the moments that a cue may name, by their kind on the timeline."""

UNITS: dict[Unit, str] = {
    "times": "a count",
    "s": "seconds, also written `8s` or `2min`",
    "share": "a share of 1, also written `65%`",
    "points": "points of 100",
    "st": "semitones",
    "syll/s": "syllables per second",
    "words/min": "words per minute",
}
"""The units of measures, and how they are written in a rule."""

BARE = "# Reference of rule files\n"


def contents(folder: Path) -> dict[Path, str]:
    """The required contents of the schema and the manual in ``folder``, by path.

    Raises:
        BadInput: The manual there lacks the markers of a generated part.
    """
    manual = folder / MANUAL_FILE
    there = manual.read_text(encoding="utf-8") if manual.is_file() else None
    schema = json.dumps(rules_schema(), indent=1, ensure_ascii=False) + "\n"
    return {folder / SCHEMA_FILE: schema, manual: _manual(there, manual)}


def _manual(there: str | None, path: Path) -> str:
    if there is None:
        there = BARE + "".join(
            f"\n## {name.capitalize()}\n\n<!-- {name} -->\n<!-- /{name} -->\n" for name in parts()
        )
    for name, lines in parts().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, opened, rest = there.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise BadInput(
                f"{path} has no place for the generated part {name!r}: write {begin.strip()} and {end}."
            )
        there = "\n".join((before + begin, *lines, "", end + after))
    return there


def parts() -> dict[str, list[str]]:
    """The generated parts, by name, as lines of Markdown."""
    return {
        "keys": _keys(Rule, {"like": LIKE, "override": OVERRIDE}),
        "cue": _keys(Cue),
        "during": _keys(During),
        "scope": _keys(Scope),
        "escalation": _keys(EscalationStep),
        "tests": _keys(Example),
        "alerts": _keys(Expected),
        "moments": _table(("moment", "happens when"), _moments()),
        "units": _table(("unit", "a value is"), ((f"`{unit}`", told) for unit, told in UNITS.items())),
        "measures": _table(("measure", "unit", "asks", "parameters"), _measures()),
        "facts": [", ".join(f"`{name}`" for name in sorted(fact_names()))],
        "dialogue": _table(("class", "found when"), ((f"`{name}`", told) for name, told in KINDS.items())),
    }


def _keys(kind: type[Settings], more: dict[str, str] | None = None) -> list[str]:
    """A table of the keys of ``kind``."""
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    rows = [(f"`{key}`", meaning, _default(fields[key])) for key, meaning in KEYS[kind].items()]
    rows[1:1] = [(f"`{key}`", meaning, "") for key, meaning in (more or {}).items()]
    return _table(("key", "meaning", "default"), rows)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default
    if value in (msgspec.NODEFAULT, None, "", ()):
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float) and field.name != "tolerance":
        return f"`{value:g}s`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _moments() -> Iterator[tuple[str, str]]:
    for name, (kind, side) in MOMENTS.items():
        yield f"`{name}`", HAPPENED[kind].format(side=side)


def _measures() -> Iterator[tuple[str, ...]]:
    for name, measure in sorted(MEASURES.items()):
        unit = ", ".join(filter(None, (measure.unit, "needs words" if measure.words else "")))
        asked = measure.asks.replace("``", "`")
        yield f"`{name}`", unit, asked, ", ".join(_parameters(measure)) or "none"


def _parameters(measure: Measure) -> Iterator[str]:
    for name, given in list(inspect.signature(measure.ask).parameters.items())[1:]:
        told = _value(given.default, given.annotation)
        yield f"`{name}`" + (f" ({told})" if told else "")


def _value(default: Any, kind: Any) -> str:
    """A parameter's default as written in a rule; all choices if it is one of several words."""
    if default is inspect.Parameter.empty:
        return ""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    if default is None:
        return "either side" if Channel in get_args(kind) or kind == Channel | None else ""
    if kind is Time:
        return _time(default)
    if isinstance(default, tuple):
        return f"`[{', '.join(default)}]`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float | int) else f"`{default}`"


def _time(ms: int) -> str:
    return "`call`" if ms == CALL else f"`{ms / 1000:g}s`"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]
