"""Phrases that were perhaps said: one slip of the recogniser between what it wrote and the phrase.

A question such as "did the agent say by when?" needs more doubt than "how often did he say sorry?": with
one word in six misheard, four in ten phrases of three words do not stand there as they were said. So what
is counted must stand there word by word (``trie.py``), but before anybody is told that something was
*not* said, it is listened for once more: with one word written otherwise, swallowed or put in, as long as
enough of the phrase is left (``ENOUGH``; words that carry meaning weigh twice).

It does not help to count what was perhaps said like the rest: on the scripted calls with damaged words
(three seeds) recall stayed the same, 0.85, and precision fell from 0.90 to 0.88, even where only words of
which the recogniser was unsure were let slip.

The same tree is walked. A substitute must look like the word it stands for, or be a word of which the
recogniser was not sure; only short words are swallowed.
"""

from collections.abc import Sequence

from rapidfuzz import fuzz, process

from monitor.phrases.tokens import FILLERS, Token
from monitor.phrases.trie import MEMORY, Hit, Node, Trie

ENOUGH = 4
"""Weight of the words that must stand there as they should: 2 for a word with meaning, 1 for a small one."""

BEFORE = 2
"""Weight that must have been heard before a word may be another one than it should."""

UNSURE = 0.75
"""Below this probability a word may stand for any other: among the bundled model's words 6 % of the right
ones and 53 % of the wrong ones are."""

ALIKE, SURELY_ALIKE = 60.0, 75.0
"""From this likeness in spelling (rapidfuzz ratio, 0 to 100) a word may stand for another; the second is for
words of which the recogniser was as good as sure (``SURE``)."""

SURE = 0.93

ANY = "<word>"
"""An edge that any word may take; it is no evidence."""

SHORT = 3
"""Letters of a word that may be swallowed or put in."""


_State = tuple[Node, int, int, int, bool]
"""A node, the token where its phrase began, words that may still stand before the next, weight, slip."""


class FuzzyMatcher:
    """Walks the tree of some phrases with one slip."""

    def __init__(self, trie: Trie, small: frozenset[str], kept: frozenset[str]) -> None:
        """``small`` words weigh little; ``kept`` ones, such as "not", are never slipped over."""
        self.trie = trie
        self.small = small
        self.kept = kept
        self._stems = [edge for edge in trie.labels if edge[-1] == "*"]
        self._plain = [edge for edge in trie.labels - set(self._stems) - kept if edge[0] != "<"]
        self._alike: dict[str, dict[str, float]] = {}
        self._beyond: dict[Node, dict[str, list[Node]]] = {}

    def scan(self, tokens: Sequence[Token], sure: Sequence[float], seams: frozenset[int]) -> list[Hit]:
        """Phrases in ``tokens`` with one slip; ``sure`` are the probabilities of the tokens."""
        states: dict[_State, None] = {}
        hits: dict[Hit, None] = {}
        for place, token in enumerate(tokens):
            states[self.trie.root, place, 0, 0, False] = None
            states = _Step(self, token.text, sure[place], place, hits).from_all(states)
            if token.mark in (".", "?") and place + 1 not in seams:
                states = {}
        return list(hits)

    def alike(self, text: str) -> dict[str, float]:
        """The edges that are spelled much like ``text``, and how much."""
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
        """Where each edge leads if a short word before it was swallowed."""
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
    """One word: where it leads from every state."""

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
        """The word is what the phrase wants."""
        for edge in self._edges:
            child = following.get(edge)
            if child is not None:
                self._enter(child, first, weight + (0 if edge == ANY else self._weight), slipped=slipped)

    def _slip(self, node: Node, first: int, left: int, weight: int) -> None:
        """A word before this one was swallowed; or this one was put in, or stands for another."""
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
        """Notes what ends in ``node``, and where a phrase may go on from there."""
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
    """The node and those that it meets without a word."""
    return [node, *(one for meeting in node.meets for one in _reached(meeting))]
