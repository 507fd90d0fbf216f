"""Approximate matching of phrases, with one recognition error: a substituted, deleted or inserted word.

At a word error rate of one in six, four in ten phrases of three words are not recognised exactly. Phrases
that are counted must match exactly (``trie.py``). But an alert that something was *not* said must be
right, so for these rules a match with one error is enough, provided that enough of the phrase is left
(``ENOUGH``; content words weigh twice as much as function words).

Counting approximate matches like exact ones does not help: on the scripted calls with damaged words (three
seeds) recall stayed at 0.85 and precision fell from 0.90 to 0.88, even when errors were allowed only in
words with a low probability.

The matcher walks the same trie. A substitute must be spelled like the word that it replaces, or have a low
probability; only short words may be deleted or inserted.
"""

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from monitor.phrases.tokens import FILLERS, Token
from monitor.phrases.trie import MEMORY, Hit, Node, Trie

ENOUGH = 4
"""Least total weight of the words that match exactly: 2 for a content word, 1 for a function word."""

BEFORE = 2
"""Least weight that must have matched before a word may be substituted."""

UNSURE = 0.75
"""A word below this probability may replace any other: with the bundled model these are 6 % of the right
words and 53 % of the wrong ones."""

ALIKE, SURELY_ALIKE = 60.0, 75.0
"""Least similarity in spelling (rapidfuzz ratio, 0 to 100) of a substitute; the second value is for words
with a probability of at least ``SURE``."""

SURE = 0.93

ANY = "<word>"
"""The edge that any word matches; it adds no weight."""

SHORT = 3
"""Greatest length in letters of a word that may be deleted or inserted."""


_State = tuple[Node, int, int, int, bool]
"""Node, first token of the phrase, words still allowed before the next, weight, whether an error was used."""


class FuzzyMatcher:
    """Matches the phrases of a trie with one error allowed."""

    def __init__(self, trie: Trie, small: frozenset[str], kept: frozenset[str]) -> None:
        """``small`` are function words; ``kept`` words, such as "not", must always match exactly."""
        self.trie = trie
        self.small = small
        self.kept = kept
        self._stems = [edge for edge in trie.labels if edge[-1] == "*"]
        self._plain = [edge for edge in trie.labels - set(self._stems) - kept if edge[0] != "<"]
        self._alike: dict[str, dict[str, float]] = {}
        self._beyond: dict[Node, dict[str, list[Node]]] = {}

    def scan(self, tokens: Sequence[Token], sure: Sequence[float], seams: frozenset[int]) -> list[Hit]:
        """Finds phrases with one error in ``tokens``; ``sure`` are the probabilities of the tokens."""
        states: dict[_State, None] = {}
        hits: dict[Hit, None] = {}
        for place, token in enumerate(tokens):
            states[self.trie.root, place, 0, 0, False] = None
            states = _Step(self, token.text, sure[place], place, hits).from_all(states)
            if token.mark in (".", "?") and place + 1 not in seams:
                states = {}
        return list(hits)

    def alike(self, text: str) -> dict[str, float]:
        """The edges that are spelled like ``text``, with their similarity."""
        known = self._alike.get(text)
        if known is None:
            if len(self._alike) >= MEMORY:
                self._alike.clear()
            found = process.extract(text, self._plain, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
            known = {edge: how for edge, how, _ in found if edge != text}
            for stem in self._stems:
                how = fuzz.ratio(text[: len(stem) - 1], stem[:-1])
                if how >= ALIKE:
                    known[stem] = how
            self._alike[text] = known
        return known

    def swallowed(self, node: Node) -> dict[str, list[Node]]:
        """Where each edge leads if a short word before it was deleted."""
        known = self._beyond.get(node)
        if known is None:
            known = self._beyond[node] = {}
            for edge, child in node.next.items():
                if edge[0] != "<" and edge[-1] != "*" and len(edge) <= SHORT and edge not in self.kept:
                    for reached in _reached(child):
                        for following, grandchild in reached.next.items():
                            known.setdefault(following, []).append(grandchild)
        return known


class _Step:
    """The transitions of all states on one word."""

    __slots__ = ("_after", "_alike", "_edges", "_hits", "_place", "_slips", "_sure", "_text", "_weight")

    def __init__(
        self, slips: FuzzyMatcher, text: str, sure: float, place: int, hits: dict[Hit, None]
    ) -> None:
        self._slips = slips
        self._text = text
        self._sure = sure
        self._place = place
        self._hits = hits
        self._edges = slips.trie.edges(text)
        self._alike = slips.alike(text)
        self._weight = 1 if text in slips.small or len(text) <= SHORT else 2
        self._after: dict[_State, None] = {}

    def from_all(self, states: dict[_State, None]) -> dict[_State, None]:
        """The states after the word."""
        filler = self._text in FILLERS
        for state in states:
            node, first, left, weight, slipped = state
            self._follow(node.next, first, weight, slipped=slipped)
            if filler and first < self._place:
                self._after[state] = None
                continue
            if left:
                self._after[node, first, left - 1, weight, slipped] = None
            if not slipped:
                self._slip(node, first, left, weight)
        return self._after

    def _follow(self, following: dict[str, Node], first: int, weight: int, *, slipped: bool) -> None:
        """Follows an exact match of the word."""
        for edge in self._edges:
            child = following.get(edge)
            if child is not None:
                self._enter(child, first, weight + (0 if edge == ANY else self._weight), slipped=slipped)

    def _slip(self, node: Node, first: int, left: int, weight: int) -> None:
        """Follows an error: a word before this one was deleted, or this one was inserted or substituted."""
        beyond = self._slips.swallowed(node)
        for edge in self._edges:
            for child in beyond.get(edge, ()):
                self._enter(child, first, weight + (0 if edge == ANY else self._weight), slipped=True)
        if node is self._slips.trie.root:
            self._substitute(node.next, first, 0, SURELY_ALIKE)
        elif weight >= BEFORE and self._text not in self._slips.kept:
            unsure = self._sure < UNSURE
            if unsure or len(self._text) <= SHORT:
                self._after[node, first, left, weight, True] = None
            if unsure:
                self._stand_for_any(node.next, first, weight)
            else:
                self._substitute(node.next, first, weight, ALIKE if self._sure < SURE else SURELY_ALIKE)

    def _substitute(self, following: dict[str, Node], first: int, weight: int, least: float) -> None:
        for edge, how in self._alike.items():
            child = following.get(edge) if how >= least else None
            if child is not None and edge not in self._edges:
                self._enter(child, first, weight, slipped=True)

    def _stand_for_any(self, following: dict[str, Node], first: int, weight: int) -> None:
        for edge, child in following.items():
            if edge not in self._edges and edge not in self._slips.kept:
                self._enter(child, first, weight, slipped=True)

    def _enter(self, node: Node, first: int, weight: int, *, slipped: bool) -> None:
        """Records the phrases that end in ``node``, and the states that continue from it."""
        weight = min(weight, ENOUGH)
        if slipped and weight >= ENOUGH:
            for phrase in node.ends:
                self._hits[Hit(phrase, first, self._place)] = None
        if node.next:
            self._after[node, first, 0, weight, slipped] = None
        for gap, beyond in node.gaps.items():
            self._after[beyond, first, gap, weight, slipped] = None
        for meeting in node.meets:
            self._enter(meeting, first, weight, slipped=slipped)


def _reached(node: Node) -> list[Node]:
    """The node and those reachable from it without a word."""
    return [node, *(one for meeting in node.meets for one in _reached(meeting))]
