# ruff: noqa: S311 - chance for data, not for secrets
"""Made-up calls for measuring through the product's own streaming: sound, and what was said, beside it.

Unseen sentences; each side is one voice, of those trained on or of those kept from training. The files are
those of a bundled recording, so `benchmarks/streaming.py` takes them.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from . import grammar
from .evaluate import treated
from .utterance import SAMPLE_RATE, Utterance
from .voices import Speaker, cast

SEED = 950_000
SIDES = ("agent", "caller")
UTTERANCES = 10
#: Seconds between two utterances, and before the first.
PAUSE, LEAD = (0.3, 1.3), 0.8
TELEPHONE_RATE = 8_000


def spoken(
    number: int, held: bool, banned: frozenset[str]
) -> tuple[list[tuple[str, Utterance]], dict[str, str]]:
    """The utterances of a call in turn, and the voice of each side."""
    rng, speaker = random.Random(SEED + 2 * number + held), Speaker()
    voices = {side: cast(rng, held, speaker.engines) for side in SIDES}
    turns: list[tuple[str, Utterance]] = []
    for text in grammar.sentences(SEED + 2 * number + held, 3 * UTTERANCES, banned):
        side = SIDES[len(turns) % 2]
        utterance = speaker.say(text, voices[side])
        if utterance is not None:
            turns.append((side, utterance))
        if len(turns) == UTTERANCES:
            break
    return turns, {side: casting.label for side, casting in voices.items()}


def write(folder: Path, number: int, held: bool, phone: bool, banned: frozenset[str]) -> Path:
    """Write one call; returns the path of its sound."""
    turns, voices = spoken(number, held, banned)
    rng, at, starts = random.Random(number), LEAD, []
    for _, utterance in turns:
        starts.append(at)
        at += utterance.seconds + rng.uniform(*PAUSE)
    pcm = np.zeros((2, int((at + 1.0) * SAMPLE_RATE)), np.float32)
    lines, words = [], []
    for start, (side, utterance) in zip(starts, turns, strict=True):
        first = int(start * SAMPLE_RATE)
        pcm[SIDES.index(side), first : first + len(utterance.audio)] = utterance.audio
        end = start + utterance.seconds
        lines.append(
            {"channel": side, "start": start, "end": end, "text": utterance.text, "effort": "normal"}
        )
        moved = [word.moved(start) for word in utterance.words]
        words += [{"channel": side, "text": w.text, "start": w.start, "end": w.end} for w in moved]
    sound = np.stack([treated(row, 2 * number + i, phone) for i, row in enumerate(pcm)])
    rate = TELEPHONE_RATE if phone else SAMPLE_RATE
    name = f"{'unseen' if held else 'seen'}-{'telephone' if phone else 'clean'}-{number:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    narrow = resample_poly(sound, rate, SAMPLE_RATE, axis=1)
    soundfile.write(folder / f"{name}.wav", narrow.T, rate, subtype="PCM_16")
    about = {
        "call": name,
        "about": "Sentences of the training grammar that were not trained on.",
        "audio": [f"{name}.wav"],
        "agent_channel": 0,
        "rate": rate,
        "band": "narrow" if phone else "wide",
        "seconds": pcm.shape[1] / SAMPLE_RATE,
        "voices": {side: {"voice": voice} for side, voice in voices.items()},
        "utterances": lines,
        "words": words,
        "events": [],
        "expected_alerts": [],
        "allowed_alerts": [],
    }
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return folder / f"{name}.wav"
