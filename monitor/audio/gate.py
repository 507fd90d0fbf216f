"""Who speaks when: voice activity of both sides, and the stretches of speech.

Silero decides by default, at 16 kHz (an 8 kHz call is doubled first): it knows speech from music and
tones. Digital silence needs no model: after a quarter of a second below the floor it sleeps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.audio.activity import QUIET, SPEECH, Tempo, Voice
from monitor.audio.frames import Run
from monitor.audio.silero import FRAME, RATE, Silero
from monitor.audio.upsample import HALF, Doubler
from monitor.config import GateSettings
from monitor.events import CHANNELS, Event

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Activity:
    """Who was heard to speak in a run's frames.

    ``active`` is bool [2, frames], rows as in ``CHANNELS``: the flag after hysteresis, as it could be
    known at the end of each frame. ``events`` are the stretches of speech that began or ended.
    """

    active: Flags
    events: list[Event]


class Gate:
    """Voice activity of both sides of a call at ``rate`` (8000 or 16000 Hz)."""

    def __init__(self, rate: int, settings: GateSettings = GateSettings()) -> None:  # noqa: B008 - it is frozen
        self._settings = settings
        self._doubler = Doubler() if rate != RATE else None
        self._models = [Silero() for _ in CHANNELS]
        tempo = _tempo(settings, lag=HALF / rate if self._doubler else 0.0)
        self._voices = [Voice(channel, tempo) for channel in CHANNELS]
        self._frames = 0

    def feed(self, run: Run) -> Activity:
        """The flags of the run's frames, and what began or ended in them."""
        self._frames = run.first + run.frames
        sound = self._doubler.feed(run.pcm) if self._doubler else run.pcm
        active = np.empty((len(CHANNELS), run.frames), np.bool_)
        events: list[Event] = []
        for row, (model, voice) in enumerate(zip(self._models, self._voices, strict=True)):
            was = voice.on
            events += voice.feed(self._votes(model.feed(sound[row])))
            _lay(active[row], run.first, was, voice)
        return Activity(active, sorted(events, key=lambda event: event.known))

    def finish(self) -> list[Event]:
        """Hears the begun frame out and closes what is open."""
        events: list[Event] = []
        for model, voice in zip(self._models, self._voices, strict=True):
            events += voice.finish(self._votes(model.finish()), self._frames)
        return sorted(events, key=lambda event: event.known)

    def _votes(self, probabilities: NDArray[np.float32]) -> list[int]:
        loud = (probabilities >= self._settings.on) * SPEECH
        votes: list[int] = (loud + (probabilities < self._settings.off) * QUIET).tolist()
        return votes


def _tempo(settings: GateSettings, lag: float) -> Tempo:
    return Tempo(
        FRAME / RATE, settings.on_frames, settings.off_frames, settings.segment_min, settings.bridge, lag
    )


def _lay(flags: Flags, first: int, on: bool, voice: Voice) -> None:
    """Lays the flips of a run over its frames."""
    at = 0
    for flip in voice.flips:
        flags[at : flip.frame - first] = on
        at, on = max(0, flip.frame - first), flip.on
    flags[at:] = on
    voice.flips.clear()
