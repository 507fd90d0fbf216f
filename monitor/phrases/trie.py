"""A trie of the words of all phrases, which finds all of them in one pass over the tokens.

It follows the idea of A. Aho and M. Corasick, "Efficient string matching", Communications of the ACM 18
(1975), with words in place of letters: the cost per word does not depend on the number of phrases, only on
the number that can continue with this word. Gaps, named sets and prefixes are edges, too. Branches of
optional parts ("[I am] [so] sorry") join in one node, so the size grows with the text of the phrases and not
with the number of variants; phrases with a common beginning share it.

Words must match exactly. Tolerance of recognition errors was measured on the scripted calls with a word
error rate of 15 % (three seeds, all classes): exact matching finds phrases with F1 0.851 (precision 0.968);
reading unknown words as similar ones (rapidfuzz ratio from 75 to 90) gives 0.847 to 0.850, and one
substituted, deleted or inserted word per phrase 0.754 to 0.852 at three to four times the cost. Short core
phrases in the lexicon help more.
"""

from collections.abc import Sequence
from typing import NamedTuple

from monitor.phrases import patterns
from monitor.phrases.patterns import Alternatives, Element
from monitor.phrases.tokens import FILLERS, Token

MEMORY = 20_000
"""Number of different words whose edges are cached; a call has some hundreds."""


class Hit(NamedTuple):
    """A phrase found from token ``first`` to token ``last``, both included."""

    phrase: int
    first: int
    last: int


class Node:
    """A node of the trie. ``gaps`` leads to nodes after a gap, by its length in words; ``meets`` are nodes
    reached without a word."""

    __slots__ = ("ends", "gaps", "meets", "next")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.gaps: dict[int, Node] = {}
        self.meets: tuple[Node, ...] = ()
        self.ends: list[int] = []


_State = tuple[Node, int, int]
"""Node, first token of the phrase, and number of words still allowed before the next one."""


class _Step(NamedTuple):
    """The states after one token; ``closed``: no phrase continues beyond it."""

    text: str
    mark: str
    closed: bool
    states: dict[_State, None]
    hits: tuple[Hit, ...]


class Memo:
    """Caches the steps of a scan, so that a revision is scanned only from its first change on."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    def keep(self, tokens: Sequence[Token], seams: frozenset[int]) -> list[_Step]:
        """Drops the steps that are not valid for ``tokens`` and returns the others."""
        common = 0
        for place, (step, token) in enumerate(zip(self._steps, tokens, strict=False)):
            if step[:3] != (token.text, token.mark, _closed(tokens, place, seams)):
                break
            common = place + 1
        del self._steps[common:]
        return self._steps


def _closed(tokens: Sequence[Token], place: int, seams: frozenset[int]) -> bool:
    return tokens[place].mark in (".", "?") and place + 1 not in seams


class Trie:
    """The trie: ``add`` all phrases, then ``scan`` tokens."""

    def __init__(self, sets: dict[str, frozenset[str]]) -> None:
        self.root = Node()
        self._sets = sets
        self._edges: set[str] = set()
        self._memory: dict[str, tuple[str, ...]] = {}
        self._meeting: dict[tuple[int, ...], Node] = {}

    def add(self, phrase: int, sequence: patterns.Sequence) -> None:
        """Adds all variants of phrase number ``phrase``."""
        for node in self._grow([self.root], sequence):
            node.ends.append(phrase)

    def _grow(self, nodes: list[Node], sequence: patterns.Sequence) -> list[Node]:
        """The nodes after ``sequence`` from ``nodes``: one, and the root if all of it is optional."""
        for element in sequence:
            if isinstance(element, Alternatives):
                nodes = self._meet([end for way in element.ways for end in self._grow(nodes, way)])
            else:
                nodes = self._meet([self._edge(node, element) for node in nodes])
        return nodes

    def _edge(self, node: Node, element: Element) -> Node:
        if isinstance(element, int):
            return node.gaps.setdefault(element, Node())
        self._edges.add(element)
        return node.next.setdefault(element, Node())

    def _meet(self, nodes: list[Node]) -> list[Node]:
        """Joins several nodes in one. The root is not joined, since nodes reachable from it without a word
        would be tried at every word of a call."""
        different = list(dict.fromkeys(node for node in nodes if node is not self.root))
        if len(different) > 1:
            key = tuple(id(node) for node in different)
            meeting = self._meeting.get(key)
            if meeting is None:
                meeting = self._meeting[key] = Node()
                for node in different:
                    node.meets += (meeting,)
            different = [meeting]
        return [self.root, *different] if self.root in nodes else different

    @property
    def labels(self) -> frozenset[str]:
        """Every word, stem and set in a phrase."""
        return frozenset(self._edges)

    @property
    def words(self) -> list[str]:
        """Every plain word in a phrase."""
        return [edge for edge in self._edges if edge[0] != "<" and edge[-1] != "*"]

    def scan(
        self, tokens: Sequence[Token], seams: frozenset[int] = frozenset(), memo: "Memo | None" = None
    ) -> list[Hit]:
        """Finds every phrase in ``tokens``, including overlapping ones, in the order in which they end.

        No phrase continues into the next sentence, except at ``seams``: there the recogniser's punctuation
        is ignored, since only a pause precedes those tokens. With the ``memo`` of an earlier scan only the
        tokens from the first change on are processed.
        """
        steps = (memo or Memo()).keep(tokens, seams)
        for place in range(len(steps), len(tokens)):
            token, closed = tokens[place], _closed(tokens, place, seams)
            states = {**steps[-1].states} if steps else {}
            states[self.root, place, 0] = None
            hits: dict[Hit, None] = {}
            after = self._step(states, token, place, hits)
            steps.append(_Step(token.text, token.mark, closed, {} if closed else after, tuple(hits)))
        return [hit for step in steps for hit in step.hits]

    def _step(
        self, states: dict[_State, None], token: Token, place: int, hits: dict[Hit, None]
    ) -> dict[_State, None]:
        edges = self.edges(token.text)
        filler = token.text in FILLERS
        after: dict[_State, None] = {}
        for state in states:
            node, first, left = state
            following = node.next
            for edge in edges:
                child = following.get(edge)
                if child is not None:
                    _enter(child, first, place, after, hits)
            if filler and first < place:
                after[state] = None
            elif left:
                after[node, first, left - 1] = None
        return after

    def edges(self, text: str) -> tuple[str, ...]:
        """The edge labels of the trie that the word ``text`` matches."""
        known = self._memory.get(text)
        if known is not None:
            return known
        if len(self._memory) >= MEMORY:
            self._memory.clear()
        found = self._exact(text)
        if "<word>" in self._edges:
            found.append("<word>")
        edges = self._memory[text] = tuple(found)
        return edges

    def _exact(self, text: str) -> list[str]:
        edges = [text] if text in self._edges else []
        edges += [stem for end in range(3, len(text) + 1) if (stem := text[:end] + "*") in self._edges]
        edges += [f"<{name}>" for name, words in self._sets.items() if text in words]
        if text[0].isdigit() and "<number>" not in edges:
            edges.append("<number>")
        return edges


def _enter(node: Node, first: int, place: int, after: dict[_State, None], hits: dict[Hit, None]) -> None:
    """Records the phrases that end in ``node``, and the states that continue from it."""
    for phrase in node.ends:
        hits[Hit(phrase, first, place)] = None
    if node.next:
        after[node, first, 0] = None
    for gap, beyond in node.gaps.items():
        after[beyond, first, gap] = None
    for meeting in node.meets:
        _enter(meeting, first, place, after, hits)
