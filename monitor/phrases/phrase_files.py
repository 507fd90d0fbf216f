"""Reads phrase classes from configs/phrases/LANGUAGE/*.yaml, one file per class.

class: apology
about: Words that say sorry.
negation: true              "not sorry" does not match
overrides: [complaint]      if both match the same words, only this class counts
counts_as: [courtesy]       matches count for these classes, too
position: start             start, end or question, for all phrases of the file
except: |                   if one of these matches, the class does not
  better safe than sorry
perhaps: |                  shorter patterns that still match after a recognition error; they only
  is that <word> for you    prevent alerts that the phrase was not said
phrases: |                  one pattern per line; see patterns.py
  [I am] [so] sorry
  (rma|r m a) = return number       optionally followed by its meaning in plain words
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from monitor.config import Settings, convert, read_yaml
from monitor.errors import BadInput
from monitor.phrases.patterns import PhrasePattern, elements, parse
from monitor.phrases.tokens import normalised
from monitor.resources import resource

SETS = "sets.yaml"


class ClassFile(Settings, frozen=True, rename={"cls": "class", "exceptions": "except"}):
    """The keys of a class's file."""

    cls: str
    about: str
    phrases: str
    negation: bool = False
    overrides: tuple[str, ...] = ()
    counts_as: tuple[str, ...] = ()
    position: Literal["anywhere", "start", "end", "question"] = "anywhere"
    exceptions: str = ""
    perhaps: str = ""


class SetsFile(Settings, frozen=True):
    """The keys of ``sets.yaml``: named sets of single words, each a text of words separated by spaces."""

    sets: dict[str, str]


class PhraseEntry(NamedTuple):
    """One phrase of one class: ``id`` is ``class:line``; an exception removes matches.

    ``faint`` marks entries of ``perhaps``, whose matches are never certain.
    """

    id: str
    cls: str
    phrase: PhrasePattern
    gloss: str = ""
    exception: bool = False
    faint: bool = False


class PhraseSource(NamedTuple):
    """The checked phrases of a folder, before compilation."""

    classes: dict[str, ClassFile]
    entries: tuple[PhraseEntry, ...]
    sets: dict[str, frozenset[str]]


def folder(language: str) -> Path:
    """The folder of the bundled phrases of ``language``.

    Raises:
        BadInput: There is no such language; the message lists the available ones.
    """
    root = resource("configs/phrases")
    if not (root / language).is_dir():
        there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir()))
        raise BadInput(f"There are no phrases for the language {language!r}; there are some for: {there}.")
    return root / language


YAML = (".yaml", ".yml")
"""The accepted suffixes of files of rules or phrases."""


def phrase_files(folder: Path) -> list[Path]:
    """The phrase files in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in YAML)


def read(folders: Iterable[Path]) -> PhraseSource:
    """Reads the phrases of ``folders``; a class in a later folder replaces the same class in an earlier one.

    Raises:
        BadInput: A file is invalid.
    """
    files: dict[str, tuple[Path, ClassFile]] = {}
    sets: dict[str, frozenset[str]] = {}
    for place in folders:
        for path in phrase_files(place):
            if path.name == SETS:
                sets |= _sets(path)
                continue
            one = convert(read_yaml(path), ClassFile, str(path))
            if one.cls in files and files[one.cls][0].parent == place:
                raise BadInput(f"{path}: the class {one.cls!r} already has a file, {files[one.cls][0].name}.")
            files[one.cls] = (path, one)
    classes = {cls: one for cls, (_, one) in files.items()}
    entries = _entries(files, sets)
    _check_names(files)
    return PhraseSource(classes, entries, sets)


def _sets(path: Path) -> dict[str, frozenset[str]]:
    sets = convert(read_yaml(path), SetsFile, str(path)).sets
    words = {name: {normalised(word)[0] for word in text.split()} for name, text in sets.items()}
    for name, found in words.items():
        for texts in found:
            if len(texts) != 1:
                raise BadInput(f"{path}: at sets.{name}: {' '.join(texts)!r} is not a single word.")
    return {name: frozenset(texts[0] for texts in found) for name, found in words.items()}


def _check_names(files: dict[str, tuple[Path, ClassFile]]) -> None:
    for path, one in files.values():
        for other in one.overrides:
            if other not in files:
                raise BadInput(f"{path}: at overrides: there is no class {other!r}.")


def _entries(
    files: dict[str, tuple[Path, ClassFile]], sets: dict[str, frozenset[str]]
) -> tuple[PhraseEntry, ...]:
    entries: list[PhraseEntry] = []
    for path, one in files.values():
        raw = path.read_text(encoding="utf-8").splitlines()
        for key, text in (("phrases", one.phrases), ("except", one.exceptions), ("perhaps", one.perhaps)):
            seen: dict[PhrasePattern, int] = {}
            first = _line_of(raw, f"{key}:")
            for number, line in enumerate(text.splitlines(), first):
                line = line.split("  #")[0].strip()
                if not line or line.startswith("#"):
                    continue
                where = f"{path}, line {number}"
                line, _, gloss = line.partition(" = ")
                phrase = _positioned(parse(line, where), one)
                _check_sets(phrase, sets, where)
                earlier = seen.setdefault(phrase, number)
                if earlier != number:
                    raise BadInput(f"{where}: says the same as line {earlier}.")
                entries.append(
                    PhraseEntry(
                        f"{one.cls}:{number}",
                        one.cls,
                        phrase,
                        gloss.strip(),
                        key == "except",
                        key == "perhaps",
                    )
                )
    return tuple(entries)


def _line_of(raw: list[str], key: str) -> int:
    """The number of the first line of the block under ``key``."""
    return next((number for number, line in enumerate(raw, 2) if line.startswith(key)), 1)


def _positioned(phrase: PhrasePattern, one: ClassFile) -> PhrasePattern:
    match one.position:
        case "start":
            return phrase._replace(at_start=True)
        case "end":
            return phrase._replace(at_end=True)
        case "question":
            return phrase._replace(question=True)
        case _:
            return phrase


def _check_sets(phrase: PhrasePattern, sets: dict[str, frozenset[str]], where: str) -> None:
    for element in elements(phrase.sequence):
        named = isinstance(element, str) and element[0] == "<" and element != "<word>"
        if named and str(element)[1:-1] not in sets:
            raise BadInput(f"{where}: there is no set {element}; the sets are in {SETS}.")
