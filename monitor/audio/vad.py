"""Voice activity detection: who speaks when, and the speech segments of each side.

A detector gives a vote for each of its own frames (32 ms for Silero, 10 ms for WebRTC): speech, quiet or
unsure. ``SpeechSegmenter`` applies hysteresis to the votes of one side and turns them into a flag for each
20 ms frame and into speech segments: short bursts are dropped, short gaps are bridged, and the edges of a
segment are put where the votes began, not where the flag changed.

Three detectors can be chosen (``vad.detector``):

- ``silero`` (default): a neural model at 16 kHz (8 kHz is upsampled); tells speech from music and tones.
- ``webrtc``: no neural model, a fifth of the cost, but takes music for speech.
- ``both``: Silero decides whether there is speech, and ``BoundaryAligner`` moves its segment edges to nearby
  edges of WebRTC, whose frames are three times as short.

All results depend only on votes and whole frames, never on how the audio was cut into blocks.
``benchmarks/vad.py`` prints the accuracy and cost of each detector.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.audio import silero, webrtc
from monitor.audio.frames import QUIET, SPEECH, UNSURE, FrameBlock, seconds
from monitor.audio.upsample import HALF, Upsampler
from monitor.config import VadSettings
from monitor.events import CHANNELS, FRAME_SECONDS, Channel, Event, SpeechEnded, SpeechStarted

MAX_VOTES = 200
"""Votes kept beyond the newest ones (2 s of 10 ms votes); segment edges are never older."""


class BoundaryAligner:
    """Moves the edges of one detector's segments to the nearest edges of a faster detector.

    ``step`` is the duration of the fast detector's votes in seconds, ``reach`` the greatest move in seconds.
    """

    def __init__(self, step: float, reach: float) -> None:
        self._step, self._reach = step, round(reach / step)
        self._speech: deque[bool] = deque()
        self._first = 0

    def feed(self, votes: list[int]) -> None:
        """Takes the fast detector's next votes and forgets those older than ``MAX_VOTES``."""
        while len(self._speech) > MAX_VOTES:
            self._speech.popleft()
            self._first += 1
        self._speech.extend(vote == SPEECH for vote in votes)

    def rise(self, at: float, detected_at: float) -> float:
        """Returns the aligned start in seconds of speech that begins at about ``at``.

        Only votes before ``detected_at`` (seconds of the call) are used. Without an edge in reach, returns
        ``at``.
        """
        return self._nearest(at, detected_at, was=False)

    def fall(self, at: float, detected_at: float) -> float:
        """Returns the aligned end in seconds of speech that ends at about ``at`` (see ``rise``)."""
        return self._nearest(at, detected_at, was=True)

    def _nearest(self, at: float, detected_at: float, *, was: bool) -> float:
        """Time of the nearest edge at which the vote changes from ``was``, or ``at`` if none is in reach."""
        middle, newest = round(at / self._step), round(detected_at / self._step)
        for away in range(self._reach + 1):
            for place in (middle - away, middle + away):
                if place < newest and self._vote_at(place - 1) is was and self._vote_at(place) is (not was):
                    return place * self._step
        return at

    def _vote_at(self, number: int) -> bool | None:
        place = number - self._first
        return self._speech[place] if 0 <= place < len(self._speech) else None


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """How the votes of a detector become speech segments. All durations are in seconds.

    ``step`` is the duration of one vote, ``lag`` the detector's delay. ``onset_frames`` votes for speech in a
    row raise the flag, ``offset_frames`` votes for quiet lower it. Segments shorter than ``min_speech`` are
    dropped, gaps shorter than ``min_silence`` are bridged. ``onset`` and ``offset`` correct the segment edges
    by the detector's measured bias.
    """

    step: float
    onset_frames: int
    offset_frames: int
    min_speech: float
    min_silence: float
    lag: float = 0.0
    onset: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of the speech flag: it is ``on`` from the 20 ms frame number ``frame`` on."""

    frame: int
    on: bool


@dataclass(slots=True)
class _Segment:
    """An open speech segment: its edges, how much of it is speech (seconds), and whether it was reported."""

    start: float
    end: float
    spoken: float = 0.0
    reported: bool = False


@dataclass(slots=True)
class SpeechSegmenter:
    """Turns the votes of one side into a speech flag and speech segments.

    ``votes`` counts the votes so far, ``on`` is the current flag, ``transitions`` collects its changes until
    the caller has used them.
    """

    channel: Channel
    hysteresis: Hysteresis
    aligner: BoundaryAligner | None = None
    votes: int = 0
    on: bool = False
    transitions: list[Transition] = field(default_factory=list)
    _streak: int = 0
    _burst: float = 0.0
    _segment: _Segment | None = None
    _last: int | None = None

    def feed(self, votes: Iterable[int]) -> list[Event]:
        """Takes the next votes and returns the segment events that they cause.

        The changes of the flag are appended to ``transitions``.
        """
        events: list[Event] = []
        for vote in votes:
            self.votes += 1
            if self.on or vote > UNSURE or self._segment is not None:
                self._count(vote, events)
            else:
                self._streak = 0
        return events

    def finish(self, votes: Iterable[int], frames: int) -> list[Event]:
        """Takes the last votes of a call of ``frames`` 20 ms frames and closes the open segment."""
        self._last = frames
        events = self.feed(votes)
        self._close(frames, events)
        self.on = False
        return events

    @property
    def _frames_needed(self) -> int:
        """Whole 20 ms frames of audio that were needed for the last vote."""
        frames = ceil(round(self.votes * self.hysteresis.step / FRAME_SECONDS, 6))
        return frames if self._last is None else min(frames, self._last)

    @property
    def _earliest(self) -> float:
        """Time at which speech would begin if this streak of votes, or the next one, were its start."""
        return (
            (self.votes - self._streak) * self.hysteresis.step - self.hysteresis.lag + self.hysteresis.onset
        )

    def _count(self, vote: int, events: list[Event]) -> None:
        wanted = QUIET if self.on else SPEECH
        self._streak = self._streak + 1 if vote == wanted else 0
        if self.on:
            self._extend(vote)
            if self._streak >= self.hysteresis.offset_frames:
                self._turn(on=False)
        elif self._streak >= self.hysteresis.onset_frames:
            self._turn(on=True)
        self._report(events)

    def _turn(self, *, on: bool) -> None:
        self.on = on
        self.transitions.append(Transition(self._frames_needed - 1, on))
        start = max(0.0, self._earliest)
        self._streak = 0
        if on:
            self._burst = start
            if self._segment is None:
                self._segment = _Segment(start, start)
            self._extend(SPEECH)
        elif self._segment is not None:
            self._segment.spoken += self._segment.end - self._burst

    def _extend(self, vote: int) -> None:
        """Extends the open segment to the end of the last vote that was not for quiet."""
        if self._segment is not None and vote != QUIET:
            end = self.votes * self.hysteresis.step - self.hysteresis.lag + self.hysteresis.offset
            self._segment.end = max(self._segment.end, self._burst, end)

    def _report(self, events: list[Event]) -> None:
        segment = self._segment
        if segment is None:
            return
        spoken = segment.spoken + (segment.end - self._burst if self.on else 0.0)
        if not segment.reported and spoken >= self.hysteresis.min_speech - 1e-9:
            segment.reported = True
            detected_at = seconds(self._frames_needed)
            if self.aligner:
                segment.start = self.aligner.rise(segment.start, detected_at)
            events.append(
                SpeechStarted(channel=self.channel, at=round(segment.start, 3), detected_at=detected_at)
            )
        if not self.on and self._earliest - segment.end >= self.hysteresis.min_silence - 1e-9:
            self._close(self._frames_needed, events)

    def _close(self, frames: int, events: list[Event]) -> None:
        segment, self._segment = self._segment, None
        if segment is None or not segment.reported:
            return
        detected_at = seconds(frames)
        end = self.aligner.fall(segment.end, detected_at) if self.aligner else segment.end
        start, end = round(segment.start, 3), round(min(end, detected_at), 3)
        events.append(
            SpeechEnded(channel=self.channel, start=start, end=max(start, end), detected_at=detected_at)
        )


Flags = NDArray[np.bool_]
Samples = NDArray[np.float32]

WEBRTC_ONSET_VOTES, WEBRTC_OFFSET_VOTES = 6, 10
"""Votes of 10 ms in a row that raise and lower the flag."""
MAX_EDGE_SHIFT = 0.1
"""Seconds by which WebRTC may move a segment edge of Silero."""
SILERO_ONSET_SHIFT, SILERO_OFFSET_SHIFT = -0.03, -0.06
"""Seconds added to the start and end of Silero segments, to correct its median error."""


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """Voice activity in the frames of one block.

    ``active`` is bool [2, frames], rows as in ``CHANNELS``: the flag after hysteresis, as it was known at the
    end of each frame. ``events`` are the speech segments that started or ended, by detection time.
    """

    active: Flags
    events: list[Event]


class SpeechDetector(Protocol):
    """Turns the audio of both sides into votes, one list for each side."""

    def feed(self, pcm: Samples) -> list[list[int]]:
        """Returns the votes that ``pcm``, float32 [2, n] at the call's rate, completes."""

    def finish(self) -> list[list[int]]:
        """Returns the votes for the last, incomplete frame."""


