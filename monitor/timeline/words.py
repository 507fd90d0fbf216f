"""What was said, as far as it is known, and up to when it is known."""

from collections import deque
from dataclasses import dataclass, replace

from monitor.events import CHANNELS, Channel, Utterance, Word
from monitor.timeline.marks import HORIZON, Clock, Mark
from monitor.timeline.talk import NOTICED, Talk

PATIENCE = 3.0
"""Longest wait for the recogniser, in seconds, before "not said" is believed."""

REVISED = 4
"""Only the last utterances of a side are still revised."""

SENTENCE_GAP = 1.5
"""A pause of so many seconds ends a sentence that has no full stop."""

SENTENCE_WORDS = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said in one utterance, as it is known now: words that will not change any more."""

    utterance: int
    start: float
    end: float
    words: tuple[Word, ...]


class Words:
    """Both sides' words of the last ``HORIZON`` seconds."""

    def __init__(self, clock: Clock, talk: Talk, *, heard: bool) -> None:
        self._clock = clock
        self._talk = talk
        self._heard = heard
        self._said: dict[Channel, deque[Said]] = {channel: deque() for channel in CHANNELS}
        self._known_to: dict[Channel, float] = dict.fromkeys(CHANNELS, 0.0)

    def take(self, event: Utterance) -> tuple[str, ...]:
        """What a side said, or what it turned out to have said; the topics touched."""
        channel = event.channel
        words = event.words if event.final else tuple(word for word in event.words if word.committed)
        known = event.end if event.final else max((word.end for word in words), default=0.0)
        self._known_to[channel] = max(self._known_to[channel], known)
        said = self._said[channel]
        one = Said(event.utterance, event.start, event.end, words)
        for place in range(len(said) - 1, max(-1, len(said) - 1 - REVISED), -1):
            if said[place].utterance == event.utterance:
                said[place] = one
                break
        else:
            said.append(one)
        while said[0].end < self._clock.now - HORIZON:
            said.popleft()
        return ("utterance", f"utterance:{channel}")

    def of(self, channel: Channel, since: float) -> list[Word]:
        """This side's words that ended after ``since``, by time."""
        found: list[Word] = []
        for said in reversed(self._said[channel]):
            if said.end <= since:
                break
            found[:0] = [word for word in said.words if word.end > since]
        return found

    def heard_until(self, channel: Channel) -> float:
        """Up to when it is known what this side said; never more than ``PATIENCE`` ago."""
        now = self._clock.now
        if not self._heard:
            return now
        settled = now - NOTICED
        if self._talk.spoken_until(channel) > self._known_to[channel] + NOTICED:
            settled = min(settled, self._known_to[channel])
        return max(settled, now - PATIENCE)

    def sentence(self, mark: Mark) -> Mark:
        """The mark with the whole sentence that it begins, as far as it is known."""
        if mark.channel is None:
            return mark
        words: list[Word] = []
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
