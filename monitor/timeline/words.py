"""The recognised words of both sides, and up to which time recognition has come."""

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

from monitor.events import CHANNELS, Channel, Utterance, Word
from monitor.timeline.marks import HORIZON, Clock, Key, Mark
from monitor.timeline.milliseconds import ms
from monitor.timeline.talk import NOTICED, Talk

PATIENCE = 3_000
"""Longest wait for the recogniser, in ms, before words count as not said."""

REVISED = 4
"""Utterances per side that may still be revised."""

SENTENCE_GAP = 1_500
"""A pause of this length in ms ends a sentence without a full stop."""

SENTENCE_WORDS = 20

WORDS: dict[Channel, Key] = {channel: ("@words", channel) for channel in CHANNELS}
"""The keys of each side's words."""


class SpokenWord(NamedTuple):
    """A committed word; ``start`` and ``end`` are ms of the call."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one utterance in its latest revision; ``told`` are the words as received."""

    utterance: int
    start: int
    end: int
    words: tuple[SpokenWord, ...]
    told: tuple[Word, ...]


class Words:
    """Both sides' words of the last ``HORIZON`` ms."""

    def __init__(self, clock: Clock, talk: Talk, *, heard: bool) -> None:
        self._clock = clock
        self._talk = talk
        self._heard = heard
        self._said: dict[Channel, deque[Said]] = {channel: deque() for channel in CHANNELS}
        self._known_to: dict[Channel, int] = dict.fromkeys(CHANNELS, 0)

    def take(self, event: Utterance) -> tuple[Key, ...]:
        """Stores an utterance or a revision of one; returns the keys that changed."""
        channel = event.channel
        told = event.words if event.final else tuple(word for word in event.words if word.committed)
        said = self._said[channel]
        recent = range(len(said) - 1, max(-1, len(said) - 1 - REVISED), -1)
        place = next((place for place in recent if said[place].utterance == event.utterance), None)
        words = _converted(told, None if place is None else said[place])
        end = ms(event.end)
        one = Said(event.utterance, ms(event.start), end, words, told)
        if place is None:
            said.append(one)
        else:
            said[place] = one
        known = end if event.final else max((word.end for word in words), default=0)
        self._known_to[channel] = max(self._known_to[channel], known)
        while said[0].end < self._clock.now - HORIZON:
            said.popleft()
        return (WORDS[channel],)

    def of(self, channel: Channel, since: int) -> list[SpokenWord]:
        """This side's words that ended after ``since``, by time."""
        found: list[SpokenWord] = []
        for said in reversed(self._said[channel]):
            if said.end <= since:
                break
            found[:0] = [word for word in said.words if word.end > since]
        return found

    def last(self, channel: Channel) -> SpokenWord | None:
        """The last known word of this side."""
        return next((said.words[-1] for said in reversed(self._said[channel]) if said.words), None)

    def heard_until(self, channel: Channel) -> int:
        """Up to which time this side has been recognised; never more than ``PATIENCE`` ago."""
        now = self._clock.now
        if not self._heard:
            return now
        settled = now - NOTICED
        if self._talk.spoken_until(channel) > self._known_to[channel] + NOTICED:
            settled = min(settled, self._known_to[channel])
        return max(settled, now - PATIENCE)

    def sentence(self, mark: Mark) -> Mark:
        """The mark with the text of the sentence that it begins, as far as it is recognised."""
        if mark.channel is None:
            return mark
        words: list[SpokenWord] = []
        for word in self.of(mark.channel, mark.start):
            if word.start < mark.start or (words and word.start - words[-1].end > SENTENCE_GAP):
                continue
            words.append(word)
            if word.text.rstrip().endswith((".", "?", "!")):
                break
        if not words:
            return mark
        text = " ".join(word.text.strip() for word in words[:SENTENCE_WORDS])
        return replace(mark, end=words[-1].end, text=text)


def _converted(told: tuple[Word, ...], before: Said | None) -> tuple[SpokenWord, ...]:
    """The words with times in ms; unchanged leading words are reused from the earlier revision."""
    same = 0
    if before is not None:
        for one, other in zip(before.told, told, strict=False):
            if one != other:
                break
            same += 1
    new = [SpokenWord(word.text, ms(word.start), ms(word.end)) for word in told[same:]]
    return (*before.words[:same], *new) if before is not None else tuple(new)
