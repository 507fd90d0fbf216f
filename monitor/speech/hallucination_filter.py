"""Filters for hallucinations: text that Whisper writes where nothing was said.

Whisper writes fluent text for any input. The criteria are Whisper's own (Radford et al. 2022, section 4.5:
no-speech probability, mean log-probability, compression ratio), and those that users of streaming Whisper
report: loops, known hallucinations, more words than can be spoken, words where nobody speaks.
``HallucinationFilter`` applies them with what is known of both sides of the call, and removes words that are
an echo of the other side.
"""

import zlib
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import frames_of, seconds
from monitor.events import RecognitionRequest, RecognitionResult, Word
from monitor.speech.agreement import key
from monitor.speech.channel_transcriber import ChannelTranscriber, PendingUtterance

NO_SPEECH = 0.6
"""No-speech probability above which words are accepted only with high confidence."""

MIN_LOGPROB = -1.5
"""Least mean log-probability of the tokens."""
MAX_COMPRESSION = 2.4
"""Greatest ratio of the text's length to its length after compression."""
MIN_COMPRESSION_LETTERS = 60
"""Letters from which the compression ratio is meaningful."""

WORDS_PER_SECOND = 8.0
"""Most words in a second of speech."""
MIN_SQUEEZED_WORDS = 4
"""This many words within 0.3 s were not spoken."""

SECONDS_PER_WORD = 2.0
"""Speech is never slower: long audio with a few uncertain words is music, or a machine."""

LOOPS = {1: 8, 2: 4, 3: 3, 4: 3}
"""Repetitions of a phrase from which it is a loop, by its number of words. People do say "no no no no"."""

HIGH_CONFIDENCE = 0.8
"""Mean word confidence from which a result is accepted although it is suspicious."""
KNOWN_HALLUCINATIONS = tuple(
    phrase.split()
    for phrase in (
        "thanks for watching", "thank you for watching", "thank you so much for watching",
        "please subscribe", "subscribe to my channel", "like and subscribe", "see you in the next video",
        "i'll see you next time", "subtitles by the amara org community", "transcribed by", "you", "bye bye",
        "oh", "ah", "uh", "um", "er", "hm", "hmm",
    )
)  # fmt: skip
"""What Whisper is known to write for noise, breath and coughs.

Accepted only with high confidence in the words and in that somebody speaks, and never for a burst shorter
than ``MIN_INTERJECTION``.
"""

MIN_INTERJECTION = 0.2
"""Seconds of voice activity; no "oh" is shorter."""

ECHO_DB = 6.0
"""Level by which the other side is louder where a matching word is its echo."""
ECHO_LAG = 0.5
"""Most seconds between a word and its echo."""
FAINT_DB = 12.0
"""Level by which the other side is louder where any uncertain word is a piece of its echo."""


def is_plausible(
    result: RecognitionResult, words: Sequence[Word], speech_seconds: float, before: int = 0
) -> bool:
    """Whether the decode as a whole may be speech.

    ``speech_seconds`` is how long somebody spoke, ``before`` the number of words that are committed already.
    """
    text = " ".join(key(word.text) for word in words)
    if result.avg_logprob < MIN_LOGPROB or _compression(text) > MAX_COMPRESSION:
        return False
    if len(words) > WORDS_PER_SECOND * max(speech_seconds, 0.25) + 1:
        return False
    if len(words) >= MIN_SQUEEZED_WORDS and words[-1].end - words[0].start < 0.3:
        return False
    silence = result.no_speech > NO_SPEECH
    invented = text.split() in KNOWN_HALLUCINATIONS
    if sum(word.confidence for word in words) >= HIGH_CONFIDENCE * len(words):
        return not (invented and (silence or speech_seconds < MIN_INTERJECTION))
    sparse = speech_seconds > SECONDS_PER_WORD * (len(words) + before + 1)
    return not (silence or sparse or invented)


def remove_loop(words: Sequence[Word]) -> tuple[Word, ...]:
    """Returns ``words`` up to the point where a phrase starts to loop (one repetition is kept)."""
    keys = [key(word.text) for word in words]
    for length, most in LOOPS.items():
        for start in range(len(keys) - length * most + 1):
            phrase = keys[start : start + length]
            if all(keys[start + n * length : start + (n + 1) * length] == phrase for n in range(most)):
                return tuple(words[: start + length])
    return tuple(words)


def clip_to_speech(
    words: Sequence[Word], speech_within: Callable[[float, float], tuple[float, float] | None]
) -> tuple[Word, ...]:
    """Returns ``words`` with their times limited to where the side spoke, without those where it did not.

    ``speech_within`` gives the first and last second of speech between two call times, or None. Alignment
    gives each word the pause beside it, and places hallucinated words in silence.
    """
    kept = []
    for word in words:
        inside = speech_within(word.start, word.end)
        if inside is not None:
            start, end = inside
            kept.append(msgspec.structs.replace(word, start=round(start, 3), end=round(max(start, end), 3)))
    return tuple(kept)


