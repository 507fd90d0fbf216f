"""The lexicon finds the phrases of one language in recognised words.

    lexicon = Lexicon.load("en")
    lexicon.find(utterance.words)  ->  [Match(cls="apology", first=0, last=2, ...)]

Where phrases of one class overlap, the one that begins first counts, and of those the longest: "I am
so sorry" is one apology. A class may be cancelled by a negation before it ("not sorry"), by an
exception of its own ("better safe than sorry"), or overridden by another class on the same words
("sorry to hear that" is empathy).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from monitor.events import Word
from monitor.phrases import phrase_files as files
from monitor.phrases.fuzzy_matcher import FuzzyMatcher
from monitor.phrases.phrase_files import PhraseEntry, PhraseSource
from monitor.phrases.tokens import Token, tokens
from monitor.phrases.trie import Hit, Memo, Trie

REACH = 5
"""Greatest distance in words of a negation before the phrase."""

BELIEVED = {1: 0.69, 2: 0.45}
"""Least mean probability of the words of a phrase of one or two words. With the bundled model 5 % of the
right words and nearly half of the wrong ones are below 0.69. Longer phrases rarely match by chance, so the
probabilities of their words do not matter."""


class Match(NamedTuple):
    """A phrase of class ``cls`` from word ``first`` to ``last`` of the searched words (both included).

    ``start`` and ``end`` are call seconds. ``first`` is negative if the phrase began in the words
    ``before``. ``phrase`` is the class and the line in its file, such as ``apology:12``; ``gloss`` is its
    meaning in plain words, if the lexicon gives one. ``certain`` is false for an approximate match, which
    counts mainly against alerts that something was not said.
    """

    cls: str
    first: int
    last: int
    start: float
    end: float
    text: str
    phrase: str
    gloss: str = ""
    certain: bool = True


class _Span(NamedTuple):
    cls: str
    first: int
    last: int
    entry: PhraseEntry
    certain: bool = True


class Lexicon:
    """The phrases of one language, compiled. Immutable, and shared by all calls."""

    def __init__(self, source: PhraseSource, language: str = "en") -> None:
        self.language = language
        self.source = source
        self._entries = source.entries
        self._words = {
            name: source.sets.get(name, frozenset()) for name in ("negation", "transparent", "opener")
        }
        self._trie = Trie(source.sets)
        for number, entry in enumerate(source.entries):
            self._trie.add(number, entry.phrase.sequence)
        self._slipping: dict[frozenset[str], FuzzyMatcher] = {}

    @classmethod
    def load(cls, language: str = "en", extra: Sequence[Path] = ()) -> "Lexicon":
        """Loads the bundled phrases of ``language``; classes in folders of ``extra`` replace bundled ones.

        Raises:
            BadInput: There is no such language, or a file of phrases is invalid.
        """
        return _load(language, tuple(extra))

    @property
    def classes(self) -> frozenset[str]:
        """The names of all phrase classes, that is, the possible values of ``Match.cls``."""
        also = {name for one in self.source.classes.values() for name in one.counts_as}
        return frozenset(self.source.classes) | also

    @property
    def words(self) -> list[str]:
        """Every plain word in a phrase or a named set."""
        return sorted({*self._trie.words, *(word for words in self.source.sets.values() for word in words)})

    def find(
        self,
        words: Sequence[Word],
        before: Sequence[Word] = (),
        after: Sequence[Word] = (),
        memo: Memo | None = None,
    ) -> list[Match]:
        """Finds the phrases that end in ``words``, by position.

        ``before`` and ``after`` are the same speaker's words before and after a short pause. A phrase may
        begin in ``before``; a match that is the beginning of a longer phrase into ``after`` is left to the
        next utterance. ``memo`` caches work for repeated calls with the same words and more after them.
        """
        given, seams, joined = _joined(words, before, after)
        spans = self._chosen(self._true_hits(given, seams, self._trie.scan(given, seams, memo)))
        matches = [_match(span, given, joined, len(before)) for span in spans]
        inside = (match for match in matches if 0 <= match.last < len(words))
        return [match for match in inside if _believed(match, joined, len(before))]

    def perhaps(
        self,
        classes: frozenset[str],
        words: Sequence[Word],
        before: Sequence[Word] = (),
        after: Sequence[Word] = (),
    ) -> list[Match]:
        """Finds phrases of ``classes`` with one recognition error; none of these matches is ``certain``."""
        given, seams, joined = _joined(words, before, after)
        sure = [joined[token.word + len(before)].confidence for token in given]
        hits = self._slips(classes).scan(given, sure, seams)
        spans = self._chosen(self._true_hits(given, seams, hits))
        matches = [_match(span, given, joined, len(before)) for span in spans]
        matches = [match for match in matches if match.certain and match.cls in classes]
        return [match._replace(certain=False) for match in matches if 0 <= match.last < len(words)]

    def _slips(self, classes: frozenset[str]) -> FuzzyMatcher:
        known = self._slipping.get(classes)
        if known is None:
            trie = Trie(self.source.sets)
            for number, entry in enumerate(self._entries):
                one = {entry.cls, *self.source.classes[entry.cls].counts_as}
                if not (entry.exception or entry.faint) and classes & one:
                    trie.add(number, entry.phrase.sequence)
            small, kept = (self.source.sets.get(name, frozenset()) for name in ("stop", "never_slipped"))
            known = self._slipping[classes] = FuzzyMatcher(trie, small, kept)
        return known

    def _true_hits(self, given: list[Token], seams: frozenset[int], hits: Sequence[Hit]) -> list[_Span]:
        """The hits of the trie without those in a wrong position, negated ones and exceptions."""
        spans: list[_Span] = []
        exceptions: list[_Span] = []
        for hit in hits:
            entry = self._entries[hit.phrase]
            if not self._in_place(entry, hit, given, seams):
                continue
            if entry.exception:
                exceptions.append(_Span(entry.cls, hit.first, hit.last, entry))
                continue
            one = self.source.classes[entry.cls]
            if one.negation and self._negated(given, hit.first):
                continue
            spans += [
                _Span(cls, hit.first, hit.last, entry, not entry.faint) for cls in (entry.cls, *one.counts_as)
            ]
        return [span for span in spans if not any(_covers(out, span.entry.cls, span) for out in exceptions)]

    def _chosen(self, spans: list[_Span]) -> list[_Span]:
        """Keeps one of several overlapping spans of a class, and drops those that another class overrides."""
        last: dict[tuple[str, bool], int] = {}
        chosen: list[_Span] = []
        for span in sorted(spans, key=lambda span: (span.first, -span.last)):
            kind = span.cls, span.certain
            if span.first > last.get(kind, -1):
                last[kind] = span.last
                chosen.append(span)
        strong = [span for span in chosen if self._overrides(span)]
        return [
            span
            for span in chosen
            if not (
                span.certain
                and any(span.cls in self._overrides(over) and _overlap(over, span) for over in strong)
            )
        ]

    def _in_place(self, entry: PhraseEntry, hit: Hit, given: Sequence[Token], seams: frozenset[int]) -> bool:
        phrase = entry.phrase
        mark = given[hit.last].mark
        if phrase.question and mark != "?":
            return False
        ends = hit.last + 1 in seams or hit.last + 1 == len(given) or mark in (".", "?")
        return (ends or not phrase.at_end) and (not phrase.at_start or self._begins(given, hit.first, seams))

    def _begins(self, given: Sequence[Token], place: int, seams: frozenset[int]) -> bool:
        """Whether a sentence begins at ``place`` (openers such as "so" and "and" may precede it)."""
        openers = self._words["opener"]
        while place and place not in seams and given[place - 1].mark not in (".", "?"):
            if given[place - 1].text not in openers:
                return False
            place -= 1
        return True

    def _negated(self, given: Sequence[Token], first: int) -> bool:
        """Whether a negation before ``first`` applies to it, with nothing in between that ends its scope."""
        for token in reversed(given[max(0, first - REACH) : first]):
            if token.mark:
                return False
            if token.text in self._words["negation"]:
                return True
            if token.text not in self._words["transparent"]:
                return False
        return False

    def _overrides(self, span: _Span) -> tuple[str, ...]:
        one = self.source.classes.get(span.cls) if span.certain else None
        return one.overrides if one else ()


@lru_cache(maxsize=8)
def _load(language: str, extra: tuple[Path, ...]) -> Lexicon:
    return Lexicon(files.read([files.folder(language), *extra]), language)


def _joined(
    words: Sequence[Word], before: Sequence[Word], after: Sequence[Word]
) -> tuple[list[Token], frozenset[int], list[Word]]:
    """The tokens of all words, the token positions that follow a pause, and the words."""
    given = tokens([*before, *words, *after], -len(before))
    seams = frozenset(
        place
        for place, token in enumerate(given[1:], 1)
        if token.word in (0, len(words)) and given[place - 1].word < token.word
    )
    return given, seams, [*before, *words, *after]


def _match(span: _Span, given: list[Token], joined: Sequence[Word], shift: int) -> Match:
    first, last = given[span.first].word, given[span.last].word
    said = joined[first + shift : last + shift + 1]
    text = " ".join(word.text.strip() for word in said)
    return Match(
        span.cls,
        first,
        last,
        said[0].start,
        said[-1].end,
        text,
        span.entry.id,
        span.entry.gloss,
        span.certain,
    )


def _covers(out: _Span, cls: str, span: _Span) -> bool:
    return out.cls == cls and _overlap(out, span)


def _overlap(one: _Span, other: _Span) -> bool:
    return one.first <= other.last and other.first <= one.last


def _believed(match: Match, joined: Sequence[Word], shift: int) -> bool:
    """Whether the words of a short phrase have a sufficient mean probability."""
    said = joined[match.first + shift : match.last + shift + 1]
    return sum(word.confidence for word in said) >= BELIEVED.get(len(said), 0.0) * len(said)
