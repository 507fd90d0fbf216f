"""The unit that every synthesiser returns: audio with the times of its words and phones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .phones import SILENCE

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Word:
    """A whitespace-separated word (with its punctuation) and when it is spoken, in seconds."""

    text: str
    start: float
    end: float

    def moved(self, offset: float) -> Word:
        """The same word `offset` seconds later."""
        return Word(self.text, self.start + offset, self.end + offset)


@dataclass(frozen=True)
class Phone:
    """A phone of the inventory and when it is spoken, in seconds."""

    index: int
    start: float
    end: float

    def moved(self, offset: float) -> Phone:
        """The same phone `offset` seconds later."""
        return Phone(self.index, self.start + offset, self.end + offset)


@dataclass
class Utterance:
    """Mono float32 audio at 16 kHz and its labels (none for noise)."""

    audio: np.ndarray
    words: list[Word] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    voice: str = "none"

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(word.text for word in self.words)

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.audio) / SAMPLE_RATE


def words_from_starts(texts: list[str], starts: list[float], phones: list[Phone]) -> list[Word]:
    """Words that end with their last sounding phone rather than at the next word's start."""
    words = []
    limits = [*starts[1:], float("inf")]
    for text, start, limit in zip(texts, starts, limits, strict=True):
        inside = [p for p in phones if p.index != SILENCE and start - 0.005 <= p.start < limit - 0.005]
        end = inside[-1].end if inside else min(limit, start + 0.2)
        words.append(Word(text, start, min(end, limit)))
    return words


def retimed(utterance: Utterance, factor: float, offset: float = 0.0) -> Utterance:
    """The labels with every time multiplied by `factor` and then moved by `offset`."""
    words = [Word(w.text, w.start * factor + offset, w.end * factor + offset) for w in utterance.words]
    phones = [Phone(p.index, p.start * factor + offset, p.end * factor + offset) for p in utterance.phones]
    return Utterance(utterance.audio, words, phones, utterance.voice)