def remove_echo(
    words: Sequence[Word], others: Sequence[Word], louder_by: Callable[[float, float], float]
) -> tuple[Word, ...]:
    """Returns ``words`` without those that are crosstalk: the other side was louder, and said or covered
    them.

    ``others`` are the other side's words; ``louder_by`` gives by how many dB it was louder between two call
    times.
    """
    matched = [any(_same_moment(word, other) for other in others) for word in words]
    kept = []
    for n, word in enumerate(words):
        phrase = matched[n] and (
            any(matched[max(0, n - 1) : n]) or any(matched[n + 1 : n + 2]) or len(word.text) > 5
        )
        louder = louder_by(word.start, word.end)
        if not (phrase and louder >= ECHO_DB) and not (
            word.confidence < HIGH_CONFIDENCE and louder >= FAINT_DB
        ):
            kept.append(word)
    return tuple(kept)


def _same_moment(word: Word, other: Word) -> bool:
    return abs(word.start - other.start) <= ECHO_LAG and key(word.text) == key(other.text)


def _compression(text: str) -> float:
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if len(raw) >= MIN_COMPRESSION_LETTERS else 0.0


LEVEL_FRAMES = 3000
"""Frames whose levels are kept (one minute)."""

_QUIET = 1e-12
_TAIL_WORDS = 4


class ChannelLevels:
    """The level in dBFS of both sides in each of the last ``LEVEL_FRAMES`` frames."""

    def __init__(self) -> None:
        self._levels: NDArray[np.float32] = np.full((2, LEVEL_FRAMES), -120.0, np.float32)

    def feed(self, first: int, pcm: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
        """Takes frames of ``frame`` samples from number ``first`` on; returns their levels, float32 [2,
        frames].

        ``pcm`` is float32 [2, samples].
        """
        frames = pcm.shape[1] // frame
        power = np.square(pcm.reshape(2, frames, frame)).mean(axis=2)
        levels: NDArray[np.float32] = (10.0 * np.log10(power + _QUIET)).astype(np.float32)
        where = np.arange(first, first + frames)[-LEVEL_FRAMES:] % LEVEL_FRAMES
        self._levels[:, where] = levels[:, -LEVEL_FRAMES:]
        return levels

    def difference(self, louder: int, quieter: int, start: float, end: float) -> float:
        """Mean level of row ``louder`` minus that of row ``quieter`` between two call times, in dB."""
        first = frames_of(start)
        frames = np.arange(first, max(frames_of(end), first + 1)) % LEVEL_FRAMES
        return float(self._levels[louder, frames].mean() - self._levels[quieter, frames].mean())


class HallucinationFilter:
    """Decides which words of a result are accepted, with what is known of both sides."""

    def __init__(self, sides: list[ChannelTranscriber], levels: ChannelLevels) -> None:
        self._sides = sides
        self._levels = levels

    def accept(
        self,
        side: ChannelTranscriber,
        utterance: PendingUtterance,
        request: RecognitionRequest,
        result: RecognitionResult,
    ) -> tuple[Word, ...]:
        """Returns the words of ``result`` that may be published, their times limited to where the side
        spoke.
        """
        segment = utterance.segment
        tail = request.prefix[-_TAIL_WORDS:]
        words = remove_loop([*tail, *result.words])[len(tail) :]
        decoded_to = min(frames_of(request.end), segment.end)
        words = clip_to_speech(words, lambda start, end: segment.speech_within(start, end, decoded_to))
        if segment.closed:  # a long utterance that was cut meanwhile: the rest belongs to the next one
            cut = seconds(segment.end)
            words = tuple(word for word in words if word.start + word.end < 2 * cut)
        if not is_plausible(result, words, segment.speech_seconds(decoded_to), len(request.prefix)):
            side.discard_context(utterance)
            return ()
        row, other = self._rows(side)
        return remove_echo(
            words, self._sides[other].words, lambda a, b: self._levels.difference(other, row, a, b)
        )

    def commit_limit(self, side: ChannelTranscriber, words: tuple[Word, ...]) -> float:
        """Call time in seconds until which ``words`` may be committed.

        A word that is louder on the other side may be an echo; it waits until that side has been decoded so
        far.
        """
        row, other = self._rows(side)
        for unheard in self._sides[other].unfinished:
            for word in words:
                inside = unheard.segment.start <= word.end and unheard.decoded_to < word.end
                if inside and self._levels.difference(other, row, word.start, word.end) >= ECHO_DB:
                    return word.start
        return float("inf")

    def _rows(self, side: ChannelTranscriber) -> tuple[int, int]:
        row = self._sides.index(side)
        return row, 1 - row
