"""What of an answer is let in: the guards, with what this call knows of both sides. Pure."""

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import seconds
from monitor.events import Heard, Job, Word
from monitor.speech import guards
from monitor.speech.segmenter import frames_of
from monitor.speech.side import Side, Spoken

KEPT_FRAMES = 3000
"""Frames whose levels are remembered (a minute)."""

_QUIET = 1e-12
_TAIL_WORDS = 4


class Loudness:
    """The level of both sides in each of the last frames, dBFS."""

    def __init__(self) -> None:
        self._levels: NDArray[np.float32] = np.full((2, KEPT_FRAMES), -120.0, np.float32)

    def feed(self, first: int, pcm: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
        """Frames of ``frame`` samples from number ``first`` on; their levels [2, frames]."""
        frames = pcm.shape[1] // frame
        power = np.square(pcm.reshape(2, frames, frame)).mean(axis=2)
        levels: NDArray[np.float32] = (10.0 * np.log10(power + _QUIET)).astype(np.float32)
        where = np.arange(first, first + frames)[-KEPT_FRAMES:] % KEPT_FRAMES
        self._levels[:, where] = levels[:, -KEPT_FRAMES:]
        return levels

    def difference(self, louder: int, quieter: int, start: float, end: float) -> float:
        """By how many dB one row is louder than the other between two call times."""
        first = frames_of(start)
        frames = np.arange(first, max(frames_of(end), first + 1)) % KEPT_FRAMES
        return float(self._levels[louder, frames].mean() - self._levels[quieter, frames].mean())


class Screen:
    """Decides which words of an answer are believed."""

    def __init__(self, sides: list[Side], loudness: Loudness) -> None:
        self._sides = sides
        self._loudness = loudness

    def believed(self, side: Side, spoken: Spoken, job: Job, heard: Heard) -> tuple[Word, ...]:
        """The words of ``heard`` that may be shown, their times drawn in to where the side spoke."""
        segment = spoken.segment
        tail = job.prefix[-_TAIL_WORDS:]
        words = guards.without_loop([*tail, *heard.words])[len(tail) :]
        heard_to = min(frames_of(job.end), segment.end)
        words = guards.where_spoken(words, lambda start, end: segment.spoken(start, end, heard_to))
        if segment.closed:  # a long utterance that was cut meanwhile: the rest belongs to the next one
            cut = seconds(segment.end)
            words = tuple(word for word in words if word.start + word.end < 2 * cut)
        if not guards.believable(heard, words, segment.speech_seconds(heard_to), len(job.prefix)):
            side.distrust(spoken)
            return ()
        row, other = self._rows(side)
        return guards.without_echo(
            words, self._sides[other].words, lambda a, b: self._loudness.difference(other, row, a, b)
        )

    def settled(self, side: Side, words: tuple[Word, ...]) -> float:
        """Call time until which words may be committed.

        A word that is louder on the other side may be an echo; it waits until that side was heard so far.
        """
        row, other = self._rows(side)
        for unheard in self._sides[other].unfinished:
            for word in words:
                inside = unheard.segment.start <= word.end and unheard.heard_to < word.end
                if inside and self._loudness.difference(other, row, word.start, word.end) >= guards.ECHO_DB:
                    return word.start
        return float("inf")

    def _rows(self, side: Side) -> tuple[int, int]:
        row = self._sides.index(side)
        return row, 1 - row
