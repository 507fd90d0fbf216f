"""Finds the phrases of a live call, in which utterances grow, are revised, and continue in the next one.

    spotter = Spotter(Lexicon.load("en"))
    for one in spotter.hear(utterance):          # also the next utterance, where a phrase runs over
        matches[one.channel, one.utterance] = one.matches

Each revision is searched together with the last words of the same speaker's previous utterance, so that a
phrase that spans two utterances is found once. It belongs to the utterance in which it ends; a match of its
first half alone is withdrawn.
"""

from collections import deque
from typing import NamedTuple

from monitor.events import Channel, Utterance, Word
from monitor.phrases.lexicon import Lexicon, Match
from monitor.phrases.trie import Memo

TAIL_WORDS = 8
"""Words of the previous utterance that are searched again; hardly any phrase is longer."""

JOINED_WITHIN = 3.0
"""Longest pause in seconds between two utterances of a speaker within one phrase."""

REMEMBERED = 4
"""Utterances per side that are kept because the recogniser may still revise them."""


class SpottedPhrase(NamedTuple):
    """All current phrases of one utterance; they replace those reported before."""

    channel: Channel
    utterance: int
    matches: tuple[Match, ...]


class PhraseSpotter:
    """Keeps the last utterances of both sides and reports changes of their phrases. Memory is bounded."""

    def __init__(self, lexicon: Lexicon, perhaps: frozenset[str] = frozenset()) -> None:
        self._lexicon = lexicon
        self._perhaps = perhaps
        self._recent: dict[Channel, deque[Utterance]] = {
            "agent": deque(maxlen=REMEMBERED),
            "caller": deque(maxlen=REMEMBERED),
        }
        self._memos: dict[tuple[Channel, int], Memo] = {}
        self._told: dict[tuple[Channel, int], tuple[object, SpottedPhrase]] = {}

    def hear(self, utterance: Utterance) -> list[SpottedPhrase]:
        """The phrases of ``utterance``, and of its neighbours if they changed."""
        recent = self._recent[utterance.channel]
        place = _put(recent, utterance)
        changed = [found for at in (place - 1, place, place + 1) if (found := self._anew(recent, at))]
        kept = {(one.channel, one.utterance) for side in self._recent.values() for one in side}
        for key in self._told.keys() - kept:
            del self._told[key], self._memos[key]
        return changed

    def of(self, channel: Channel, utterance: int) -> tuple[Match, ...]:
        """The current phrases of an utterance; empty if it is no longer kept."""
        told = self._told.get((channel, utterance))
        return told[1].matches if told else ()

    def _anew(self, recent: deque[Utterance], place: int) -> SpottedPhrase | None:
        """The phrases of the utterance at ``place``, if they have changed."""
        if not 0 <= place < len(recent):
            return None
        one = recent[place]
        before: tuple[Word, ...] = ()
        if place and one.start - recent[place - 1].end <= JOINED_WITHIN:
            before = recent[place - 1].words[-TAIL_WORDS:]
        after: tuple[Word, ...] = ()
        if place + 1 < len(recent) and recent[place + 1].start - one.end <= JOINED_WITHIN:
            after = recent[place + 1].words[:TAIL_WORDS]
        known = self._told.get((one.channel, one.utterance))
        heard = (before, one.words, after)
        if known and known[0] == heard:
            return None
        memo = self._memos.setdefault((one.channel, one.utterance), Memo())
        matches = self._lexicon.find(one.words, before, after, memo)
        if self._perhaps and one.final:
            matches += self._lexicon.perhaps(self._perhaps, one.words, before, after)
        found = SpottedPhrase(one.channel, one.utterance, tuple(matches))
        self._told[one.channel, one.utterance] = heard, found
        return None if known and known[1] == found else found


def _put(recent: deque[Utterance], utterance: Utterance) -> int:
    """Stores ``utterance`` in place of its earlier revision; returns its position among the recent ones."""
    for place, known in enumerate(recent):
        if known.utterance == utterance.utterance:
            recent[place] = utterance
            return place
    recent.append(utterance)
    return len(recent) - 1
