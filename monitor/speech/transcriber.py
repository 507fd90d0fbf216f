"""When the recogniser is asked, and what becomes of its results. No model, clock or thread is used here.

Each side's speech is cut into utterances. A growing utterance is decoded about twice a second from its start
(its committed words are forced, so only the rest is searched), and once more when it ends. Each side has at
most one open request; utterances that ended come first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import FrameBlock, frames_of, seconds
from monitor.config import SpeechSettings
from monitor.events import CHANNELS, Event, RecognitionRequest, RecognitionResult, Status
from monitor.speech.backpressure import Backpressure
from monitor.speech.channel_transcriber import ChannelTranscriber, PendingUtterance
from monitor.speech.hallucination_filter import ChannelLevels, HallucinationFilter

LATE_BLOCK = 0.3
"""Seconds by which a block may extend beyond a due time without changing what is requested."""

LAG_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds of lag that are reported when they are crossed."""


@dataclass(frozen=True, slots=True)
class _OpenRequest:
    """A request without a result: its side and its utterance."""

    side: ChannelTranscriber
    utterance: PendingUtterance
    request: RecognitionRequest


class Transcriber:
    """Turns the speech of both sides into recognition requests, and their results into utterances.

    ``rate`` is 8000 or 16000 Hz; without ``words`` there is no recogniser, and nothing is requested.
    """

    def __init__(self, rate: int, settings: SpeechSettings, words: bool = True) -> None:
        self._rate = rate
        self._words = words
        self._utterances = self._last_request = 0
        self._before = self._frames = 0
        self._sides = [
            ChannelTranscriber(channel, rate, settings, self._next_utterance) for channel in CHANNELS
        ]
        self._levels = ChannelLevels()
        self._filter = HallucinationFilter(self._sides, self._levels)
        self._open: dict[int, _OpenRequest] = {}
        self._backpressure = Backpressure(settings)
        self._reported = (0.0, 0)

    @property
    def waiting(self) -> bool:
        """Whether a result is missing, or a final request is still to be made."""
        return bool(self._open) or any(side.waiting for side in self._sides)

    @property
    def decoded_to(self) -> float:
        """Call seconds up to which all speech has been decoded."""
        unfinished = [max(s.segment.start, s.decoded_to) for side in self._sides for s in side.unfinished]
        return round(min([seconds(self._frames), *unfinished]), 3)

    def feed(self, block: FrameBlock, active: NDArray[np.bool_]) -> list[Event]:
        """Takes a block of frames; ``active`` is bool [2, frames], true where a side speaks."""
        self._before, self._frames = self._frames, block.first + block.frames
        if not self._words or not block.frames:
            return []
        levels = self._levels.feed(block.first, block.pcm, block.samples_per_frame)
        for row, side in enumerate(self._sides):
            side.feed(block.first, block.pcm[row], active[row], levels[row])
        full_second = self._frames // 50 > self._before // 50
        return self._status(seconds(self._frames // 50 * 50)) if full_second else []

    def requests(self) -> list[RecognitionRequest]:
        """Returns the requests to make now, by the end of their window; each is returned once.

        Each side has at most one open request, and its ended utterances come before the growing one. A
        recogniser with many waiting requests should decode the final ones first.
        """
        requests = [
            request for side in self._sides if side.requested_at is None and (request := self._request(side))
        ]
        return sorted(requests, key=lambda request: request.end)

    def add_result(self, result: RecognitionResult, detected_at: float) -> list[Event]:
        """Takes the result of a request; ``detected_at`` is the call second at which it came."""
        opened = self._open.pop(result.request_id, None)
        if opened is None:
            return []
        side, utterance, request = opened.side, opened.utterance, opened.request
        side.requested_at = None
        utterance.decoded_to = request.end
        self._backpressure.add_cost(result.cost, detected_at, final=request.final)
        changed = self._accept_words(opened, result)
        events: list[Event] = []
        if changed or (request.final and utterance.revision):
            events.append(utterance.event(side.channel, final=request.final, detected_at=detected_at))
        if request.final:
            side.close(utterance)
        return events + self._status(detected_at)

    def finish(self) -> list[Event]:
        """Ends the utterances in progress; ``requests`` then returns the final ones."""
        for side in self._sides:
            side.finish()
        return []

    # --- asking ---

    def _next_utterance(self) -> int:
        self._utterances += 1
        return self._utterances

    def _request(self, side: ChannelTranscriber) -> RecognitionRequest | None:
        """The next request of one side: its utterance so far, or an ended one for the last time."""
        utterance = side.next_utterance
        if utterance is None:
            return None
        if self._backpressure.partials and (end := self._due(side)) is not None:
            return self._new_request(side, utterance, end, final=False)
        return (
            self._new_request(side, utterance, utterance.segment.end, final=True)
            if utterance.segment.closed
            else None
        )

    def _due(self, side: ChannelTranscriber) -> int | None:
        interval = self._backpressure.interval(sum(other.current is not None for other in self._sides))
        return side.due(self._before, self._frames, frames_of(interval), frames_of(LATE_BLOCK))

    def _new_request(
        self, side: ChannelTranscriber, utterance: PendingUtterance, end: int, *, final: bool
    ) -> RecognitionRequest:
        segment = utterance.segment
        if segment.requested_to == segment.first:
            utterance.context = side.context(segment)
        segment.requested_to = end
        self._last_request += 1
        request = RecognitionRequest(
            id=self._last_request,
            channel=side.channel,
            utterance=segment.number,
            start=segment.start,
            end=seconds(end),
            rate=self._rate,
            audio=segment.audio(end),
            context=utterance.context,
            prefix=tuple(utterance.agreement.committed),
            final=final,
            better=self._backpressure.better_finals,
            align=final or self._backpressure.align,
        )
        side.requested_at = self._frames
        self._open[request.id] = _OpenRequest(side, utterance, request)
        return request

    # --- answers ---

    def _accept_words(self, opened: _OpenRequest, result: RecognitionResult) -> bool:
        """Adds the plausible words of a result; True if the utterance's words changed."""
        side, utterance, request = opened.side, opened.utterance, opened.request
        words = self._filter.accept(side, utterance, request, result)
        agreement = utterance.agreement
        if request.final:
            return agreement.close(words)
        until = self._filter.commit_limit(side, words)
        changed = agreement.update(words, request.end, aligned=request.align, until=until)
        if agreement.committed:
            utterance.segment.committed_to = frames_of(agreement.committed[-1].end)
        return changed

    # --- keeping up ---

    def _lag(self) -> float:
        """Seconds for which the oldest open request has been waiting."""
        waits = [self._frames - side.requested_at for side in self._sides if side.requested_at is not None]
        waits += [self._frames - side.waiting[0].segment.end for side in self._sides if side.waiting]
        return seconds(max([0, *waits]))

    def _status(self, detected_at: float) -> list[Event]:
        """Reports how well the recogniser keeps up, when that changed."""
        lag = self._lag()
        changed = self._backpressure.adapt(detected_at, lag, sum(side.talking for side in self._sides))
        dropped = sum(side.dropped for side in self._sides)
        said = (max([0.0, *(step for step in LAG_STEPS if lag >= step)]), dropped)
        if not changed and said == self._reported:
            return []
        self._reported = said
        return [self.status(detected_at)]

    def status(self, detected_at: float, notice: str | None = None) -> Status:
        """How well the recogniser keeps up at the moment; ``notice`` is passed on with it."""
        return Status(
            detected_at=detected_at,
            at=detected_at,
            lag_s=round(self._lag(), 1),
            mode=self._backpressure.mode if self._words else "off",
            dropped=sum(side.dropped for side in self._sides),
            cpu=self._backpressure.cpu_share(detected_at),
            notice=notice,
        )