class VoiceActivityDetector:
    """Voice activity of both sides of a call at ``rate`` (8000 or 16000 Hz).

    Raises ``BadInput`` where the Silero model is missing or damaged.
    """

    def __init__(self, rate: int, settings: VadSettings = VadSettings()) -> None:  # noqa: B008 - it is frozen
        self._detector: SpeechDetector
        if settings.detector == "webrtc":
            self._detector, hysteresis = WebRtcDetector(rate, settings), _webrtc_hysteresis(settings)
        else:
            self._detector, hysteresis = SileroDetector(rate, settings), _silero_hysteresis(rate, settings)
        self._edge_detector = WebRtcDetector(rate, settings) if settings.detector == "both" else None
        aligners = [
            BoundaryAligner(webrtc.STEP, MAX_EDGE_SHIFT) if self._edge_detector else None for _ in CHANNELS
        ]
        self._segmenters = [
            SpeechSegmenter(channel, hysteresis, aligner)
            for channel, aligner in zip(CHANNELS, aligners, strict=True)
        ]
        self._frames = 0

    def feed(self, block: FrameBlock) -> VoiceActivity:
        """Returns the flags of the block's frames, and the segments that started or ended in them."""
        self._frames = block.first + block.frames
        if self._edge_detector:
            for segmenter, votes in zip(self._segmenters, self._edge_detector.feed(block.pcm), strict=True):
                if segmenter.aligner:
                    segmenter.aligner.feed(votes)
        active = np.empty((len(CHANNELS), block.frames), np.bool_)
        events: list[Event] = []
        for flags, segmenter, votes in zip(
            active, self._segmenters, self._detector.feed(block.pcm), strict=True
        ):
            was = segmenter.on
            events += segmenter.feed(votes)
            _write_flags(flags, block.first, was, segmenter)
        return VoiceActivity(active, sorted(events, key=_frames_needed))

    def finish(self) -> list[Event]:
        """Processes the incomplete frame and closes open segments."""
        events: list[Event] = []
        for segmenter, votes in zip(self._segmenters, self._detector.finish(), strict=True):
            events += segmenter.finish(votes, self._frames)
        return sorted(events, key=_frames_needed)


