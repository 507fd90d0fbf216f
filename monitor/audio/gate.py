"""Who speaks when: voice activity of both sides, and the stretches of speech.

Silero decides by default, at 16 kHz (an 8 kHz call is doubled first): it knows speech from music and
tones. ``webrtc`` does without the neural model, at a fifth of the cost, and takes music for speech.
``both`` lets Silero decide and WebRTC place the edges. The figures of each are printed by
``benchmarks/vad.py``.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.audio import silero, webrtc
from monitor.audio.activity import Tempo, Voice
from monitor.audio.edges import QUIET, SPEECH, UNSURE, Edges
from monitor.audio.frames import Run
from monitor.audio.upsample import HALF, Doubler
from monitor.config import GateSettings
from monitor.events import CHANNELS, Event

Flags = NDArray[np.bool_]
Samples = NDArray[np.float32]

WEBRTC_ON, WEBRTC_OFF = 6, 10
"""Votes of 10 ms in a row that raise and lower the flag."""
REACH = 0.1
"""Seconds by which WebRTC may move an edge of Silero's."""
SILERO_ONSET, SILERO_OFFSET = -0.03, -0.06
"""Silero's median bias in seconds at the edges of speech, taken out of the times that are told."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Who was heard to speak in a run's frames.

    ``active`` is bool [2, frames], rows as in ``CHANNELS``: the flag after hysteresis, as it could be
    known at the end of each frame. ``events`` are the stretches of speech that began or ended.
    """

    active: Flags
    events: list[Event]


class Detector(Protocol):
    """What turns the sound of both sides into votes, one list a side."""

    def feed(self, pcm: Samples) -> list[list[int]]:
        """The votes that float32 [2, n] at the call's rate completes."""

    def finish(self) -> list[list[int]]:
        """The votes on what was begun."""


class Gate:
    """Voice activity of both sides of a call at ``rate`` (8000 or 16000 Hz)."""

    def __init__(self, rate: int, settings: GateSettings = GateSettings()) -> None:  # noqa: B008 - it is frozen
        self._detector: Detector
        if settings.gate == "webrtc":
            self._detector, tempo = WebRtcVotes(rate, settings), _webrtc_tempo(settings)
        else:
            self._detector, tempo = SileroVotes(rate, settings), _silero_tempo(rate, settings)
        self._quick = WebRtcVotes(rate, settings) if settings.gate == "both" else None
        edges = [Edges(webrtc.STEP, REACH) if self._quick else None for _ in CHANNELS]
        self._voices = [Voice(channel, tempo, edge) for channel, edge in zip(CHANNELS, edges, strict=True)]
        self._frames = 0

    def feed(self, run: Run) -> Activity:
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
        return Activity(active, sorted(events, key=_known))

    def finish(self) -> list[Event]:
        """Hears the begun frame out and closes what is open."""
        events: list[Event] = []
        for voice, votes in zip(self._voices, self._detector.finish(), strict=True):
            events += voice.finish(votes, self._frames)
        return sorted(events, key=_known)


class SileroVotes:
    """Both sides through Silero: probabilities against the two thresholds."""

    def __init__(self, rate: int, settings: GateSettings) -> None:
        self._on, self._off = settings.on, settings.off
        self._doubler = Doubler(len(CHANNELS)) if rate != silero.RATE else None
        self._model = silero.Silero(settings.floor_dbfs)

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


class WebRtcVotes:
    """Both sides through WebRTC's detector."""

    def __init__(self, rate: int, settings: GateSettings) -> None:
        self._vads = [webrtc.WebRtc(rate, settings.webrtc_mode, settings.floor_dbfs) for _ in CHANNELS]

    def feed(self, pcm: Samples) -> list[list[int]]:
        """One vote for each 10 ms of ``pcm``."""
        return [vad.feed(side) for vad, side in zip(self._vads, pcm, strict=True)]

    def finish(self) -> list[list[int]]:
        """Nothing: a frame of 20 ms leaves no begun 10 ms."""
        return [[] for _ in self._vads]


def _silero_tempo(rate: int, settings: GateSettings) -> Tempo:
    return Tempo(
        step=silero.FRAME / silero.RATE,
        on_frames=settings.on_frames,
        off_frames=settings.off_frames,
        segment_min=settings.segment_min,
        bridge=settings.bridge,
        lag=HALF / rate if rate != silero.RATE else 0.0,
        onset=SILERO_ONSET,
        offset=SILERO_OFFSET,
    )


def _webrtc_tempo(settings: GateSettings) -> Tempo:
    return Tempo(webrtc.STEP, WEBRTC_ON, WEBRTC_OFF, settings.segment_min, settings.bridge)


def _lay(flags: Flags, first: int, on: bool, voice: Voice) -> None:
    """Lays the flips of a run over its frames, ``on`` being the flag before them."""
    at = 0
    for flip in voice.flips:
        flags[at : flip.frame - first] = on
        at, on = max(0, flip.frame - first), flip.on
    flags[at:] = on
    voice.flips.clear()


def _known(event: Event) -> float:
    return event.known
