"""What is heard on a line without being speech: [n] float32 at 8 kHz, from a seed, nothing twice the same."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE = 8000
Sound = NDArray[np.float32]
Chance = np.random.Generator


def white(chance: Chance, seconds: float) -> Sound:
    """Hiss, at a level that changes every second."""
    levels = np.repeat(chance.uniform(0.001, 0.05, round(seconds) + 1), RATE)[: round(seconds * RATE)]
    return (levels * chance.standard_normal(len(levels))).astype(np.float32)


def dark(chance: Chance, seconds: float) -> Sound:
    """A fan or a car: noise that is strongest below 300 Hz and swells."""
    noise = lfilter([1.0], [1.0, -0.97], chance.standard_normal(round(seconds * RATE)))
    swell = 1.0 + 0.5 * np.sin(2 * np.pi * chance.uniform(0.1, 0.5) * _times(seconds))
    return (0.01 * noise * swell).astype(np.float32)


def hum(chance: Chance, seconds: float) -> Sound:
    """Mains hum and its harmonics, with a little hiss."""
    times = _times(seconds)
    tones = sum(np.sin(2 * np.pi * 50 * n * times) / n for n in range(1, 9))
    return (0.05 * tones + 0.001 * chance.standard_normal(len(times))).astype(np.float32)


def breathing(chance: Chance, seconds: float) -> Sound:
    """Breath into the microphone: shaped noise, in and out, about every four seconds."""
    return _bursts(
        chance, seconds, every=2.0, length=(0.6, 1.4), formants=((500, 0.9), (1600, 0.85)), level=0.06
    )


def coughs(chance: Chance, seconds: float) -> Sound:
    """Coughs: a sharp burst and its tail, one to three at a time."""
    return _bursts(
        chance, seconds, every=1.2, length=(0.12, 0.35), formants=((650, 0.95), (1500, 0.93)), level=0.3
    )


def clicks(chance: Chance, seconds: float) -> Sound:
    """Typing: short knocks, six a second."""
    return _bursts(chance, seconds, every=0.17, length=(0.01, 0.03), formants=((1900, 0.9),), level=0.2)


def dialling(chance: Chance, seconds: float) -> Sound:
    """Keys of a telephone (DTMF): two tones each, with pauses."""
    low, high = (697, 770, 852, 941), (1209, 1336, 1477)
    return _tones(chance, seconds, lambda: ((chance.choice(low), chance.choice(high)), 0.12, 0.08))


def ringing(chance: Chance, seconds: float) -> Sound:
    """Ringback: two tones, two seconds on and four off, or as European lines ring, one second on."""
    american = bool(chance.integers(2))
    return _tones(chance, seconds, lambda: ((440, 480), 2.0, 4.0) if american else ((425,), 1.0, 4.0))


def music(chance: Chance, seconds: float) -> Sound:
    """Hold music: chords with harmonics and vibrato, a melody above them, a beat below."""
    out = np.zeros(round(seconds * RATE), np.float32)
    beat = round(chance.uniform(0.3, 0.6) * RATE)
    for at in range(0, len(out) - beat, beat):
        times = np.arange(beat) / RATE
        root = 110 * 2 ** (chance.integers(0, 24) / 12)
        decay = np.exp(-times * chance.uniform(1, 5))
        note = sum(
            np.sin(2 * np.pi * root * ratio * n * times + np.sin(2 * np.pi * 5 * times)) / n
            for ratio in (1, 1.25, 1.5, 2)
            for n in range(1, 6)
        )
        drum = chance.standard_normal(beat) * np.exp(-times * 40)
        out[at : at + beat] += (decay * (0.03 * note + 0.05 * drum)).astype(np.float32)
    return out


KINDS: tuple[Callable[[Chance, float], Sound], ...] = (
    white, dark, hum, breathing, coughs, clicks, dialling, ringing, music,
)  # fmt: skip


def _times(seconds: float) -> NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def _bursts(
    chance: Chance,
    seconds: float,
    *,
    every: float,
    length: tuple[float, float],
    formants: tuple[tuple[float, float], ...],
    level: float,
) -> Sound:
    """Noise through resonances (Hz, radius of the pole), a burst ``every`` so many seconds or so."""
    out = np.zeros(round(seconds * RATE), np.float32)
    at = 0
    while at < len(out):
        times = np.arange(round(chance.uniform(*length) * RATE)) / RATE
        sound = (
            chance.standard_normal(len(times)) * np.minimum(1, times * 80) * np.exp(-3 * times / times[-1])
        )
        for hertz, radius in formants:
            angle = 2 * np.pi * hertz * chance.uniform(0.9, 1.1) / RATE
            sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], sound)
        sound = sound[: len(out) - at]
        out[at : at + len(sound)] += (level * chance.uniform(0.3, 1) * sound / np.abs(sound).max()).astype(
            np.float32
        )
        at += round(chance.uniform(0.5, 1.5) * every * RATE)
    return out


def _tones(
    chance: Chance, seconds: float, next_: Callable[[], tuple[tuple[float, ...], float, float]]
) -> Sound:
    """Sums of tones, each on for a while and off for a while."""
    out = 0.0005 * chance.standard_normal(round(seconds * RATE))
    at = 0
    while at < len(out):
        hertz, on, off = next_()
        times = np.arange(min(round(on * RATE), len(out) - at)) / RATE
        out[at : at + len(times)] += 0.1 * sum(np.sin(2 * np.pi * f * times) for f in hertz)
        at += round((on + off) * RATE)
    return out.astype(np.float32)
