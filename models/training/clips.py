"""Training clips: whole utterances, several in a row, windows cut from both, and no speech at all."""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass, field

import numpy as np
from scipy.signal import resample_poly

from .utterance import SAMPLE_RATE, Phone, Utterance, Word

NOTHING_SHARE = 0.04
#: Share of the clips that begin as several utterances in a row.
SEVERAL_SHARE = 0.3
#: How a clip is cut, and how often.
CUTS = {"whole": 0.5, "head": 0.22, "tail": 0.15, "middle": 0.13}
MAX_CLIP_SECONDS = 15.5
#: How much faster or slower a clip is played: pitch, formants and tempo move together.
PLAYED_SHARE, PLAYED = 0.5, (0.9, 1.12)
#: A word counts as inside a window when no more than this of it is missing.
TOLERANCE = 0.03
CONTEXT_SHARE, UNRELATED_SHARE, CONTEXT_WORDS = 0.45, 0.12, 8


@dataclass
class Clip:
    """Clean audio with its target words; `context` is the text that went before."""

    audio: np.ndarray
    words: list[Word] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    context: str = ""
    voice: str = "none"
    #: First word of each segment (for the timestamp mode).
    segments: list[int] = field(default_factory=lambda: [0])

    @property
    def text(self) -> str:
        """The target text."""
        return " ".join(word.text for word in self.words)


def samples(utterance: Utterance) -> np.ndarray:
    """Float audio of an utterance, whether it came from a shard (int16) or not."""
    audio = utterance.audio
    return audio.astype(np.float32) / 32767 if audio.dtype == np.int16 else audio


def silence(seconds: float) -> np.ndarray:
    """Digital silence."""
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def _quiet(rng: random.Random) -> float:
    """Seconds of silence before or after speech."""
    return rng.uniform(0.0, 0.2) if rng.random() < 0.65 else rng.uniform(0.1, 0.8)


def whole(utterance: Utterance, rng: random.Random) -> Clip:
    """The utterance with some silence around it."""
    lead, tail = _quiet(rng), _quiet(rng)
    audio = np.concatenate([silence(lead), samples(utterance), silence(tail)])
    return Clip(
        audio,
        [w.moved(lead) for w in utterance.words],
        [p.moved(lead) for p in utterance.phones],
        voice=utterance.voice,
    )


def window(clip: Clip, start: float, end: float) -> Clip:
    """The part of a clip between two times: only the words wholly inside are its target."""
    kept = [i for i, w in enumerate(clip.words) if w.start >= start - TOLERANCE and w.end <= end + TOLERANCE]
    words = [clip.words[i].moved(-start) for i in kept]
    parts = [bisect.bisect(clip.segments, i) for i in kept]
    segments = [i for i in range(len(kept)) if i == 0 or parts[i] != parts[i - 1]]
    before = [w.text for w in clip.words if w.start < start - TOLERANCE]
    phones = [
        Phone(p.index, max(0.0, p.start - start), min(end, p.end) - start)
        for p in clip.phones
        if p.end > start and p.start < end
    ]
    audio = clip.audio[max(0, int(start * SAMPLE_RATE)) : int(end * SAMPLE_RATE)]
    return Clip(audio, words, phones, " ".join(before), clip.voice, segments or [0])


def head(clip: Clip, rng: random.Random) -> Clip:
    """A window that ends anywhere, often in the middle of a word."""
    length = len(clip.audio) / SAMPLE_RATE
    return window(clip, 0.0, rng.uniform(min(0.4, length), length))


def _boundary(clip: Clip, rng: random.Random, last: int) -> float:
    """A time close to the end of one of the first `last` words."""
    word = clip.words[rng.randrange(max(1, last))]
    return max(0.0, word.end + rng.uniform(-0.12, 0.12))


def tail(clip: Clip, rng: random.Random) -> Clip:
    """A window that begins about where a word ended, as after scrolling."""
    return window(clip, _boundary(clip, rng, len(clip.words) - 1), len(clip.audio) / SAMPLE_RATE)


def middle(clip: Clip, rng: random.Random) -> Clip:
    """A window cut at both ends."""
    start, length = _boundary(clip, rng, len(clip.words) - 1), len(clip.audio) / SAMPLE_RATE
    return window(clip, start, rng.uniform(min(start + 0.5, length), length))


def joined(first: Clip, second: Clip, pause: float) -> Clip:
    """One clip after another."""
    gap = silence(pause)
    offset = (len(first.audio) + len(gap)) / SAMPLE_RATE
    return Clip(
        np.concatenate([first.audio, gap, second.audio]),
        first.words + [w.moved(offset) for w in second.words],
        first.phones + [p.moved(offset) for p in second.phones],
        voice=first.voice,
        segments=first.segments + [len(first.words) + i for i in second.segments],
    )


