"""Sound for tests, made from numbers: voices without words, echoes, runs."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import FrameBlock

Sound = NDArray[np.float32]


def voice(seconds: float, rate: int, seed: int) -> Sound:
    """Something like a voice: a pitch that wanders, formants that change every fifth of a second."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    pitch = np.repeat(rng.uniform(90, 220, n // (rate // 8) + 2), rate // 8)[:n]
    phase = np.cumsum(pitch) / rate
    pulses = 2 * (phase % 1) - 1 + 0.3 * rng.standard_normal(n)
    spoken = np.zeros(n)
    for at in range(0, n, rate // 5):
        piece = pulses[at : at + rate // 5]
        spectrum = np.fft.rfft(piece)
        at_hz = np.fft.rfftfreq(piece.size, 1 / rate)
        shape = sum(
            1 / (1 + ((at_hz - f) / 120) ** 2) for f in rng.uniform((300, 900, 2000), (800, 1900, 3000))
        )
        spoken[at : at + rate // 5] = np.fft.irfft(spectrum * shape, piece.size) * rng.uniform(0.4, 1)
    return (0.25 * spoken / np.abs(spoken).max()).astype(np.float32)


def echo(sound: Sound, rate: int, db: float, delay: float = 0.12, ring: float = 0.06) -> Sound:
    """``sound`` as a room gives it back: later, weaker, reverberant (``ring`` seconds to fall by 8.7 dB)."""
    rng = np.random.default_rng(5)
    late = np.arange(round(0.3 * rate))
    room = rng.standard_normal(late.size) * np.exp(-late / (ring * rate))
    room[0] = 3.0
    room *= 10 ** (db / 20) / np.sqrt(np.sum(room**2))
    size = sound.size + room.size
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[: sound.size]
    skip = round(delay * rate)
    return np.concatenate([np.zeros(skip), heard[: sound.size - skip]]).astype(np.float32)


def hum(seconds: float, rate: int, seed: int, level: float = 1e-3) -> Sound:
    """The noise of a quiet line."""
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * rate))).astype(np.float32)


def runs(pcm: Sound, rate: int, cuts: list[int]) -> list[FrameBlock]:
    """The whole frames of both sides' sound, cut at the given frame numbers."""
    frame = rate // 50
    frames = pcm.shape[1] // frame
    edges = sorted({0, frames, *(cut for cut in cuts if 0 < cut < frames)})
    return [
        FrameBlock(a, np.ascontiguousarray(pcm[:, a * frame : b * frame]), rate) for a, b in pairwise(edges)
    ]
