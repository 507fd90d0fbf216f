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
from monitor.rules.phrases import Lexicon, Match

TAIL_WORDS = 8
"""So many words of the utterance before are looked at again; no phrase is longer for long."""

JOINED_WITHIN = 3.0
"""Seconds between two utterances of a speaker beyond which a phrase does not run on (a turn has ended)."""

REMEMBERED = 4
"""Utterances per side whose words are kept, because the recogniser may still revise them."""


class Found(NamedTuple):
    """All phrases of one utterance as they stand now; they replace those told before."""

    channel: Channel
    utterance: int
    matches: tuple[Match, ...]


class Spotter:
    """Keeps the last utterances of both sides and tells how their phrases change. Bounded."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._recent: dict[Channel, deque[Utterance]] = {
            "agent": deque(maxlen=REMEMBERED),
            "caller": deque(maxlen=REMEMBERED),
        }
        self._told: dict[tuple[Channel, int], tuple[Match, ...]] = {}

    def hear(self, utterance: Utterance) -> list[Found]:
        """The phrases of ``utterance``, and of its neighbours where they changed with it."""
        recent = self._recent[utterance.channel]
        place = _put(recent, utterance)
        found = [self._find(recent, place)]
        for neighbour in (place - 1, place + 1):
            if 0 <= neighbour < len(recent):
                changed = self._find(recent, neighbour)
                if changed.matches != self._told.get((changed.channel, changed.utterance)):
                    found.append(changed)
        self._remember(found)
        return found

    def _find(self, recent: deque[Utterance], place: int) -> Found:
        """The phrases that end in the utterance at ``place`` and are not the beginning of a longer one."""
        one = recent[place]
        before: tuple[Word, ...] = ()
        if place and one.start - recent[place - 1].end <= JOINED_WITHIN:
            before = recent[place - 1].words[-TAIL_WORDS:]
        matches = self._lexicon.find(one.words, before)
        if place + 1 < len(recent) and recent[place + 1].start - one.end <= JOINED_WITHIN:
            matches = self._less_what_goes_on(matches, one, recent[place + 1])
        return Found(one.channel, one.utterance, tuple(matches))

    def _less_what_goes_on(self, matches: list[Match], one: Utterance, following: Utterance) -> list[Match]:
        """``matches`` without those at the end of ``one`` that turned out otherwise with the words after it.

        The tail is read once more together with the beginning of ``following``: what does not stand
        there any more is part of a longer phrase, or was the half of another one.
        """
        shift = max(0, len(one.words) - TAIL_WORDS)
        tail = one.words[shift:]
        joined = self._lexicon.find([*tail, *following.words[:TAIL_WORDS]], one.words[:shift][-TAIL_WORDS:])
        standing = {(match.cls, match.first + shift, match.last + shift) for match in joined}
        return [
            match
            for match in matches
            if match.last < shift or (match.cls, match.first, match.last) in standing
        ]

    def _remember(self, found: list[Found]) -> None:
        for one in found:
            self._told[one.channel, one.utterance] = one.matches
        kept = {(one.channel, one.utterance) for recent in self._recent.values() for one in recent}
        for key in self._told.keys() - kept:
            del self._told[key]


def _put(recent: deque[Utterance], utterance: Utterance) -> int:
    """Where ``utterance`` stands among the recent ones after it took the place of its earlier revision."""
    for place, known in enumerate(recent):
        if known.utterance == utterance.utterance:
            recent[place] = utterance
            return place
    recent.append(utterance)
    return len(recent) - 1
