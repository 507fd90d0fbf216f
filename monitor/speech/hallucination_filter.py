"""What is not believed: filters for text that Whisper writes where nothing was said.

What is not believed. Whisper writes fluent text for anything it is given; these checks drop it.

The measures are Whisper's own (Radford et al. 2022, section 4.5: no-speech probability, mean
log-probability, compression ratio), and what users of streaming Whisper report: loops, known inventions,
more words than can be spoken, words where nobody speaks.

What of an answer is let in: the guards, with what this call knows of both sides. Pure.
"""

import zlib
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import frames_of, seconds
from monitor.events import RecognitionRequest, RecognitionResult, Word
from monitor.speech import hallucination_filter as guards
from monitor.speech.agreement import key
from monitor.speech.channel_transcriber import ChannelTranscriber, PendingUtterance

NO_SPEECH = 0.6
"""The decoder itself says that nobody speaks: its words are believed only where it is sure of them."""

LOGPROB_LEAST = -1.5
COMPRESSION_MOST = 2.4
COMPRESSION_FROM = 60
"""Letters from which the compression ratio means something."""

WORDS_PER_SECOND = 8.0
SQUEEZED = 4
"""So many words within 0.3 s were not spoken."""

SECONDS_PER_WORD = 2.0
"""Speech is never so slow: a long sound for which unsure words are found is music, or a machine."""

LOOPS = {1: 8, 2: 4, 3: 3, 4: 3}
"""Words in a phrase: repeats from which it is a loop. People do say "no no no no" and "sorry, sorry"."""

SURE = 0.8
INVENTIONS = tuple(
    phrase.split()
    for phrase in (
        "thanks for watching", "thank you for watching", "thank you so much for watching",
        "please subscribe", "subscribe to my channel", "like and subscribe", "see you in the next video",
        "i'll see you next time", "subtitles by the amara org community", "transcribed by", "you", "bye bye",
        "oh", "ah", "uh", "um", "er", "hm", "hmm",
    )
)  # fmt: skip
"""What Whisper is known to write for noise, breath and coughs, believed only when it is sure, also that
somebody speaks, and never of a burst shorter than ``COUGH``."""

COUGH = 0.2
"""Seconds of activity; nobody's "oh" is so short."""

ECHO_DB = 6.0
ECHO_LAG = 0.5
FAINT_DB = 12.0
"""The other side this much louder: an unsure word is a piece of its echo, whatever it seems to say."""


def believable(
    result: RecognitionResult, words: Sequence[Word], speech_seconds: float, before: int = 0
) -> bool:
    """Whether the decode as a whole may be speech.

    ``speech_seconds`` is how long somebody spoke, ``before`` how many words of that stand already.
    """
    text = " ".join(key(word.text) for word in words)
    if result.avg_logprob < LOGPROB_LEAST or _compression(text) > COMPRESSION_MOST:
        return False
    if len(words) > WORDS_PER_SECOND * max(speech_seconds, 0.25) + 1:
        return False
    if len(words) >= SQUEEZED and words[-1].end - words[0].start < 0.3:
        return False
    silence = result.no_speech > NO_SPEECH
    invented = text.split() in INVENTIONS
    if sum(word.confidence for word in words) >= SURE * len(words):
        return not (invented and (silence or speech_seconds < COUGH))
    sparse = speech_seconds > SECONDS_PER_WORD * (len(words) + before + 1)
    return not (silence or sparse or invented)


def without_loop(words: Sequence[Word]) -> tuple[Word, ...]:
    """``words`` up to where a phrase begins to loop (one round of it is kept)."""
    keys = [key(word.text) for word in words]
    for length, most in LOOPS.items():
        for start in range(len(keys) - length * most + 1):
            phrase = keys[start : start + length]
            if all(keys[start + n * length : start + (n + 1) * length] == phrase for n in range(most)):
                return tuple(words[: start + length])
    return tuple(words)


def where_spoken(
    words: Sequence[Word], spoken: Callable[[float, float], tuple[float, float] | None]
) -> tuple[Word, ...]:
    """``words`` with their times drawn in to where the side spoke; those where it did not are dropped.

    ``spoken`` gives the first and last second of speech inside a stretch, or nothing. Alignment gives
    each word the pause beside it, and puts invented words into silence.
    """
    kept = []
    for word in words:
        inside = spoken(word.start, word.end)
        if inside is not None:
            start, end = inside
            kept.append(msgspec.structs.replace(word, start=round(start, 3), end=round(max(start, end), 3)))
    return tuple(kept)


def without_echo(
    words: Sequence[Word], others: Sequence[Word], louder_by: Callable[[float, float], float]
) -> tuple[Word, ...]:
    """``words`` without those that leaked over: the other side was louder, and said them or hid them.

    ``others`` are the other side's words, ``louder_by`` tells by how many dB it was louder in a stretch.
    """
    matched = [any(_same_moment(word, other) for other in others) for word in words]
    kept = []
    for n, word in enumerate(words):
        phrase = matched[n] and (
            any(matched[max(0, n - 1) : n]) or any(matched[n + 1 : n + 2]) or len(word.text) > 5
        )
        louder = louder_by(word.start, word.end)
        if not (phrase and louder >= ECHO_DB) and not (word.confidence < SURE and louder >= FAINT_DB):
            kept.append(word)
    return tuple(kept)


def _same_moment(word: Word, other: Word) -> bool:
    return abs(word.start - other.start) <= ECHO_LAG and key(word.text) == key(other.text)


def _compression(text: str) -> float:
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if len(raw) >= COMPRESSION_FROM else 0.0


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


class HallucinationFilter:
    """Decides which words of an answer are believed."""

    def __init__(self, sides: list[ChannelTranscriber], loudness: Loudness) -> None:
        self._sides = sides
        self._loudness = loudness

    def believed(
        self,
        side: ChannelTranscriber,
        spoken: PendingUtterance,
        request: RecognitionRequest,
        result: RecognitionResult,
    ) -> tuple[Word, ...]:
        """The words of ``result`` that may be shown, their times drawn in to where the side spoke."""
        segment = spoken.segment
        tail = request.prefix[-_TAIL_WORDS:]
        words = guards.without_loop([*tail, *result.words])[len(tail) :]
        heard_to = min(frames_of(request.end), segment.end)
        words = guards.where_spoken(words, lambda start, end: segment.spoken(start, end, heard_to))
        if segment.closed:  # a long utterance that was cut meanwhile: the rest belongs to the next one
            cut = seconds(segment.end)
            words = tuple(word for word in words if word.start + word.end < 2 * cut)
        if not guards.believable(result, words, segment.speech_seconds(heard_to), len(request.prefix)):
            side.distrust(spoken)
            return ()
        row, other = self._rows(side)
        return guards.without_echo(
            words, self._sides[other].words, lambda a, b: self._loudness.difference(other, row, a, b)
        )

    def settled(self, side: ChannelTranscriber, words: tuple[Word, ...]) -> float:
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

    def _rows(self, side: ChannelTranscriber) -> tuple[int, int]:
        row = self._sides.index(side)
        return row, 1 - row
