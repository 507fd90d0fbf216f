"""Phrases that were perhaps said: one slip of the recogniser between what it wrote and the phrase.

A question such as "did the agent say by when?" needs more doubt than "how often did he say sorry?": with
one word in six misheard, four in ten phrases of three words do not stand there as they were said. So what
is counted must stand there word by word (``trie.py``), but before anybody is told that something was
*not* said, it is listened for once more: with one word written otherwise, swallowed or put in, as long as
enough of the phrase is left (``ENOUGH``; words that carry meaning weigh twice).

The same tree is walked. A substitute must look like the word it stands for, or be a word of which the
recogniser was not sure; only short words are swallowed.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from monitor.rules.tokens import FILLERS, Token
from monitor.rules.trie import Hit, Node, Trie

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


class _State(NamedTuple):
    node: Node
    first: int
    left: int
    weight: int
    slipped: bool


class Slips:
    """Walks the tree of some phrases with one slip."""

    def __init__(self, trie: Trie, small: frozenset[str]) -> None:
        self._trie = trie
        self._small = small
        self._begun = [child for child in self._swallowed(trie.root)]

    def scan(self, tokens: Sequence[Token], sure: Sequence[float], seams: frozenset[int]) -> list[Hit]:
        """Phrases in ``tokens`` with one slip; ``sure`` are their probabilities. Memoryless."""
        states: dict[_State, None] = {}
        hits: dict[Hit, None] = {}
        for place, token in enumerate(tokens):
            states[_State(self._trie.root, place, 0, 0, False)] = None
            states = self._step(states, token, sure[place], place, hits)
            if token.mark in (".", "?") and place + 1 not in seams:
                states = {}
        return list(hits)

    def _step(
        self, states: dict[_State, None], token: Token, sure: float, place: int, hits: dict[Hit, None]
    ) -> dict[_State, None]:
        edges = self._trie.edges(token.text)
        filler = token.text in FILLERS
        weight = self._weight(token.text)
        alike = ALIKE if sure < SURE else SURELY_ALIKE
        after: dict[_State, None] = {}

        def enter(node: Node, first: int, heavy: int, slipped: bool) -> None:
            heavy = min(heavy, ENOUGH)
            if slipped and heavy >= ENOUGH:
                for phrase in node.ends:
                    hits[Hit(phrase, first, place)] = None
            if node.next:
                after[_State(node, first, 0, heavy, slipped)] = None
            for gap, beyond in node.gaps.items():
                after[_State(beyond, first, gap, heavy, slipped)] = None
            for meeting in node.meets:
                enter(meeting, first, heavy, slipped)

        def follow(node: Node, first: int, heavy: int, slipped: bool) -> None:
            for edge in edges:
                child = node.next.get(edge)
                if child is not None:
                    enter(child, first, heavy + (0 if edge == ANY else weight), slipped)

        for state in states:
            node, first, left, heavy, slipped = state
            follow(node, first, heavy, slipped)
            if filler and first < place:
                after[state] = None
                continue
            if left:
                after[state._replace(left=left - 1)] = None
            if slipped:
                continue
            if node is self._trie.root:
                for child in self._begun:
                    follow(child, place, 0, True)
                continue
            for child in self._swallowed(node):
                follow(child, first, heavy, True)
            if heavy >= BEFORE:
                if len(token.text) <= SHORT or sure < UNSURE:
                    after[_State(node, first, left, heavy, True)] = None
                for edge, child in node.next.items():
                    if edge not in edges and (sure < UNSURE or likeness(token.text, edge) >= alike):
                        enter(child, first, heavy, True)
        return after

    def _weight(self, text: str) -> int:
        return 1 if text in self._small or len(text) <= SHORT else 2

    def _swallowed(self, node: Node) -> list[Node]:
        """Where the walk may go on if a short word was swallowed."""
        found: list[Node] = []
        for edge, child in node.next.items():
            if edge[0] != "<" and edge[-1] != "*" and len(edge) <= SHORT:
                found += _reached(child)
        return found


def _reached(node: Node) -> list[Node]:
    """The node and those that it meets without a word."""
    return [node, *(one for meeting in node.meets for one in _reached(meeting))]


@lru_cache(maxsize=200_000)
def likeness(heard: str, edge: str) -> float:
    """How alike ``heard`` and what the edge wants are spelled, 0 to 100; sets are wanted exactly."""
    if edge[0] == "<":
        return 0.0
    wanted = edge[:-1] if edge[-1] == "*" else edge
    return fuzz.ratio(heard[: len(wanted)] if edge[-1] == "*" else heard, wanted)
