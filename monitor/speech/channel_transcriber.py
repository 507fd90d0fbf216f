"""One side of the call: its utterances, and what was recognised of them. Pure."""

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
"""Seconds of activity below which there is no word in it."""

BACKLOG = 600.0
"""Seconds of speech of one side that may wait; beyond it the oldest is given up, and counted."""

RECENT_WORDS = 40


@dataclass(eq=False)
class PendingUtterance:
    """One utterance: its sound, its words so far, and the ``context`` it was asked with."""

    segment: UtteranceAudio
    agreement: Agreement
    context: tuple[str, ...] = ()
    revision: int = 0
    heard_to: float = 0.0

    def event(self, channel: Channel, *, final: bool, detected_at: float) -> Utterance:
        """The next revision."""
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
    """The utterance ``now`` under way, those ``waiting`` for their last question, and the context.

    ``asked`` is the frame at which the question under way was asked; at most one is.
    """

    def __init__(
        self, channel: Channel, rate: int, settings: SpeechSettings, number: Callable[[], int]
    ) -> None:
        self.channel = channel
        self.now: PendingUtterance | None = None
        self.waiting: deque[PendingUtterance] = deque()
        self.asked: int | None = None
        self.dropped = 0
        self._settings = settings
        self._segmenter = UtteranceSegmenter(rate, settings, number)
        self._context: deque[str] = deque(maxlen=max(1, settings.context_words))
        self._recent: deque[Word] = deque(maxlen=RECENT_WORDS)
        self._spoke_until = 0.0

    @property
    def talking(self) -> bool:
        """Whether anything of this side is or will be asked."""
        return self.now is not None or bool(self.waiting)

    @property
    def words(self) -> list[Word]:
        """The last words that were recognised, also those that do not stand yet."""
        words = list(self._recent)
        for spoken in self.unfinished:
            words += spoken.agreement.words
        return words

    @property
    def unfinished(self) -> list[PendingUtterance]:
        """The utterances whose last answer has not come."""
        return [*self.waiting, *((self.now,) if self.now else ())]

    @property
    def at_hand(self) -> PendingUtterance | None:
        """The utterance to ask about: the oldest that ended, or the one under way."""
        return self.waiting[0] if self.waiting else self.now

    def feed(self, first: int, sound: Floats, active: NDArray[np.bool_], levels: Floats) -> None:
        """Frames from ``first`` on."""
        self._follow(self._segmenter.feed(first, sound, active, levels))

    def finish(self) -> None:
        """The call is over."""
        self._follow(self._segmenter.finish())

    def due(self, before: int, now: int, interval: int, late: int) -> int | None:
        """Up to which frame the utterance at hand is to be looked at now, if at all.

        That is the frame at which it became due, however long the block (``before`` to ``now``) was that
        brought it, and though the same block may have ended it. A side that had to wait more than
        ``late`` frames for the recogniser is looked at up to ``now``.
        """
        spoken = self.at_hand
        if spoken is None:
            return None
        segment = spoken.segment
        due = max(max(segment.asked, segment.first_active) + interval, segment.known)
        if due > now or (segment.closed and not before < due < segment.over):
            return None
        if now - due > late and not segment.closed:
            due = now
        # Just before a cut nothing is asked: its answer would meet the cut or not, by the blocks' size.
        if due > segment.first + frames_of(self._settings.max_utterance) - late - 5:
            return None
        news = segment.active(segment.asked, due) * 0.02 >= LEAST_SPEECH or spoken.agreement.pending
        return due if news else None

    def context(self, segment: UtteranceAudio) -> tuple[str, ...]:
        """The words before ``segment``, unless the side was silent for long."""
        if segment.start - self._spoke_until >= self._settings.context_timeout:
            self._context.clear()
        return tuple(self._context)

    def distrust(self, spoken: PendingUtterance) -> None:
        """What was answered cannot be speech: the context that led there is dropped with it."""
        self._context.clear()
        spoken.context = ()

    def close(self, spoken: PendingUtterance) -> None:
        """The last answer about ``spoken`` is in; its words become context."""
        self.waiting.remove(spoken)
        words = spoken.agreement.committed
        self._recent.extend(words)
        self._context.extend(word.text for word in words)
        self._spoke_until = spoken.segment.speech_end

    def _follow(self, closed: list[UtteranceAudio]) -> None:
        """Takes over what the segmenter ended and began."""
        for segment in closed:
            spoken = self.now if self.now and self.now.segment is segment else self._begun(segment)
            self.now = None
            if segment.speech_seconds() >= LEAST_SPEECH or spoken.revision or segment.asked > segment.first:
                self.waiting.append(spoken)
        opened = self._segmenter.open
        if opened and not (self.now and self.now.segment is opened):
            self.now = self._begun(opened)
        while len(self.waiting) > 2 and sum(s.segment.speech_seconds() for s in self.waiting) > BACKLOG:
            del self.waiting[1]  # the first may be under way
            self.dropped += 1

    def _begun(self, segment: UtteranceAudio) -> PendingUtterance:
        return PendingUtterance(segment, Agreement(self._settings), heard_to=segment.start)
