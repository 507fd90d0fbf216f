"""The phrases of a call while it is spoken: utterances grow, are revised, and run on into the next one.

    spotter = Spotter(Lexicon.load("en"))
    for one in spotter.hear(utterance):          # also the next utterance, where a phrase runs over
        matches[one.channel, one.utterance] = one.matches

Only the words of the utterance at hand are looked at again, with the tail of what the same speaker
said just before, so that a phrase split over two utterances is found, and found once: it belongs to
the utterance in which it ends, and what the first half alone would have been is taken back.
"""

from collections import deque
from typing import NamedTuple

from monitor.events import Channel, Utterance, Word
from monitor.phrases.lexicon import Lexicon, Match
from monitor.phrases.trie import Memo

TAIL_WORDS = 8
"""So many words of the utterance before are looked at again; no phrase is longer for long."""

JOINED_WITHIN = 3.0
"""Seconds between two utterances of a speaker beyond which a phrase does not run on (a turn has ended)."""

REMEMBERED = 4
"""Utterances per side whose words are kept, because the recogniser may still revise them."""


class SpottedPhrase(NamedTuple):
    """All phrases of one utterance as they stand now; they replace those told before."""

    channel: Channel
    utterance: int
    matches: tuple[Match, ...]


class PhraseSpotter:
    """Keeps the last utterances of both sides and tells how their phrases change. Bounded."""

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
        """The phrases of ``utterance``, and of its neighbours where they changed with it."""
        recent = self._recent[utterance.channel]
        place = _put(recent, utterance)
        changed = [found for at in (place - 1, place, place + 1) if (found := self._anew(recent, at))]
        kept = {(one.channel, one.utterance) for side in self._recent.values() for one in side}
        for key in self._told.keys() - kept:
            del self._told[key], self._memos[key]
        return changed

    def of(self, channel: Channel, utterance: int) -> tuple[Match, ...]:
        """The phrases of an utterance as they stand now; none where it is no longer remembered."""
        told = self._told.get((channel, utterance))
        return told[1].matches if told else ()

    def _anew(self, recent: deque[Utterance], place: int) -> SpottedPhrase | None:
        """The phrases of the utterance at ``place``, if they are others than before."""
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
    """Where ``utterance`` stands among the recent ones after it took the place of its earlier revision."""
    for place, known in enumerate(recent):
        if known.utterance == utterance.utterance:
            recent[place] = utterance
            return place
    recent.append(utterance)
    return len(recent) - 1
