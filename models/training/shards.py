# ruff: noqa: S311 - chance for data, not for secrets
"""Shards of clean synthetic speech on disk: audio as one int16 array, labels as JSON lines."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from .utterance import Phone, Utterance, Word
from .voices import Speaker, cast

MAX_SECONDS = 15.0


def synthesise(texts: Iterable[str], seed: int, held: bool = False) -> Iterator[Utterance]:
    """Speak every text in a voice of its own; those too long or unplaceable are left out."""
    rng, speaker = random.Random(seed), Speaker()
    for text in texts:
        utterance = speaker.say(text, casting := cast(rng, held, speaker.engines))
        if utterance is None or not 0.1 < utterance.seconds < MAX_SECONDS:
            continue
        utterance.voice = casting.label
        yield utterance


def write(utterances: Iterable[Utterance], target: Path) -> int:
    """Write `target`.npy and `target`.jsonl (the latter last, so that it marks completion)."""
    pieces, lines, position = [], [], 0
    for utterance in utterances:
        samples = (np.clip(utterance.audio, -1, 1) * 32767).astype(np.int16)
        pieces.append(samples)
        lines.append(
            json.dumps(
                {
                    "voice": utterance.voice,
                    "start": position,
                    "count": len(samples),
                    "words": [[w.text, round(w.start, 3), round(w.end, 3)] for w in utterance.words],
                    "phones": [[p.index, round(p.start, 3), round(p.end, 3)] for p in utterance.phones],
                }
            )
        )
        position += len(samples)
    target.parent.mkdir(parents=True, exist_ok=True)
    np.save(target.with_suffix(".npy"), np.concatenate(pieces))
    partial = target.with_suffix(".part")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    partial.rename(target.with_suffix(".jsonl"))
    return len(lines)


def read(target: Path) -> list[Utterance]:
    """All utterances of a shard; audio becomes float32 when it is used."""
    audio = np.load(target.with_suffix(".npy"), mmap_mode="r")
    result = []
    for line in target.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        samples = audio[row["start"] : row["start"] + row["count"]]
        result.append(
            Utterance(
                samples, [Word(*w) for w in row["words"]], [Phone(*p) for p in row["phones"]], row["voice"]
            )
        )
    return result


def complete(folder: Path) -> list[Path]:
    """Finished shards of a folder, in order."""
    return [path.with_suffix("") for path in sorted(folder.glob("*.jsonl"))]
