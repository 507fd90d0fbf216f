"""Where in a YAML file something stands, so that an error can name the line."""

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from monitor.config import Lines, parse_yaml_lines, read_text
from monitor.errors import BadInput

T = TypeVar("T")

_STEP = re.compile(r"\.?([^.\[\]`]+)|\[(\d+)\]")


class Place:
    """A value in a file: its plain content, and how to name it and its parts in an error."""

    def __init__(self, path: Path, plain: Any, lines: Lines, at: tuple[Any, ...] = ()) -> None:
        self.path = path
        self.plain = plain
        self._lines = lines
        self._at = at

    def part(self, *keys: Any) -> "Place":
        """The place of a part (which may be absent)."""
        plain = self.plain
        for key in keys:
            try:
                plain = plain[key]
            except (KeyError, IndexError, TypeError):
                plain = None
        return Place(self.path, plain, self._lines, (*self._at, *keys))

    @property
    def where(self) -> str:
        """The file, and the line where it is known."""
        at = self._at
        while at and at not in self._lines:
            at = at[:-1]
        line = self._lines.get(at)
        return f"{self.path}, line {line}" if line else str(self.path)

    def replaced(self, plain: Any) -> "Place":
        """The same place with other content."""
        return Place(self.path, plain, self._lines, self._at)

    def overlaid(self, keys: dict[str, Any], by: "Place") -> "Place":
        """This mapping with some keys said anew by another place."""
        lines: Lines = {
            self._at + at[len(by._at) :]: line
            for at, line in by._lines.items()
            if at[: len(by._at)] == by._at
        }
        lines = {
            at: line for at, line in lines.items() if len(at) > len(self._at) and at[len(self._at)] in keys
        }
        path = by.path if keys else self.path
        return Place(path, {**self.plain, **keys}, {**self._lines, **lines}, self._at)

    def wrong(self, text: str) -> BadInput:
        """The error ``text`` about this place."""
        where = self.where
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self._at).lstrip(".")
        return BadInput(f"{where}: at {path}: {text}" if path else f"{where}: {text}")

    def typed(self, kind: type[T]) -> T:
        """The content as ``kind``. Raises ``BadInput`` with file, line and key path."""
        try:
            return msgspec.convert(self.plain, kind, strict=True)
        except msgspec.ValidationError as wrong:
            text, found, path = str(wrong).rpartition(" - at ")
            keys = _keys(path) if found else ()
            unknown = re.search(r"unknown field `([^`]+)`", str(wrong))
            if unknown:
                keys = (*keys, unknown[1])
            raise self.part(*keys).wrong(_said(text if found else str(wrong), kind)) from None


def _keys(path: str) -> tuple[Any, ...]:
    found = _STEP.findall(path.strip("`").removeprefix("$"))
    return tuple(int(place) if place else key for key, place in found)


def _said(text: str, kind: type[Any]) -> str:
    if "unknown field" in text:
        return f"this key is not known here{_known(kind)}."
    if "matching regex" in text:
        return "a time such as 20s or 2min was expected, or a number."
    return text[0].lower() + text[1:].replace("`", "") + "."


def _known(kind: type[Any]) -> str:
    fields = getattr(kind, "__struct_fields__", ())
    return f"; the keys are: {', '.join(fields)}" if fields else ""


def read(path: Path) -> Place:
    """The content of a YAML file, with the line of each of its parts."""
    return Place(path, *parse_yaml_lines(read_text(path), str(path)))
