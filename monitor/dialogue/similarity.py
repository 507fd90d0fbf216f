"""Similarity of sentences and overlap of their content words, without a model or stemming.

Two sentences are near-repeats if their letters agree (``alike`` >= 0.8, the normalised indel similarity of
rapidfuzz) or the longer one contains most word pairs of the shorter one (overlap coefficient of the word
bigrams >= 0.6). The second finds a sentence within a longer one, as written by a recogniser without
punctuation.
"""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz import fuzz

from monitor.events import Word
from monitor.phrases.tokens import FILLERS, Token
from monitor.timeline import ms

REPEAT_WORDS = 8
"""Least number of tokens; shorter sentences recur by chance."""

REPEAT_AFTER = 20_000
"""Least time in ms between a sentence and its repeat; sooner it is stuttering or self-correction."""

ALIKE, PAIRS = 0.8, 0.6
AKIN, AKIN_LETTERS = 80.0, 4
SAME = 0.9
REMEMBERED = 60


class Sentence(NamedTuple):
    """A sentence: its tokens without fillers, its text, and its times in ms of the call."""

    tokens: tuple[str, ...]
    text: str
    start: int
    end: int


class SentenceSimilarity(NamedTuple):
    """An earlier sentence that a new one repeats, and their similarity (0 to 1)."""

    earlier: Sentence
    score: float


def alike(one: Sequence[str], other: Sequence[str]) -> float:
    """The normalised indel similarity of the letters of two token sequences, 0 to 1."""
    return fuzz.ratio(" ".join(one), " ".join(other)) / 100.0


def shared_pairs(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of the word bigrams of the shorter sequence that are also in the longer one, 0 to 1."""
    first, second = set(pairwise(one)), set(pairwise(other))
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The overlap coefficient of two sets of content words, 0 to 1 (0 if one is empty)."""
    smaller = min(len(one), len(other))
    return shared(one, other) / smaller if smaller else 0.0


def shared(one: frozenset[str], other: frozenset[str]) -> int:
    """The number of content words of the smaller set that have a match in the other (see ``akin``)."""
    few, many = sorted((one, other), key=len)
    rest: dict[str, list[str]] = {}
    for word in many - few:
        rest.setdefault(word[0], []).append(word)
    return sum(word in many or any(akin(word, each) for each in rest.get(word[0], ())) for word in few)


def akin(one: str, other: str) -> bool:
    """Whether two words may be forms of the same word or one misrecognised: "lock" and "locksmith"."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < AKIN_LETTERS:
        return False
    return longer.startswith(shorter) or fuzz.ratio(one, other) >= AKIN


def content(tokens: Sequence[str], stop: frozenset[str]) -> frozenset[str]:
    """The content words among the tokens, that is, those not in ``stop``."""
    return frozenset(
        token for token in tokens if token not in stop and token not in FILLERS and len(token) > 1
    )


def sentences(tokens: Sequence[Token], words: Sequence[Word]) -> list[Sentence]:
    """Splits an utterance into sentences at full stops and question marks."""
    found: list[Sentence] = []
    begin = 0
    for place, token in enumerate(tokens, 1):
        if token.mark in (".", "?") or place == len(tokens):
            found.append(_sentence(tokens[begin:place], words))
            begin = place
    return found


def _sentence(tokens: Sequence[Token], words: Sequence[Word]) -> Sentence:
    said = words[tokens[0].word : tokens[-1].word + 1]
    return Sentence(
        tuple(token.text for token in tokens if token.text not in FILLERS),
        " ".join(word.text.strip() for word in said),
        ms(said[0].start),
        ms(said[-1].end),
    )


class Repeats:
    """Keeps one side's recent sentences and finds near-repeats among new ones. Memory is bounded."""

    def __init__(self, *, least_words: int = REPEAT_WORDS, after: int = REPEAT_AFTER) -> None:
        self._least = least_words
        self._after = after
        self._said: deque[Sentence] = deque(maxlen=REMEMBERED)

    def hear(
        self, sentence: Sentence, alike_from: float = ALIKE, pairs_from: float = PAIRS
    ) -> SentenceSimilarity | None:
        """Stores the sentence and returns the earlier one that it repeats, if any."""
        if len(sentence.tokens) < self._least:
            return None
        best: SentenceSimilarity | None = None
        for earlier in self._said:
            if sentence.start - earlier.end < self._after:
                continue
            score = _score(sentence.tokens, earlier.tokens, alike_from, pairs_from)
            if score and (best is None or score > best.score):
                best = SentenceSimilarity(earlier, round(score, 2))
        self._said.append(sentence)
        return best


def _score(one: Sequence[str], other: Sequence[str], alike_from: float, pairs_from: float) -> float:
    """The similarity of the letters if one of the two thresholds is reached, else 0."""
    if shared_pairs(one, other) >= pairs_from:
        return max(alike(one, other), alike_from)
    score = alike(one, other)
    return score if score >= alike_from else 0.0
