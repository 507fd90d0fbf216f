"""Reads YAML files and keeps the position of each value, so that errors can name file and line."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from rapidfuzz import fuzz, process

from monitor.config import Lines, parse_yaml_lines, read_text
from monitor.errors import BadInput

T = TypeVar("T")

_STEP = re.compile(r"\.?([^.\[\]`]+)|\[(\d+)\]")


_KINDS = {
    "str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a list of keys with values", "null": "empty", "date": "a date", "datetime": "a date",
}  # fmt: skip
"""Plain words for msgspec's names of types."""


class YamlPosition:
    """A value in a YAML file, with its position for error messages."""

    def __init__(
        self, path: Path, plain: Any, lines: Lines, at: tuple[Any, ...] = (), rule: str = ""
    ) -> None:
        self.path = path
        self.plain = plain
        self.rule = rule
        """The id of the rule that contains this value, if any."""
        self.said_by: dict[tuple[Any, ...], Path] = {}
        """The files of parts that another file has overridden."""
        self._lines = lines
        self._at = at

    def part(self, *keys: Any) -> "YamlPosition":
        """The position of a part (which may be absent)."""
        plain = self.plain
        rule = self.rule
        for key in keys:
            try:
                plain = plain[key]
            except (KeyError, IndexError, TypeError):
                plain = None
            if not rule and isinstance(plain, dict):
                rule = str(plain.get("rule") or plain.get("override") or "")
        at = (*self._at, *keys)
        path = next((path for key, path in self.said_by.items() if at[: len(key)] == key), self.path)
        return YamlPosition(path, plain, self._lines, at, rule)

    @property
    def where(self) -> str:
        """The file, and the line if it is known."""
        at = self._at
        while at and at not in self._lines:
            at = at[:-1]
        line = self._lines.get(at)
        return f"{self.path}, line {line}" if line else str(self.path)

    def replaced(self, plain: Any) -> "YamlPosition":
        """The same position with other content."""
        same = YamlPosition(self.path, plain, self._lines, self._at, self.rule)
        same.said_by = self.said_by
        return same

    def overlaid(self, keys: dict[str, Any], by: "YamlPosition") -> "YamlPosition":
        """This mapping with some keys overridden by another position."""
        lines: Lines = {
            self._at + at[len(by._at) :]: line
            for at, line in by._lines.items()
            if at[: len(by._at)] == by._at
        }
        lines = {
            at: line for at, line in lines.items() if len(at) > len(self._at) and at[len(self._at)] in keys
        }
        over = YamlPosition(self.path, {**self.plain, **keys}, {**self._lines, **lines}, self._at, self.rule)
        over.said_by = self.said_by | {(*self._at, key): by.path for key in keys}
        return over

    def wrong(self, text: str) -> BadInput:
        """Makes the error ``text`` about this position."""
        where = self.where
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self._at).lstrip(".")
        named = f" (rule {self.rule})" if self.rule else ""
        return BadInput(f"{where}: at {path}{named}: {text}" if path else f"{where}: {text}")

    def typed(self, kind: type[T]) -> T:
        """Converts the content to ``kind``.

        Raises:
            BadInput: The content does not fit; the message names file, line and key path.
        """
        try:
            return msgspec.convert(self.plain, kind, strict=True)
        except msgspec.ValidationError as wrong:
            text, found, path = str(wrong).rpartition(" - at ")
            keys = _keys(path) if found else ()
            unknown = re.search(r"unknown field `([^`]+)`", str(wrong))
            if unknown:
                keys = (*keys, unknown[1])
            place = self.part(*keys)
            raise place.wrong(_said(text if found else str(wrong), kind, place.plain, keys)) from None


def _keys(path: str) -> tuple[Any, ...]:
    found = _STEP.findall(path.strip("`").removeprefix("$"))
    return tuple(int(place) if place else key for key, place in found)


def _said(text: str, kind: type[Any], given: Any, keys: tuple[Any, ...]) -> str:
    if "unknown field" in text:
        known = getattr(_inside(kind, keys[:-1]), "__struct_encode_fields__", ())
        listed = f"; the keys are: {', '.join(known)}" if known else ""
        return f"this key is not known here{meant(str(keys[-1]), known)}{listed}."
    if "matching regex" in text:
        return f"a time such as 20s, 500ms or 2min was expected, or a number; this is {given!r}."
    if "invalid enum value" in text.lower():
        known = tuple(str(one) for one in get_args(_inside(kind, keys)))
        if known:
            return f"one of {', '.join(known)} was expected; this is {given!r}{meant(str(given), known)}."
    missing = re.search(r"missing required field `([^`]+)`", text)
    if missing:
        return f"the key {missing[1]} is missing."
    other = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", text)
    if other:
        wanted = " or ".join(
            dict.fromkeys(_KINDS.get(one, one) for one in other[1].split(" | ") if one != "null")
        )
        return f"{wanted} was expected; this is {_KINDS.get(other[2], other[2])}."
    return text[0].lower() + text[1:].replace("`", "") + "."


def meant(given: str, known: Iterable[str]) -> str:
    """`` (did you mean X?)`` if a known name is spelled like the given one, else an empty string."""
    near = process.extractOne(given, tuple(known), scorer=fuzz.ratio, score_cutoff=70.0)
    return f" (did you mean {near[0]}?)" if near else ""


def _inside(kind: Any, keys: Iterable[Any]) -> Any:
    """The type of the value at ``keys`` in a value of type ``kind``; null if it is unknown."""
    for key in keys:
        kind = _structs(kind)
        if isinstance(key, str) and hasattr(kind, "__struct_fields__"):
            kind = next((one.type for one in msgspec.structs.fields(kind) if one.encode_name == key), None)
        elif isinstance(key, int) and get_args(kind):
            kind = get_args(kind)[0]
        else:
            return None
    return _structs(kind)


def _structs(kind: Any) -> Any:
    """The type without its optional part."""
    if get_origin(kind) in (Union, UnionType):
        some = [one for one in get_args(kind) if one is not NoneType]
        return next((one for one in some if hasattr(one, "__struct_fields__")), some[0])
    return kind


def read(path: Path) -> YamlPosition:
    """Reads a YAML file, with the line of each of its parts.

    Raises:
        BadInput: The file cannot be read or is not valid YAML.
    """
    return YamlPosition(path, *parse_yaml_lines(read_text(path), str(path)))
