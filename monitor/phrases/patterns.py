"""The pattern language of phrases: parsing, and enumeration of the word sequences that match.

sorry                 the word
apologi*              any word with this prefix
(I|we) do             alternatives
[really] sorry        optional
sorry ...2 delay      up to two words between
in <number> days      one word of a named set (configs/phrases/LANGUAGE/sets.yaml)
^ sorry               only at the beginning of a sentence
sorry $               only at the end of what is said
sorry ?               only as a question
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from monitor.errors import BadInput
from monitor.phrases.tokens import normalised

Gap = int
Element = str | Gap
"""A word, ``stem*`` or ``<set>``; or a number, the greatest number of words in a gap."""


class Alternatives(NamedTuple):
    """Alternative sequences; an empty one makes the group optional."""

    ways: tuple["Sequence", ...]


Sequence = tuple[Element | Alternatives, ...]


class PhrasePattern(NamedTuple):
    """One line of a lexicon: its pattern, and the positions in which it may match."""

    sequence: Sequence
    at_start: bool = False
    at_end: bool = False
    question: bool = False


_PIECE = re.compile(r"\s*(\.\.\.\d+|[()\[\]|]|<[a-z_]+>|\^|\$|\?|[^\s()\[\]|<>^$?]+)")
_CLOSING = {"(": ")", "[": "]"}


def parse(line: str, where: str) -> PhrasePattern:
    """Parses the pattern of one line; ``where`` names file and line in errors.

    Raises:
        BadInput: The pattern is invalid.
    """
    pieces = _pieces(line, where)
    at_start = pieces[:1] == ["^"]
    question = pieces[-1:] == ["?"]
    at_end = pieces[-1:] == ["$"]
    pieces = pieces[at_start : len(pieces) - (question or at_end)]
    for mark in ("^", "$", "?"):
        if mark in pieces:
            place = "beginning" if mark == "^" else "end"
            raise BadInput(f"{where}: '{mark}' may stand only at the {place} of a phrase.")
    ways, rest = _ways(pieces, "", where)
    if rest:
        raise BadInput(f"{where}: '{rest[0]}' closes something that was not opened.")
    sequence = ways[0]
    if any(isinstance(edge, int) for edge in (sequence[:1] + sequence[-1:])) or can_be_empty(sequence):
        raise BadInput(f"{where}: some word must always be there, and a gap stands between words.")
    return PhrasePattern(sequence, at_start, at_end, question)


def can_be_empty(sequence: Sequence) -> bool:
    """Whether all of ``sequence`` is optional."""
    return all(
        isinstance(element, Alternatives) and any(can_be_empty(way) for way in element.ways)
        for element in sequence
    )


def spoken(sequence: Sequence, most: int) -> list[tuple[Element, ...]]:
    """The element sequences that ``sequence`` matches, at most ``most`` of them."""
    return list(islice(_spoken(sequence), most))


def _spoken(sequence: Sequence) -> Iterator[tuple[Element, ...]]:
    if not sequence:
        yield ()
        return
    first, rest = sequence[0], sequence[1:]
    for way in first.ways if isinstance(first, Alternatives) else ():
        for tail in _spoken(way + rest):
            yield tail
    if not isinstance(first, Alternatives):
        for tail in _spoken(rest):
            yield (first, *tail)


def elements(sequence: Sequence) -> Iterator[Element]:
    """All elements in ``sequence``, including those in alternatives."""
    for element in sequence:
        if isinstance(element, Alternatives):
            for way in element.ways:
                yield from elements(way)
        else:
            yield element


def _pieces(line: str, where: str) -> list[str]:
    pieces: list[str] = []
    place = 0
    while place < len(line.rstrip()):
        found = _PIECE.match(line, place)
        if not found:
            raise BadInput(f"{where}: '{line[place:].strip()[:12]}' cannot be read as part of a phrase.")
        pieces.append(found[1])
        place = found.end()
    return pieces


def _ways(pieces: list[str], opened: str, where: str) -> tuple[list[Sequence], list[str]]:
    """The alternatives of ``a b|c d`` up to the bracket that closes ``opened``, and the remaining pieces."""
    ways: list[Sequence] = []
    current: Sequence = ()
    while pieces:
        piece, *pieces = pieces
        if piece in _CLOSING:
            inner, pieces = _ways(pieces, piece, where)
            current += (Alternatives((*inner, *([()] if piece == "[" else []))),)
        elif piece == "|":
            if not opened:
                raise BadInput(f"{where}: alternatives with '|' stand in brackets, as in (this|that).")
            ways, current = [*ways, current], ()
        elif piece in ")]":
            if piece != _CLOSING.get(opened):
                raise BadInput(f"{where}: '{piece}' closes something that was not opened.")
            return [*ways, current], pieces
        else:
            current += _elements(piece, where)
    if opened:
        raise BadInput(f"{where}: '{opened}' is never closed.")
    return [*ways, current], pieces


def _elements(piece: str, where: str) -> tuple[Element, ...]:
    if piece.startswith("..."):
        return (int(piece[3:]),)
    if piece.startswith("<"):
        return (piece,)
    if piece.endswith("*"):
        if len(piece) < 4:
            raise BadInput(f"{where}: '{piece}' is too short; give at least three letters before '*'.")
        return (normalised(piece[:-1])[0][-1] + "*",)
    words, mark = normalised(piece)
    if not words or mark:
        raise BadInput(f"{where}: '{piece}' is no word; phrases are written without punctuation.")
    return words
