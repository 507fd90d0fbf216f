"""From a clip to what the network is taught: the decoder's sequence and labels per frame."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .clips import Clip
from .phones import SILENCE
from .utterance import Word

#: Encoder positions per second.
POSITIONS = 50
IGNORE = -100
TIMESTAMP_SHARE = 0.27
CONTEXT_TOKENS = 16


class Tokens(Protocol):
    """What labels need of a vocabulary."""

    end: int
    start: int
    previous: int
    no_speech: int
    no_timestamps: int

    def word(self, text: str) -> list[tuple[int, int]]:
        """(id, characters) of each token of a word."""

    def text(self, sentence: str) -> list[int]:
        """Ids of a sentence."""

    def timestamp(self, seconds: float) -> int:
        """Id of the timestamp nearest to a time."""


@dataclass
class Labels:
    """Input tokens, the targets one step ahead, and time spans of the text tokens."""

    inputs: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    #: (row that predicts the token, first position, position after the last).
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    #: One token and one phone per encoder position.
    frame_tokens: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    frame_phones: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def timed_tokens(words: list[Word], tokens: Tokens) -> list[tuple[int, float, float]]:
    """Every token with its share, by characters, of its word's time."""
    result = []
    for word in words:
        pieces = tokens.word(word.text)
        total, done = sum(count for _, count in pieces), 0
        duration = word.end - word.start
        for token, count in pieces:
            begin = word.start + duration * done / total
            done += count
            result.append((token, begin, word.start + duration * done / total))
    return result


def build(clip: Clip, positions: int, tokens: Tokens, rng: random.Random) -> Labels:
    """Labels of a clip that fills `positions` encoder positions (padding included)."""
    labels = Labels()
    prefix = tokens.text(clip.context)[-CONTEXT_TOKENS:]
    if prefix:
        labels.inputs = [tokens.previous, *prefix]
        labels.targets = [IGNORE] * len(labels.inputs)
    timed = rng.random() < TIMESTAMP_SHARE
    spoken = timed_tokens(clip.words, tokens)
    if timed:
        _timestamped(labels, clip, tokens)
    else:
        _sequence(labels, [tokens.start, tokens.no_timestamps], spoken, tokens)
    _first_target(labels, clip, tokens, len(prefix) + 1 if prefix else 0)
    labels.frame_tokens = np.full(positions, tokens.end, np.int64)
    for token, begin, end in spoken:
        first = round(begin * POSITIONS)
        labels.frame_tokens[first : max(first + 1, round(end * POSITIONS))] = token
    labels.frame_phones = np.full(positions, SILENCE, np.int64)
    for phone in clip.phones:
        first, last = round(phone.start * POSITIONS), round(phone.end * POSITIONS)
        labels.frame_phones[max(0, first) : max(0, last)] = phone.index
    labels.spans = [(row, a, min(b, positions)) for row, a, b in labels.spans if a < min(b, positions)]
    return labels


def _sequence(
    labels: Labels, opening: list[int], spoken: list[tuple[int, float, float]], tokens: Tokens
) -> None:
    """`<|startoftranscript|><|notimestamps|>` text `<|endoftext|>`."""
    labels.inputs += opening
    labels.targets += opening[1:]
    _append_text(labels, spoken)
    labels.targets.append(tokens.end)


def _timestamped(labels: Labels, clip: Clip, tokens: Tokens) -> None:
    """`<|startoftranscript|>`, then each segment between its two timestamps."""
    labels.inputs.append(tokens.start)
    starts = [i for i in clip.segments if i < len(clip.words)]
    for first, after in itertools.pairwise([*starts, len(clip.words)]):
        words = clip.words[first:after]
        opening = tokens.timestamp(words[0].start)
        labels.targets.append(opening)
        labels.inputs.append(opening)
        _append_text(labels, timed_tokens(words, tokens))
        closing = tokens.timestamp(words[-1].end)
        labels.targets.append(closing)
        labels.inputs.append(closing)
    if not starts:
        labels.targets.append(tokens.timestamp(0.0))
        labels.inputs.append(tokens.timestamp(0.0))
    labels.targets.append(tokens.end)


def _append_text(labels: Labels, spoken: list[tuple[int, float, float]]) -> None:
    """Text tokens, each predicted by the row before it, with the frames it is heard in."""
    for token, begin, end in spoken:
        first = max(0, int(begin * POSITIONS) - 1)
        labels.spans.append((len(labels.inputs) - 1, first, int(end * POSITIONS) + 3))
        labels.targets.append(token)
        labels.inputs.append(token)


def _first_target(labels: Labels, clip: Clip, tokens: Tokens, row: int) -> None:
    """After `<|startoftranscript|>`: no-speech for noise, nothing for a broken-off word."""
    if clip.words:
        return
    speech = any(phone.index != SILENCE for phone in clip.phones)
    labels.targets[row] = IGNORE if speech else tokens.no_speech
