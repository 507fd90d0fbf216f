"""Voice activity detection: who speaks when, and the stretches of speech of each side.

Where speech really began: the edges of one detector put to those of a quicker one nearby.

Silero says whether there is speech, in steps of 32 ms; WebRTC hears its edges in steps of 10 ms, but
cannot be trusted about the whether. So an edge of Silero's moves to the nearest turn of WebRTC's, if
there is one within reach, and stays where it is otherwise (inside music WebRTC never turns).

From votes to speech: the hysteresis and the segments of one side.

A detector votes on its own grid (32 ms for Silero, 10 ms for WebRTC): speech, quiet, or in between.
The flag rises after ``on_frames`` votes for speech in a row and falls after ``off_frames`` votes for
quiet. Segments are laid over the flag: short bursts are dropped, short gaps bridged, and their edges
are put back to where the votes began, not where the flag turned.

All of it counts votes and whole 20 ms frames; nothing knows how the sound was cut.

Who speaks when: voice activity of both sides, and the stretches of speech.

Silero decides by default, at 16 kHz (an 8 kHz call is doubled first): it knows speech from music and
tones. ``webrtc`` does without the neural model, at a fifth of the cost, and takes music for speech.
``both`` lets Silero decide and WebRTC place the edges. The figures of each are printed by
``benchmarks/vad.py``.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.audio import silero, webrtc
from monitor.audio.frames import QUIET, SPEECH, UNSURE, Run, seconds
from monitor.audio.upsample import HALF, Upsampler
from monitor.config import GateSettings
from monitor.events import CHANNELS, FRAME_SECONDS, Channel, Event, SpeechEnded, SpeechStarted

VOTES_KEPT = 200
"""Votes remembered beyond the run that is being heard (2 s): segments look back no further."""


class BoundaryAligner:
    """The recent votes of the quick detector; ``step`` seconds each, ``reach`` in seconds.

    ``hangover`` is how long the detector goes on voting for speech when it is over.
    """

    def __init__(self, step: float, reach: float, hangover: float = 0.0) -> None:
        self._step, self._reach, self._hangover = step, round(reach / step), round(hangover / step)
        self._speech: deque[bool] = deque()
        self._first = 0

    def feed(self, votes: list[int]) -> None:
        """The next votes; what lies more than ``VOTES_KEPT`` behind them is forgotten."""
        while len(self._speech) > VOTES_KEPT:
            self._speech.popleft()
            self._first += 1
        self._speech.extend(vote == SPEECH for vote in votes)

    def rise(self, at: float, known: float) -> float:
        """Where the speech that seems to begin at ``at`` began, by what was known at ``known`` seconds."""
        return self._nearest(at, known, was=False)

    def fall(self, at: float, known: float) -> float:
        """Where the speech that seems to end at ``at`` ended."""
        turn = self._nearest(at + self._hangover * self._step, known, was=True)
        return turn - self._hangover * self._step

    def _nearest(self, at: float, known: float, *, was: bool) -> float:
        """The time of the nearest turn away from ``was``, or ``at`` if none is in reach."""
        middle, newest = round(at / self._step), round(known / self._step)
        for away in range(self._reach + 1):
            for place in (middle - away, middle + away):
                if place < newest and self._heard(place - 1) is was and self._heard(place) is (not was):
                    return place * self._step
        return at

    def _heard(self, number: int) -> bool | None:
        place = number - self._first
        return self._speech[place] if 0 <= place < len(self._speech) else None


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """How a detector's votes become speech. ``step`` is seconds per vote, ``lag`` how late it hears.

    ``onset`` and ``offset`` (seconds) move the edges of segments by the detector's measured bias.
    """

    step: float
    on_frames: int
    off_frames: int
    segment_min: float
    bridge: float
    lag: float = 0.0
    onset: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Transition:
    """The flag turned: ``on`` holds from the 20 ms frame ``frame`` on."""

    frame: int
    on: bool


@dataclass(slots=True)
class _Segment:
    """A stretch of speech while it lasts: seconds of its edges, and how much of it was speech."""

    start: float
    end: float
    spoken: float = 0.0
    told: bool = False


@dataclass(slots=True)
class SpeechSegmenter:
    """Follows one side from vote to vote."""

    channel: Channel
    tempo: Hysteresis
    edges: BoundaryAligner | None = None
    votes: int = 0
    on: bool = False
    flips: list[Transition] = field(default_factory=list)
    _streak: int = 0
    _burst: float = 0.0
    _segment: _Segment | None = None
    _last: int | None = None

    def feed(self, votes: Iterable[int]) -> list[Event]:
        """Counts the next votes; the flips they make wait in ``flips``."""
        events: list[Event] = []
        for vote in votes:
            self.votes += 1
            if self.on or vote > UNSURE or self._segment is not None:
                self._count(vote, events)
            else:
                self._streak = 0
        return events

    def finish(self, votes: Iterable[int], frames: int) -> list[Event]:
        """The call is over after ``frames`` frames of 20 ms: the last votes, then what is open closes."""
        self._last = frames
        events = self.feed(votes)
        self._close(frames, events)
        self.on = False
        return events

    @property
    def _known(self) -> int:
        """Whole 20 ms frames that had to be heard for the last vote."""
        frames = ceil(round(self.votes * self.tempo.step / FRAME_SECONDS, 6))
        return frames if self._last is None else min(frames, self._last)

    @property
    def _earliest(self) -> float:
        """Where speech would begin if the votes of this streak, or the next one, were its first."""
        return (self.votes - self._streak) * self.tempo.step - self.tempo.lag + self.tempo.onset

    def _count(self, vote: int, events: list[Event]) -> None:
        wanted = QUIET if self.on else SPEECH
        self._streak = self._streak + 1 if vote == wanted else 0
        if self.on:
            self._hear(vote)
            if self._streak >= self.tempo.off_frames:
                self._turn(on=False)
        elif self._streak >= self.tempo.on_frames:
            self._turn(on=True)
        self._tell(events)

    def _turn(self, *, on: bool) -> None:
        self.on = on
        self.flips.append(Transition(self._known - 1, on))
        start = max(0.0, self._earliest)
        self._streak = 0
        if on:
            self._burst = start
            if self._segment is None:
                self._segment = _Segment(start, start)
            self._hear(SPEECH)
        elif self._segment is not None:
            self._segment.spoken += self._segment.end - self._burst

    def _hear(self, vote: int) -> None:
        """While the flag is up, the segment reaches to the end of the last vote that was not for quiet."""
        if self._segment is not None and vote != QUIET:
            end = self.votes * self.tempo.step - self.tempo.lag + self.tempo.offset
            self._segment.end = max(self._segment.end, self._burst, end)

    def _tell(self, events: list[Event]) -> None:
        segment = self._segment
        if segment is None:
            return
        spoken = segment.spoken + (segment.end - self._burst if self.on else 0.0)
        if not segment.told and spoken >= self.tempo.segment_min - 1e-9:
            segment.told = True
            known = seconds(self._known)
            if self.edges:
                segment.start = self.edges.rise(segment.start, known)
            events.append(SpeechStarted(channel=self.channel, at=round(segment.start, 3), detected_at=known))
        if not self.on and self._earliest - segment.end >= self.tempo.bridge - 1e-9:
            self._close(self._known, events)

    def _close(self, frames: int, events: list[Event]) -> None:
        segment, self._segment = self._segment, None
        if segment is None or not segment.told:
            return
        known = seconds(frames)
        end = self.edges.fall(segment.end, known) if self.edges else segment.end
        start, end = round(segment.start, 3), round(min(end, known), 3)
        events.append(SpeechEnded(channel=self.channel, start=start, end=max(start, end), detected_at=known))


Flags = NDArray[np.bool_]
Samples = NDArray[np.float32]

WEBRTC_ON, WEBRTC_OFF = 6, 10
"""Votes of 10 ms in a row that raise and lower the flag."""
REACH = 0.1
"""Seconds by which WebRTC may move an edge of Silero's."""
SILERO_ONSET, SILERO_OFFSET = -0.03, -0.06
"""Silero's median bias in seconds at the edges of speech, taken out of the times that are told."""


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """Who was heard to speak in a run's frames.

    ``active`` is bool [2, frames], rows as in ``CHANNELS``: the flag after hysteresis, as it could be
    known at the end of each frame. ``events`` are the stretches of speech that began or ended.
    """

    active: Flags
    events: list[Event]


