# ruff: noqa: S311 - chance for data, not for secrets
"""An endless stream of batches: clips drawn from the shards, treated and labelled afresh."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import augment, clips, shards
from .features import FRAMES_PER_SECOND, MELS, log_mel
from .labels import IGNORE, Labels, Tokens, build
from .utterance import SAMPLE_RATE, Utterance

#: Share of batches that imitate the full 30 s window.
FULL_WINDOW_SHARE = 0.2
#: Clips sorted by length together before they are cut into batches.
SORTED_TOGETHER = 384
MIN_FRAMES = 32
#: Seconds of padding after a clip, and how to draw them.
PADDING: tuple[Callable[[random.Random], float], ...] = (
    lambda rng: 0.0,
    lambda rng: rng.uniform(0.0, 0.3),
    lambda rng: rng.uniform(0.0, 0.3),
    lambda rng: 0.64,
    lambda rng: rng.choice([1.0, rng.uniform(0.0, 2.0)]),
)


@dataclass
class Example:
    """Features (frames, MELS) with an even number of frames, and the labels."""

    mel: np.ndarray
    labels: Labels


@dataclass
class Batch:
    """Padded arrays; `positions` is the number of real encoder positions of each clip."""

    mel: np.ndarray
    positions: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    spans: np.ndarray
    frame_tokens: np.ndarray
    frame_phones: np.ndarray
    full_window: bool

    def __len__(self) -> int:
        return len(self.positions)


def example(pool: list[Utterance], index: int, tokens: Tokens, rng: random.Random) -> Example:
    """One clip, treated, padded (with silence or with zero frames) and labelled."""
    clip = clips.draw(pool, rng, index)
    other = clips.samples(rng.choice(pool))
    audio = augment.augmented(clip.audio, rng.randrange(1 << 31), other)
    padding = rng.choice(PADDING)(rng)
    silent = rng.random() < 0.4
    if silent:
        audio = np.concatenate([audio, clips.silence(padding)])
    shortest = int(0.25 * SAMPLE_RATE)
    if len(audio) < shortest:
        audio = np.pad(audio, (0, shortest - len(audio)))
    mel = log_mel(audio, *augment.speaker(rng))
    if not silent:
        mel = np.pad(mel, ((0, int(padding * FRAMES_PER_SECOND)), (0, 0)))
    mel = mel[: len(mel) // 2 * 2]
    return Example(mel, build(clip, len(mel) // 2, tokens, rng))


def collate(examples: list[Example], full_window: bool, end: int) -> Batch:
    """Pad the examples of a batch to one size."""
    count, frames = len(examples), max(len(e.mel) for e in examples)
    length = max(len(e.labels.inputs) for e in examples)
    mel = np.zeros((count, MELS, frames), np.float32)
    inputs = np.full((count, length), end, np.int64)
    targets = np.full((count, length), IGNORE, np.int64)
    frame_tokens = np.full((count, frames // 2), IGNORE, np.int64)
    frame_phones = np.full((count, frames // 2), IGNORE, np.int64)
    spans = []
    for i, item in enumerate(examples):
        labels, filled = item.labels, len(item.mel) // 2
        mel[i, :, : len(item.mel)] = item.mel.T
        inputs[i, : len(labels.inputs)] = labels.inputs
        targets[i, : len(labels.targets)] = labels.targets
        frame_tokens[i, :filled] = labels.frame_tokens
        frame_phones[i, :filled] = labels.frame_phones
        spans += [(i, row, first, after) for row, first, after in labels.spans]
    positions = np.array([len(e.mel) // 2 for e in examples])
    return Batch(
        mel,
        positions,
        inputs,
        targets,
        np.array(spans, np.int64).reshape(-1, 4),
        frame_tokens,
        frame_phones,
        full_window,
    )


def grouped(examples: list[Example], max_frames: int) -> Iterator[list[Example]]:
    """Examples of similar length together, at most `max_frames` frames a batch."""
    group: list[Example] = []
    for item in sorted(examples, key=lambda e: len(e.mel)):
        if group and len(item.mel) * (len(group) + 1) > max_frames:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def stream(folder: Path, tokens: Tokens, seed: int, max_frames: int) -> Iterator[Batch]:
    """Batches for ever; the shards used least come first, new ones are noticed."""
    rng, uses = random.Random(seed), Counter[Path]()
    while True:
        found = shards.complete(folder)
        if not found:
            raise FileNotFoundError(f"no finished shard in {folder}")
        fewest = min(uses[path] for path in found)
        chosen = rng.choice([path for path in found if uses[path] == fewest])
        uses[chosen] += 1
        pool = shards.read(chosen)
        order = rng.sample(range(len(pool)), len(pool))
        for first in range(0, len(order), SORTED_TOGETHER):
            chunk = [example(pool, i, tokens, rng) for i in order[first : first + SORTED_TOGETHER]]
            groups = list(grouped([e for e in chunk if len(e.mel) >= MIN_FRAMES], max_frames))
            rng.shuffle(groups)
            for group in groups:
                yield collate(group, rng.random() < FULL_WINDOW_SHARE, tokens.end)
