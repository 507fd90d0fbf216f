"""When the recogniser is asked, and what is made of its answers. Pure: no model, clock or thread here.

Each side's speech is cut into utterances. A growing utterance is decoded about twice a second from its
beginning (its committed words are forced, so only the rest is searched), and once more when it ends.
Each side has at most one question under way; its ended utterances come first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.frames import FrameBlock, frames_of, seconds
from monitor.config import SpeechSettings
from monitor.events import CHANNELS, Event, RecognitionRequest, RecognitionResult, Status
from monitor.speech.backpressure import Backpressure
from monitor.speech.channel_transcriber import ChannelTranscriber, PendingUtterance
from monitor.speech.hallucination_filter import HallucinationFilter, Loudness

LATE_BLOCK = 0.3
"""Seconds by which a block may overshoot a due moment without changing what is asked."""

LAG_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds of lag that are worth saying when they are crossed."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A question under way: whose, and about which utterance."""

    side: ChannelTranscriber
    spoken: PendingUtterance
    request: RecognitionRequest


class Transcriber:
    """Decides for both sides what the recogniser is asked, and turns its results into utterances."""

    def __init__(self, rate: int, settings: SpeechSettings, words: bool = True) -> None:
        self._rate = rate
        self._words = words
        self._utterances = self._last_request = 0
        self._before = self._frames = 0
        self._sides = [
            ChannelTranscriber(channel, rate, settings, self._next_utterance) for channel in CHANNELS
        ]
        self._loudness = Loudness()
        self._screen = HallucinationFilter(self._sides, self._loudness)
        self._flying: dict[int, _Flight] = {}
        self._load = Backpressure(settings)
        self._said = (0.0, 0)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come, or a last question still to be asked."""
        return bool(self._flying) or any(side.waiting for side in self._sides)

    @property
    def caught_up(self) -> float:
        """Call time up to which everything that was said has been recognised."""
        unfinished = [max(s.segment.start, s.heard_to) for side in self._sides for s in side.unfinished]
        return round(min([seconds(self._frames), *unfinished]), 3)

    def feed(self, block: FrameBlock, active: NDArray[np.bool_]) -> list[Event]:
        """Both sides went on by ``block``; ``active`` [2, frames] says where they spoke."""
        self._before, self._frames = self._frames, block.first + block.frames
        if not self._words or not block.frames:
            return []
        levels = self._loudness.feed(block.first, block.pcm, block.samples_per_frame)
        for row, side in enumerate(self._sides):
            side.feed(block.first, block.pcm[row], active[row], levels[row])
        full_second = self._frames // 50 > self._before // 50
        return self._status(seconds(self._frames // 50 * 50)) if full_second else []

    def requests(self) -> list[RecognitionRequest]:
        """The questions to ask now, in the order in which they came up; each is handed out once.

        Each side has one under way at most, and its ended utterances come before the growing one. Who
        has many waiting asks the final ones first.
        """
        requests = [
            request for side in self._sides if side.asked is None and (request := self._request(side))
        ]
        return sorted(requests, key=lambda request: request.end)

    def add_result(self, result: RecognitionResult, detected_at: float) -> list[Event]:
        """The answer to a request came back when ``detected_at`` seconds of the call had been heard."""
        flight = self._flying.pop(result.request_id, None)
        if flight is None:
            return []
        side, spoken, request = flight.side, flight.spoken, flight.request
        side.asked = None
        spoken.heard_to = request.end
        self._load.answered(result.cost, detected_at, final=request.final)
        changed = self._take(flight, result)
        events: list[Event] = []
        if changed or (request.final and spoken.revision):
            events.append(spoken.event(side.channel, final=request.final, detected_at=detected_at))
        if request.final:
            side.close(spoken)
        return events + self._status(detected_at)

    def finish(self) -> list[Event]:
        """The call is over: what was being said is asked about once more (see ``requests``)."""
        for side in self._sides:
            side.finish()
        return []

    # --- asking ---

    def _next_utterance(self) -> int:
        self._utterances += 1
        return self._utterances

    def _request(self, side: ChannelTranscriber) -> RecognitionRequest | None:
        """What one side asks now: its utterance as far as it grew, or an ended one for the last time."""
        spoken = side.at_hand
        if spoken is None:
            return None
        if self._load.partials and (end := self._due(side)) is not None:
            return self._ask(side, spoken, end, final=False)
        return self._ask(side, spoken, spoken.segment.end, final=True) if spoken.segment.closed else None

    def _due(self, side: ChannelTranscriber) -> int | None:
        interval = self._load.interval(sum(other.now is not None for other in self._sides))
        return side.due(self._before, self._frames, frames_of(interval), frames_of(LATE_BLOCK))

    def _ask(
        self, side: ChannelTranscriber, spoken: PendingUtterance, end: int, *, final: bool
    ) -> RecognitionRequest:
        segment = spoken.segment
        if segment.asked == segment.first:
            spoken.context = side.context(segment)
        segment.asked = end
        self._last_request += 1
        request = RecognitionRequest(
            id=self._last_request,
            channel=side.channel,
            utterance=segment.number,
            start=segment.start,
            end=seconds(end),
            rate=self._rate,
            audio=segment.audio(end),
            context=spoken.context,
            prefix=tuple(spoken.agreement.committed),
            final=final,
            better=self._load.better_finals,
            align=final or self._load.align,
        )
        side.asked = self._frames
        self._flying[request.id] = _Flight(side, spoken, request)
        return request

    # --- answers ---

    def _take(self, flight: _Flight, result: RecognitionResult) -> bool:
        """Lets the believable words of an answer in; True if the utterance's words changed."""
        side, spoken, request = flight.side, flight.spoken, flight.request
        words = self._screen.believed(side, spoken, request, result)
        agreement = spoken.agreement
        if request.final:
            return agreement.close(words)
        until = self._screen.settled(side, words)
        changed = agreement.take(words, request.end, aligned=request.align, until=until)
        if agreement.committed:
            spoken.segment.settled = frames_of(agreement.committed[-1].end)
        return changed

    # --- keeping up ---

    def _lag(self) -> float:
        """Seconds for which the longest-waiting question has been unanswered."""
        waits = [self._frames - side.asked for side in self._sides if side.asked is not None]
        waits += [self._frames - side.waiting[0].segment.end for side in self._sides if side.waiting]
        return seconds(max([0, *waits]))

    def _status(self, detected_at: float) -> list[Event]:
        """Says how the recogniser keeps up, when that changed."""
        lag = self._lag()
        changed = self._load.adapt(detected_at, lag, sum(side.talking for side in self._sides))
        dropped = sum(side.dropped for side in self._sides)
        said = (max([0.0, *(step for step in LAG_STEPS if lag >= step)]), dropped)
        if not changed and said == self._said:
            return []
        self._said = said
        return [self.standing(detected_at)]

    def standing(self, detected_at: float, notice: str | None = None) -> Status:
        """How the recogniser keeps up just now; ``notice`` goes with it (on the model, or on the source)."""
        return Status(
            detected_at=detected_at,
            at=detected_at,
            lag_s=round(self._lag(), 1),
            mode=self._load.mode if self._words else "off",
            dropped=sum(side.dropped for side in self._sides),
            cpu=self._load.share(detected_at),
            notice=notice,
        )