class SpeechDetector(Protocol):
    """What turns the sound of both sides into votes, one list a side."""

    def feed(self, pcm: Samples) -> list[list[int]]:
        """The votes that float32 [2, n] at the call's rate completes."""

    def finish(self) -> list[list[int]]:
        """The votes on what was begun."""


class VoiceActivityDetector:
    """Voice activity of both sides of a call at ``rate`` (8000 or 16000 Hz)."""

    def __init__(self, rate: int, settings: GateSettings = GateSettings()) -> None:  # noqa: B008 - it is frozen
        self._detector: SpeechDetector
        if settings.gate == "webrtc":
            self._detector, tempo = WebRtcDetector(rate, settings), _webrtc_tempo(settings)
        else:
            self._detector, tempo = SileroDetector(rate, settings), _silero_tempo(rate, settings)
        self._quick = WebRtcDetector(rate, settings) if settings.gate == "both" else None
        edges = [BoundaryAligner(webrtc.STEP, REACH) if self._quick else None for _ in CHANNELS]
        self._voices = [
            SpeechSegmenter(channel, tempo, edge) for channel, edge in zip(CHANNELS, edges, strict=True)
        ]
        self._frames = 0

    def feed(self, run: Run) -> VoiceActivity:
        """The flags of the run's frames, and what began or ended in them."""
        self._frames = run.first + run.frames
        if self._quick:
            for voice, votes in zip(self._voices, self._quick.feed(run.pcm), strict=True):
                if voice.edges:
                    voice.edges.feed(votes)
        active = np.empty((len(CHANNELS), run.frames), np.bool_)
        events: list[Event] = []
        for flags, voice, votes in zip(active, self._voices, self._detector.feed(run.pcm), strict=True):
            was = voice.on
            events += voice.feed(votes)
            _lay(flags, run.first, was, voice)
        return VoiceActivity(active, sorted(events, key=_known))

    def finish(self) -> list[Event]:
        """Hears the begun frame out and closes what is open."""
        events: list[Event] = []
        for voice, votes in zip(self._voices, self._detector.finish(), strict=True):
            events += voice.finish(votes, self._frames)
        return sorted(events, key=_known)


