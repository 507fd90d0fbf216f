"""Quality: whose speech is only an echo, and when the sound itself is not to be trusted.

Bled frames are taken out of the activity at once (see ``bleed``); for half a second after each, decisions
about talk-over are hushed. What lasts is told once at its beginning and once at its end (see ``trouble``).

Exchanged sides are not told here: a telephone line that returns the agent's voice sounds just like a
microphone in the caller's place. Which side came through a telephone is found (see ``band``), and adds to
other evidence (see ``sides``).
"""

from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from monitor.audio.band import WIDE_RATE, Bands
from monitor.audio.bleed import BleedGuard, Verdict
from monitor.audio.clipping import is_clipped
from monitor.audio.frames import Run, seconds
from monitor.audio.likeness import GRID
from monitor.audio.trouble import WEAK, DeadChannel, SameAudio, Second, troubles
from monitor.config import QualitySettings
from monitor.events import CHANNELS, FRAME_SECONDS, Channel, Event

Flags = NDArray[np.bool_]

_SECOND = 50  # frames
_RANGE = 10 ** (-90 / 20)  # a line's noise is not further below its loudest sound than a 16-bit step
_ENOUGH_SPEECH = 15  # frames of a second, to tell clipping from


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Who really speaks in a run's frames.

    ``active`` is bool [2, frames] without bled frames, rows as in ``CHANNELS``; ``hushed`` is bool
    [frames] and says where nothing is to be decided.
    """

    active: Flags
    hushed: Flags
    events: list[Event]
    telephone: tuple[Channel, float] | None = None
    """The one side that came through a telephone, and when that became known; told once."""


class Quality:
    """Watches the sound of one call. Feed it every run once, in order."""

    def __init__(self, rate: int, settings: QualitySettings) -> None:
        self._settings = settings
        self._rate = rate
        self._guard = BleedGuard(rate, settings)
        self._same = SameAudio(settings)
        self._troubles = [self._same, *troubles(settings)]
        self._bands = Bands() if rate == WIDE_RATE else None
        self._frames = 0
        self._loudest = [0.0, 0.0]
        self._heard: list[tuple[Run, Flags]] = []
        self._verdicts: list[Verdict] = []

    def feed(self, run: Run, active: Flags) -> Cleaned:
        """Hears a run and who seems to speak in it."""
        self._frames = run.first + run.frames
        guarded = self._guard.feed(run, active)
        clean = active & ~guarded.bled
        self._heard.append((run, clean))
        self._verdicts += guarded.verdicts
        events: list[Event] = []
        telephone = None
        begun = run.first // _SECOND
        if self._frames // _SECOND > begun:
            telephone = self._look(begun, self._frames // _SECOND, events)
        return Cleaned(clean, guarded.hushed, events, telephone)

    def without(self, side: Channel) -> Event:
        """Told before any sound: this call was recorded without that side."""
        gone = (one for one in self._troubles if isinstance(one, DeadChannel))
        return next(one for one in gone if one.row == CHANNELS.index(side)).known_from_the_beginning()

    def finish(self) -> list[Event]:
        """What is still wrong when the call ends ends with it."""
        now = seconds(self._frames)
        ends = [trouble.end(now, now) for trouble in self._troubles]
        return [event for event in ends if event is not None]

    def _look(self, first: int, end: int, events: list[Event]) -> tuple[Channel, float] | None:
        """Judges the whole seconds from ``first`` to ``end``, and keeps what lies after them."""
        telephone = None
        start = self._heard[0][0].first
        frame = self._rate // _SECOND
        pcm = np.concatenate([run.pcm for run, _ in self._heard], axis=1)
        clean = np.concatenate([flags for _, flags in self._heard], axis=1)
        for number in range(first, end):
            at = number * _SECOND - start
            sound = pcm[:, at * frame : (at + _SECOND) * frame]
            second = self._count(number, sound, clean[:, at : at + _SECOND])
            if self._bands and not self._bands.done and self._bands.hear(sound, clean[:, at : at + _SECOND]):
                telephone = CHANNELS[self._bands.telephone or 0], number + 1.0
            told = [trouble.look(second) for trouble in self._troubles]
            events += [event for event in told if event is not None]
        kept = end * _SECOND - start
        rest = Run(start + kept, pcm[:, kept * frame :].copy(), self._rate)
        self._heard = [(rest, clean[:, kept:].copy())]
        return telephone

    def _count(self, number: int, sound: NDArray[np.float32], clean: Flags) -> Second:
        edge = (number + 1) * _SECOND
        found = list(takewhile(lambda verdict: verdict.frame < edge, self._verdicts))
        del self._verdicts[: len(found)]
        same = [v.gain for v in found if v.same]
        point = GRID * FRAME_SECONDS
        one, two = clean.sum(axis=1).tolist()
        # One sound on both channels is one trouble, not an echo as well.
        one_sound = self._same.since is not None
        echoes = [v for v in found if not one_sound and (not v.same or v.gain > WEAK)]
        bled = [sum(v.bled[row] for v in echoes) for row in range(len(CHANNELS))]
        return Second(
            start=number,
            talk=(one * FRAME_SECONDS, two * FRAME_SECONDS),
            bled=(bled[0] * point, bled[1] * point),
            compared=len(found) * point,
            alike=len(same) * point,
            gain=sorted(same)[len(same) // 2] if same else 0.0,
            clipped=(self._clipped(sound[0], clean[0]), self._clipped(sound[1], clean[1])),
            signal=(self._signal(0, sound[0]), self._signal(1, sound[1])),
        )

    def _signal(self, row: int, sound: NDArray[np.float32]) -> bool:
        """Whether a second holds any signal; what counts as none falls with the level of the channel."""
        swing = float(np.ptp(sound)) / 2
        self._loudest[row] = max(self._loudest[row], swing)
        none = 10 ** (self._settings.dead_dbfs / 20)
        if self._loudest[row] > none:
            none = min(none, self._loudest[row] * _RANGE)
        return swing > none

    def _clipped(self, sound: NDArray[np.float32], active: Flags) -> bool | None:
        if np.count_nonzero(active) < _ENOUGH_SPEECH:
            return None
        speech = sound[np.repeat(active, self._rate // _SECOND)]
        return is_clipped(speech, self._rate, self._settings.clipping_share)
