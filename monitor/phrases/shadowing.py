"""Finds phrases that can never match, because of other phrases, exceptions or overrides."""

from collections.abc import Iterator

from monitor.events import Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.patterns import Element, spoken
from monitor.phrases.phrase_files import PhraseEntry

WAYS = 400
"""Greatest number of variants of a phrase that are checked, the last one first."""

FILLER = "thing"
"""A placeholder for any word."""


def shadowed(lexicon: Lexicon) -> list[str]:
    """One sentence for each phrase that never counts, in none of its variants."""
    return [
        f"{entry.id.replace(':', '.yaml, line ')}: this phrase never counts, however it is said; "
        "other phrases or exceptions always take its place."
        for entry in lexicon.source.entries
        if not (entry.exception or entry.faint) and not _counts(lexicon, entry)
    ]


def _counts(lexicon: Lexicon, entry: PhraseEntry) -> bool:
    return any(
        match.phrase == entry.id
        for words in _said(lexicon, entry)
        for match in lexicon.find(words)
    )  # fmt: skip


def _said(lexicon: Lexicon, entry: PhraseEntry) -> Iterator[tuple[Word, ...]]:
    """Variants of a phrase, as words."""
    for way in reversed(spoken(entry.phrase.sequence, WAYS)):
        texts = [text for element in way for text in _texts(element, lexicon)]
        if entry.phrase.question and texts:
            texts[-1] += "?"
        yield tuple(Word(text, place * 0.3, place * 0.3 + 0.3) for place, text in enumerate(texts))


def _texts(element: Element, lexicon: Lexicon) -> list[str]:
    if isinstance(element, int):
        return []
    if element == "<number>":
        return ["seven"]
    if element == "<word>":
        return [FILLER]
    if element.startswith("<"):
        return sorted(lexicon.source.sets[element[1:-1]])[:1]
    return [element.rstrip("*")]