class SileroDetector:
    """Both sides through Silero: probabilities against the two thresholds."""

    def __init__(self, rate: int, settings: GateSettings) -> None:
        self._on, self._off = settings.on, settings.off
        self._doubler = Upsampler(len(CHANNELS)) if rate != silero.RATE else None
        self._model = silero.SileroModel(settings.floor_dbfs)

    def feed(self, pcm: Samples) -> list[list[int]]:
        """One vote for each 32 ms that ``pcm`` completes."""
        sound = self._doubler.feed(pcm) if self._doubler else pcm
        return self._votes(self._model.feed(sound))

    def finish(self) -> list[list[int]]:
        """The vote on the begun 32 ms, filled up with silence."""
        return self._votes(self._model.finish())

    def _votes(self, probabilities: Samples) -> list[list[int]]:
        on, off = self._on, self._off
        return [
            [SPEECH if p >= on else QUIET if p < off else UNSURE for p in side]
            for side in probabilities.tolist()
        ]


class WebRtcDetector:
    """Both sides through WebRTC's detector."""

    def __init__(self, rate: int, settings: GateSettings) -> None:
        self._vads = [webrtc.WebRtcModel(rate, settings.webrtc_mode, settings.floor_dbfs) for _ in CHANNELS]

    def feed(self, pcm: Samples) -> list[list[int]]:
        """One vote for each 10 ms of ``pcm``."""
        return [vad.feed(side) for vad, side in zip(self._vads, pcm, strict=True)]

    def finish(self) -> list[list[int]]:
        """Nothing: a frame of 20 ms leaves no begun 10 ms."""
        return [[] for _ in self._vads]


def _silero_tempo(rate: int, settings: GateSettings) -> Hysteresis:
    return Hysteresis(
        step=silero.FRAME / silero.RATE,
        on_frames=settings.on_frames,
        off_frames=settings.off_frames,
        segment_min=settings.segment_min,
        bridge=settings.bridge,
        lag=HALF / rate if rate != silero.RATE else 0.0,
        onset=SILERO_ONSET,
        offset=SILERO_OFFSET,
    )


def _webrtc_tempo(settings: GateSettings) -> Hysteresis:
    return Hysteresis(webrtc.STEP, WEBRTC_ON, WEBRTC_OFF, settings.segment_min, settings.bridge)


def _lay(flags: Flags, first: int, on: bool, voice: SpeechSegmenter) -> None:
    """Lays the flips of a run over its frames, ``on`` being the flag before them."""
    at = 0
    for flip in voice.flips:
        flags[at : flip.frame - first] = on
        at, on = max(0, flip.frame - first), flip.on
    flags[at:] = on
    voice.flips.clear()


def _known(event: Event) -> float:
    return event.detected_at