def several(utterance: Utterance, pool: list[Utterance], rng: random.Random) -> Clip:
    """Two to four utterances with pauses between them, as long as a clip may be."""
    clip = whole(utterance, rng)
    for _ in range(rng.choice([1, 1, 2, 3])):
        other = _partner(pool, rng, utterance)
        if len(clip.audio) / SAMPLE_RATE + other.seconds + 2.2 < MAX_CLIP_SECONDS:
            clip = joined(clip, whole(other, rng), rng.uniform(0.0, 0.6))
    return clip


def played(clip: Clip, speed: float) -> Clip:
    """The clip played `speed` times faster, its labels with it: another speaker, in a way."""
    up, down = round(100 / speed), 100
    factor = up / down
    return Clip(
        resample_poly(clip.audio, up, down).astype(np.float32),
        [Word(w.text, w.start * factor, w.end * factor) for w in clip.words],
        [Phone(p.index, p.start * factor, p.end * factor) for p in clip.phones],
        clip.context,
        clip.voice,
        clip.segments,
    )


def nothing(rng: random.Random) -> Clip:
    """No speech: silence, noise, breath, hum, tones or music on hold."""
    length = rng.choice([rng.uniform(0.3, 2.0), rng.uniform(1.0, 6.0)])
    times = np.arange(int(length * SAMPLE_RATE)) / SAMPLE_RATE
    kind = rng.choice(["silence", "hiss", "breath", "hum", "music", "tone", "click"])
    audio: np.ndarray = np.zeros(len(times), np.float32)
    generator = np.random.default_rng(rng.randrange(1 << 31))
    if kind in ("hiss", "breath"):
        audio = generator.standard_normal(len(times)).astype(np.float32)
        if kind == "breath":
            audio *= np.maximum(0, np.sin(2 * np.pi * times * rng.uniform(0.3, 0.9))) ** 2
    elif kind == "hum":
        waves = (np.sin(2 * np.pi * 50 * k * times) / k for k in range(1, 5))
        audio = sum(waves, np.zeros(len(times)))
    elif kind == "tone":
        pitch = rng.choice([350, 425, 440, 697, 941, 1209, 1336])
        audio = np.sin(2 * np.pi * pitch * times) * (times % 1.0 < rng.uniform(0.2, 1.0))
    elif kind == "click":
        audio[generator.integers(0, len(times), rng.randrange(1, 6))] = 1.0
    elif kind == "music":
        audio = _tune(times, rng)
    level = 10 ** (-rng.uniform(5, 60) / 20)
    return Clip((audio * level + 1e-5 * generator.standard_normal(len(times))).astype(np.float32))


def _tune(times: np.ndarray, rng: random.Random) -> np.ndarray:
    """Notes of a pentatonic scale with a few harmonics."""
    scale, beat = [262, 294, 330, 392, 440, 523, 587], rng.uniform(0.15, 0.6)
    steps = (times / beat).astype(int)
    pitches = np.array([rng.choice(scale) for _ in range(int(steps.max()) + 1)])[steps]
    envelope = np.exp(-3 * (times % beat))
    phase = 2 * np.pi * np.cumsum(pitches) / SAMPLE_RATE
    return sum(np.sin(k * phase) / k for k in range(1, 4)) * envelope


def draw(pool: list[Utterance], rng: random.Random, index: int) -> Clip:
    """One clip of a random kind around utterance `index` of the pool."""
    if rng.random() < NOTHING_SHARE:
        return nothing(rng)
    utterance = pool[index]
    clip = several(utterance, pool, rng) if rng.random() < SEVERAL_SHARE else whole(utterance, rng)
    cut = rng.choices(list(CUTS), list(CUTS.values()))[0]
    if len(clip.words) > 1 and cut != "whole":
        clip = {"head": head, "tail": tail, "middle": middle}[cut](clip, rng)
    if rng.random() < PLAYED_SHARE:
        clip = played(clip, rng.uniform(*PLAYED))
    return with_context(clip, pool, rng)


def _partner(pool: list[Utterance], rng: random.Random, utterance: Utterance) -> Utterance:
    """Another utterance, by the same voice when a few draws find one."""
    others = [rng.choice(pool) for _ in range(40)]
    same = [other for other in others if other.voice == utterance.voice]
    return (same or others)[0]


def with_context(clip: Clip, pool: list[Utterance], rng: random.Random) -> Clip:
    """Keep the text before the clip sometimes; put unrelated text there now and then."""
    if clip.context and rng.random() < CONTEXT_SHARE:
        clip.context = " ".join(clip.context.split()[-CONTEXT_WORDS:])
    elif rng.random() < UNRELATED_SHARE:
        clip.context = " ".join(rng.choice(pool).text.split()[-CONTEXT_WORDS:])
    else:
        clip.context = ""
    return clip
