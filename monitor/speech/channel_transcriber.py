"""One side of the call: its utterances, and the words recognised in them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import frames_of
from monitor.config import SpeechSettings
from monitor.events import Channel, Utterance, Word
from monitor.speech.agreement import Agreement
from monitor.speech.segmenter import Floats, UtteranceAudio, UtteranceSegmenter

LEAST_SPEECH = 0.1
"""Seconds of voice activity below which an utterance holds no word."""

BACKLOG = 600.0
"""Seconds of speech of one side that may wait; beyond it the oldest is dropped, and counted."""

RECENT_WORDS = 40
"""Words of closed utterances that are kept, to find echoes on the other side."""


@dataclass(eq=False)
class PendingUtterance:
    """An utterance without its final result: its audio, its words so far, and its decoding ``context``.

    ``revision`` counts the events published for it; ``decoded_to`` is the call second up to which it was
    decoded.
    """

    segment: UtteranceAudio
    agreement: Agreement
    context: tuple[str, ...] = ()
    revision: int = 0
    decoded_to: float = 0.0

    def event(self, channel: Channel, *, final: bool, detected_at: float) -> Utterance:
        """Returns the next revision as an event."""
        self.revision += 1
        words = self.agreement.words
        return Utterance(
            detected_at=detected_at,
            channel=channel,
            utterance=self.segment.number,
            revision=self.revision,
            start=words[0].start if words else self.segment.start,
            end=words[-1].end if words else self.segment.speech_end,
            text=" ".join(word.text for word in words),
            words=words,
            final=final,
        )


class ChannelTranscriber:
    """The utterances of one side, and the words before them as decoding context.

    ``current`` is the utterance in progress, ``waiting`` those that ended and need their final result,
    ``requested_at`` the frame at which the open request was made (at most one is open), ``dropped`` the
    number of utterances given up. ``number`` gives each utterance its number.
    """

    def __init__(
        self, channel: Channel, rate: int, settings: SpeechSettings, number: Callable[[], int]
    ) -> None:
        self.channel = channel
        self.current: PendingUtterance | None = None
        self.waiting: deque[PendingUtterance] = deque()
        self.requested_at: int | None = None
        self.dropped = 0
        self._settings = settings
        self._segmenter = UtteranceSegmenter(rate, settings, number)
        self._context: deque[str] = deque(maxlen=max(1, settings.context_words))
        self._recent: deque[Word] = deque(maxlen=RECENT_WORDS)
        self._spoke_until = 0.0

    @property
    def talking(self) -> bool:
        """Whether this side has an utterance that is, or will be, decoded."""
        return self.current is not None or bool(self.waiting)

    @property
    def words(self) -> list[Word]:
        """The latest recognised words, including those that are not committed."""
        words = list(self._recent)
        for utterance in self.unfinished:
            words += utterance.agreement.words
        return words

    @property
    def unfinished(self) -> list[PendingUtterance]:
        """The utterances whose final result has not come."""
        return [*self.waiting, *((self.current,) if self.current else ())]

    @property
    def next_utterance(self) -> PendingUtterance | None:
        """The utterance to decode next: the oldest that ended, or the one in progress."""
        return self.waiting[0] if self.waiting else self.current

    def feed(self, first: int, sound: Floats, active: NDArray[np.bool_], levels: Floats) -> None:
        """Takes frames from number ``first`` on.

        ``sound`` is float32 [samples]; ``active`` (bool) and ``levels`` (dBFS) have one element for each
        frame.
        """
        self._update_segments(self._segmenter.feed(first, sound, active, levels))

    def finish(self) -> None:
        """Ends the utterance in progress at the end of the call."""
        self._update_segments(self._segmenter.finish())

    def due(self, before: int, now: int, interval: int, late: int) -> int | None:
        """The frame up to which the next utterance should be decoded now, or None.

        That is the frame at which a decode became due, however long the block (``before`` to ``now``) was
        that brought it, even if the same block ended the utterance. A side that had to wait more than
        ``late`` frames for the recogniser is decoded up to ``now``. ``interval`` is the number of frames
        between two decodes.
        """
        utterance = self.next_utterance
        if utterance is None:
            return None
        segment = utterance.segment
        due = max(max(segment.requested_to, segment.first_active) + interval, segment.opened_at)
        if due > now or (segment.closed and not before < due < segment.end_detected_at):
            return None
        if now - due > late and not segment.closed:
            due = now
        # Just before a cut nothing is requested: whether its result came before the cut would depend on the
        # size of the blocks.
        if due > segment.first + frames_of(self._settings.max_utterance) - late - 5:
            return None
        news = segment.active(segment.requested_to, due) * 0.02 >= LEAST_SPEECH or utterance.agreement.pending
        return due if news else None

    def context(self, segment: UtteranceAudio) -> tuple[str, ...]:
        """The words before ``segment``, or none after a long silence of the side."""
        if segment.start - self._spoke_until >= self._settings.context_timeout:
            self._context.clear()
        return tuple(self._context)

    def discard_context(self, utterance: PendingUtterance) -> None:
        """Drops the context of an utterance whose result cannot be speech: it may have led there."""
        self._context.clear()
        utterance.context = ()

    def close(self, utterance: PendingUtterance) -> None:
        """Closes ``utterance`` after its final result; its words become context."""
        self.waiting.remove(utterance)
        words = utterance.agreement.committed
        self._recent.extend(words)
        self._context.extend(word.text for word in words)
        self._spoke_until = utterance.segment.speech_end

    def _update_segments(self, closed: list[UtteranceAudio]) -> None:
        """Takes over the utterances that the segmenter closed and opened."""
        for segment in closed:
            utterance = (
                self.current if self.current and self.current.segment is segment else self._pending(segment)
            )
            self.current = None
            if (
                segment.speech_seconds() >= LEAST_SPEECH
                or utterance.revision
                or segment.requested_to > segment.first
            ):
                self.waiting.append(utterance)
        opened = self._segmenter.open
        if opened and not (self.current and self.current.segment is opened):
            self.current = self._pending(opened)
        while len(self.waiting) > 2 and sum(s.segment.speech_seconds() for s in self.waiting) > BACKLOG:
            del self.waiting[1]  # the first may be under way
            self.dropped += 1

    def _pending(self, segment: UtteranceAudio) -> PendingUtterance:
        return PendingUtterance(segment, Agreement(self._settings), decoded_to=segment.start)
