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

from monitor.rules.tokens import FILLERS, Token
from monitor.rules.trie import MEMORY, Hit, Node, Trie

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


class Slips:
    """Walks the tree of some phrases with one slip."""

    def __init__(self, trie: Trie, small: frozenset[str], kept: frozenset[str]) -> None:
        """``small`` words weigh little; ``kept`` ones, such as "not", are never slipped over."""
        self._trie = trie
        self._small = small
        self._kept = kept
        self._plain = [edge for edge in trie.labels if edge[0] != "<" and edge[-1] != "*" and edge not in kept]
        self._stems = [edge for edge in trie.labels if edge[-1] == "*"]
        self._alike: dict[str, dict[str, float]] = {}
        self._beyond: dict[Node, dict[str, list[Node]]] = {}

    def scan(
        self, tokens: Sequence[Token], sure: Sequence[float], seams: frozenset[int]
    ) -> list[Hit]:
        """Phrases in ``tokens`` with one slip; ``sure`` are the probabilities of the tokens."""
        states: dict[_State, None] = {}
        hits: dict[Hit, None] = {}
        for place, token in enumerate(tokens):
            states[self._trie.root, place, 0, 0, False] = None
            states = self._step(states, token, sure[place], place, hits)
            if token.mark in (".", "?") and place + 1 not in seams:
                states = {}
        return list(hits)

    def _step(
        self, states: dict[_State, None], token: Token, sure: float, place: int, hits: dict[Hit, None]
    ) -> dict[_State, None]:
        text = token.text
        edges = self._trie.edges(text)
        filler = text in FILLERS
        weight = self._weight(text)
        wild = sure < UNSURE
        bar = ALIKE if sure < SURE else SURELY_ALIKE
        alike = self._similar(text)
        intrudes = wild or len(text) <= SHORT
        slips = text not in self._kept
        root = self._trie.root
        step = _Step(place, hits)
        for state in states:
            node, first, left, heavy, slipped = state
            following = node.next
            for edge in edges:
                child = following.get(edge)
                if child is not None:
                    step.enter(child, first, heavy + (0 if edge == ANY else weight), slipped)
            if filler and first < place:
                step.after[state] = None
                continue
            if left:
                step.after[node, first, left - 1, heavy, slipped] = None
            if slipped:
                continue
            if node is root:
                for edge in alike:
                    child = following.get(edge)
                    if child is not None and alike[edge] >= SURELY_ALIKE and edge not in edges:
                        step.enter(child, first, 0, slipped=True)
            beyond = self._swallowed(node)
            for edge in edges:
                for child in beyond.get(edge, ()):
                    step.enter(child, first, heavy + (0 if edge == ANY else weight), slipped=True)
            if heavy < BEFORE or not slips:
                continue
            if intrudes:
                step.after[node, first, left, heavy, True] = None
            if wild:
                for edge, child in following.items():
                    if edge not in edges and edge not in self._kept:
                        step.enter(child, first, heavy, slipped=True)
                continue
            for edge, how in alike.items():
                child = following.get(edge)
                if child is not None and how >= bar and edge not in edges:
                    step.enter(child, first, heavy, slipped=True)
        return step.after

    def _weight(self, text: str) -> int:
        return 1 if text in self._small or len(text) <= SHORT else 2

    def _similar(self, text: str) -> dict[str, float]:
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

    def _swallowed(self, node: Node) -> dict[str, list[Node]]:
        """Where each edge leads if a short word before it was swallowed."""
        known = self._beyond.get(node)
        if known is None:
            known = self._beyond[node] = {}
            for edge, child in node.next.items():
                if edge[0] != "<" and edge[-1] != "*" and len(edge) <= SHORT and edge not in self._kept:
                    for reached in _reached(child):
                        for following, grandchild in reached.next.items():
                            known.setdefault(following, []).append(grandchild)
        return known


class _Step:
    """Where one word leads."""

    __slots__ = ("after", "hits", "place")

    def __init__(self, place: int, hits: dict[Hit, None]) -> None:
        self.place = place
        self.hits = hits
        self.after: dict[_State, None] = {}

    def enter(self, node: Node, first: int, weight: int, slipped: bool) -> None:
        """Notes what ends in ``node``, and where a phrase may go on from there."""
        weight = min(weight, ENOUGH)
        if slipped and weight >= ENOUGH:
            for phrase in node.ends:
                self.hits[Hit(phrase, first, self.place)] = None
        if node.next:
            self.after[node, first, 0, weight, slipped] = None
        for gap, beyond in node.gaps.items():
            self.after[beyond, first, gap, weight, slipped] = None
        for meeting in node.meets:
            self.enter(meeting, first, weight, slipped)


def _reached(node: Node) -> list[Node]:
    """The node and those that it meets without a word."""
    return [node, *(one for meeting in node.meets for one in _reached(meeting))]
