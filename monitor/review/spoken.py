"""What was said over a whole call: the final utterances, and the phrases that stand in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from monitor.events import Channel, Event, Utterance, Word
from monitor.phrases.lexicon import Lexicon, Match
from monitor.phrases.spotter import PhraseSpotter

SENTENCE_WORDS = 16
"""A quoted sentence is cut after so many words."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Words of one side with their place in the call, in seconds."""

    start: float
    end: float
    channel: Channel
    text: str


@dataclass(frozen=True)
class SpokenCall:
    """The transcript of one call with its phrases, by time."""

    utterances: tuple[Utterance, ...]
    phrases: tuple[tuple[Channel, Match], ...]

    def of(self, channel: Channel, *classes: str) -> list[Match]:
        """The phrases of these classes that one side said, in the order in which they ended.

        Words that count under two of the classes are one phrase.
        """
        found = [match for side, match in self.phrases if side == channel and match.cls in classes]
        found.sort(key=lambda match: (match.end, match.start))
        apart: list[Match] = []
        for match in found:
            if not apart or match.start >= apart[-1].end - 1e-9:
                apart.append(match)
        return apart

    def sentence(self, channel: Channel, match: Match) -> Moment:
        """The sentence that begins with the phrase, as a quotation."""
        said: list[str] = []
        end = match.end
        for word in self._words(channel, match.start):
            said.append(word.text.strip())
            end = max(end, word.end)
            if word.end >= match.end and (
                len(said) >= SENTENCE_WORDS or word.text.rstrip().endswith((".", "?", "!"))
            ):
                break
        text = " ".join(said) or match.text
        return Moment(start=match.start, end=end, channel=channel, text=text)

    def _words(self, channel: Channel, since: float) -> Iterable[Word]:
        for utterance in self.utterances:
            if utterance.channel == channel and utterance.end > since:
                yield from (word for word in utterance.words if word.start >= since - 1e-9)
                return


def spoken_in(events: Iterable[Event], lexicon: Lexicon) -> SpokenCall:
    """The final utterances among ``events``, and their phrases as the rules find them."""
    final: dict[tuple[Channel, int], Utterance] = {}
    phrases: dict[tuple[Channel, int], Sequence[Match]] = {}
    spotter = PhraseSpotter(lexicon)
    for event in events:
        if isinstance(event, Utterance) and event.final:
            final[event.channel, event.utterance] = event
            for found in spotter.hear(event):
                phrases[found.channel, found.utterance] = found.matches
    said = sorted(
        (one for one in final.values() if one.text.strip()), key=lambda one: (one.start, one.channel)
    )
    marks = [(channel, match) for (channel, _), matches in phrases.items() for match in matches]
    return SpokenCall(tuple(said), tuple(sorted(marks, key=lambda mark: (mark[1].start, mark[1].end))))