class SileroDetector:
    """Votes from the speech probabilities of Silero VAD, with one threshold for onset and one for offset."""

    def __init__(self, rate: int, settings: VadSettings) -> None:
        self._on, self._off = settings.onset_threshold, settings.offset_threshold
        self._upsampler = Upsampler(len(CHANNELS)) if rate != silero.RATE else None
        self._model = silero.SileroModel(settings.floor_dbfs)

    def feed(self, pcm: Samples) -> list[list[int]]:
        """Returns one vote for each 32 ms that ``pcm`` completes."""
        sound = self._upsampler.feed(pcm) if self._upsampler else pcm
        return self._votes(self._model.feed(sound))

    def finish(self) -> list[list[int]]:
        """Returns the vote for the incomplete 32 ms, padded with silence."""
        return self._votes(self._model.finish())

    def _votes(self, probabilities: Samples) -> list[list[int]]:
        on, off = self._on, self._off
        return [
            [SPEECH if p >= on else QUIET if p < off else UNSURE for p in side]
            for side in probabilities.tolist()
        ]


class WebRtcDetector:
    """Votes of the WebRTC detector, one model for each side."""

    def __init__(self, rate: int, settings: VadSettings) -> None:
        self._vads = [webrtc.WebRtcModel(rate, settings.webrtc_mode, settings.floor_dbfs) for _ in CHANNELS]

    def feed(self, pcm: Samples) -> list[list[int]]:
        """Returns one vote for each 10 ms of ``pcm``."""
        return [vad.feed(side) for vad, side in zip(self._vads, pcm, strict=True)]

    def finish(self) -> list[list[int]]:
        """Returns no votes: whole 20 ms frames leave no incomplete 10 ms."""
        return [[] for _ in self._vads]


def _silero_hysteresis(rate: int, settings: VadSettings) -> Hysteresis:
    return Hysteresis(
        step=silero.FRAME / silero.RATE,
        onset_frames=settings.onset_frames,
        offset_frames=settings.offset_frames,
        min_speech=settings.min_speech,
        min_silence=settings.min_silence,
        lag=HALF / rate if rate != silero.RATE else 0.0,
        onset=SILERO_ONSET_SHIFT,
        offset=SILERO_OFFSET_SHIFT,
    )


def _webrtc_hysteresis(settings: VadSettings) -> Hysteresis:
    return Hysteresis(
        webrtc.STEP, WEBRTC_ONSET_VOTES, WEBRTC_OFFSET_VOTES, settings.min_speech, settings.min_silence
    )


def _write_flags(flags: Flags, first: int, on: bool, segmenter: SpeechSegmenter) -> None:
    """Writes the flag of each frame from the transitions; ``on`` is the flag before them."""
    at = 0
    for transition in segmenter.transitions:
        flags[at : transition.frame - first] = on
        at, on = max(0, transition.frame - first), transition.on
    flags[at:] = on
    segmenter.transitions.clear()


def _frames_needed(event: Event) -> float:
    return event.detected_at
