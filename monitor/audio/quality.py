"""The quality of the sound: crosstalk, clipping, dead or doubled channels.

Clipping, found by the shape of the wave: its peaks stand still, or crowd at the top.

The level does not matter: a recording that was clipped and then turned down is still clipped, a loud one
is not. Sound that was resampled after it was clipped has no flat tops any more, but its peaks still
crowd: of clean speech at most 5 % of a second's samples lie above 0.8 of its peak (99th percentile over
seven recordings, mean 0.7 %), of speech clipped by 12 dB and resampled about 10 %.

Trouble with the sound that lasts: told once when it begins, and once when it is over.

It is judged at the end of each whole second of the call, from what was counted in it:

    told           begins when                                           ends when
    bleed          a side was bled for 1 s of the last 10 s              the other talked for 10 s without
    same_audio     for 3 s of compared speech both channels are alike    for 3 s of it they are not
                   (for 20 s, where one is more than 12 dB weaker: a
                   headset that leaks looks alike until both have spoken)
    clipping       2 of the side's last 5 seconds of speech are clipped  none of its last 5 is
    dead_channel   no signal for 10 s, and the other talked for 2 s      there is a signal

Quality: whose speech is only an echo, and when the sound itself is not to be trusted.

Bled frames are taken out of the activity at once (see ``bleed``); for half a second after each, decisions
about talk-over are hushed. What lasts is told once at its beginning and once at its end (see ``trouble``).

Exchanged sides are not told here: a telephone line that returns the agent's voice sounds just like a
microphone in the caller's place. Which side came through a telephone is found (see ``band``), and adds to
other evidence (see ``sides``).
"""

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.audio.band import WIDE_RATE, Bands
from monitor.audio.crosstalk import GRID, CrosstalkDecision, CrosstalkDetector
from monitor.audio.frames import Run, seconds
from monitor.config import QualitySettings
from monitor.events import CHANNELS, FRAME_SECONDS, Channel, Event, Quality, QualityKind

_FLAT = 0.01  # of half the range: samples this near to an extreme lie on it (mu-law steps are larger)
_RUN = 0.000375  # seconds; the tip of a voice's fundamental stays near its extreme for less
_HIGH, _CROWDED = 0.8, 0.06
_PEAK = 0.999  # the peak without the ringing that a resampler adds


def is_clipped(sound: NDArray[np.float32], rate: int, share: float) -> bool:
    """Whether speech (about a second, mono) is clipped; ``share`` of its samples lie flat then."""
    if not sound.size or float(np.ptp(sound)) <= 0:
        return False
    return flat_share(sound, rate) >= share or crowded_share(sound) >= _CROWDED


def flat_share(sound: NDArray[np.float32], rate: int) -> float:
    """The share of samples, 0 to 1, that lie in runs at the top or at the bottom of ``sound``."""
    top, bottom = float(sound.max()), float(sound.min())
    near = _FLAT * (top - bottom) / 2
    least = round(_RUN * rate)
    return (_in_runs(sound >= top - near, least) + _in_runs(sound <= bottom + near, least)) / sound.size


def crowded_share(sound: NDArray[np.float32]) -> float:
    """The share of samples, 0 to 1, that lie near the peak of ``sound``."""
    size = np.abs(sound - sound.mean(dtype=np.float64).astype(np.float32))
    place = int(size.size * _PEAK)
    peak = np.partition(size, place)[place]
    return float(np.mean(size >= np.float32(_HIGH) * peak))


def _in_runs(flags: NDArray[np.bool_], least: int) -> int:
    """How many flags stand in runs of at least ``least``."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= least].sum())


_BLED_LEAST, _BLED_OF, _CLEAR_AFTER = 1.0, 10, 10.0
_BLED_AT_ALL = 0.12  # seconds of a second; a single mistaken frame does not keep the trouble up
_ALIKE, _UNLIKE, _ALIKE_FOR, _WEAK_FOR = 0.6, 0.3, 3, 20
_CLIPPED, _CLIPPED_OF = 2, 5
_TALKED = 2.0
WEAK = 12.0
"""Decibels between alike channels from which one is rather the echo of the other."""


@dataclass(frozen=True, slots=True)
class SecondSummary:
    """What was counted in one whole second of the call; pairs are rows, times are seconds."""

    start: int
    talk: tuple[float, float]
    bled: tuple[float, float]
    compared: float
    """How long speech of the two sides was compared."""
    alike: float
    """How much of that was the same sound in both channels."""
    gain: float
    """The level difference between the channels where they are alike, in dB, without sign."""
    clipped: tuple[bool | None, bool | None]
    """Null where there was too little speech to tell."""
    signal: tuple[bool, bool]
    """Whether anything came at all."""


class QualityDetector:
    """One kind of trouble of one side, or of both where ``row`` is null."""

    kind: QualityKind

    def __init__(self, row: int | None, settings: QualitySettings) -> None:
        self.row = row
        self.settings = settings
        self.since: float | None = None

    def begin(self, start: float, known: float) -> Event:
        """It began at ``start``."""
        self.since = start
        return self._told(start, None, known)

    def end(self, at: float, known: float) -> Event | None:
        """It was over at ``at``; null if there was none."""
        since, self.since = self.since, None
        return None if since is None else self._told(since, max(since, at), known)

    def look(self, second: SecondSummary) -> Event | None:
        """Judges one more second."""
        raise NotImplementedError

    def _told(self, start: float, end: float | None, known: float) -> Event:
        channel = None if self.row is None else CHANNELS[self.row]
        return Quality.of(self.kind, channel, start, end=end, detected_at=known)


class CrosstalkTrouble(QualityDetector):
    """The side carries the other one's voice."""

    kind: QualityKind = "crosstalk"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._recent: deque[tuple[int, float]] = deque(maxlen=_BLED_OF)
        self._last = 0
        self._clear = 0.0

    def look(self, second: SecondSummary) -> Event | None:  # noqa: D102
        row = self.row or 0
        bled = second.bled[row]
        self._recent.append((second.start, bled))
        if bled >= _BLED_AT_ALL:
            self._last, self._clear = second.start + 1, 0.0
        else:
            self._clear += second.talk[1 - row]
        if self.since is None and sum(b for _, b in self._recent) >= _BLED_LEAST - 1e-9:
            first = next(start for start, b in self._recent if b)
            return self.begin(float(first), second.start + 1.0)
        if self.since is not None and self._clear >= _CLEAR_AFTER:
            self._recent.clear()
            return self.end(float(self._last), second.start + 1.0)
        return None


class SameAudioTrouble(QualityDetector):
    """Both channels carry the same sound, at whatever level."""

    kind: QualityKind = "same_audio"

    def __init__(self, settings: QualitySettings) -> None:
        super().__init__(None, settings)
        self._alike: list[float] = []
        self._unlike = 0

    def look(self, second: SecondSummary) -> Event | None:  # noqa: D102
        if second.compared < 0.4:
            return None
        known = second.start + 1.0
        share = second.alike / second.compared
        if share >= _ALIKE:
            self._alike.append(float(second.start))
        else:
            self._alike.clear()
        self._unlike = self._unlike + 1 if share < _UNLIKE else 0
        needed = _WEAK_FOR if second.gain > WEAK else _ALIKE_FOR
        if self.since is None and len(self._alike) >= needed:
            return self.begin(self._alike[0], known)
        del self._alike[:-_WEAK_FOR]
        if self._unlike >= _ALIKE_FOR:
            return self.end(known - _ALIKE_FOR, known)
        return None


class ClippingTrouble(QualityDetector):
    """The side's waves are cut off."""

    kind: QualityKind = "clipping"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_CLIPPED_OF)
        self._last = 0.0

    def look(self, second: SecondSummary) -> Event | None:  # noqa: D102
        clipped = second.clipped[self.row or 0]
        if clipped is None:
            return None
        known = second.start + 1.0
        self._recent.append((float(second.start), clipped))
        self._last = known if clipped else self._last
        hits = [start for start, hit in self._recent if hit]
        if self.since is None and len(hits) >= _CLIPPED:
            return self.begin(hits[0], known)
        if not hits and len(self._recent) == _CLIPPED_OF:
            return self.end(self._last, known)
        return None


class DeadChannelTrouble(QualityDetector):
    """Nothing comes from the side, not even noise, while the other one talks."""

    kind: QualityKind = "dead_channel"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._start: int | None = None
        self._talk = 0.0

    def known_from_the_beginning(self) -> Event:
        """There is no such side in this recording."""
        self._start = 0
        row = self.row or 0
        here, gone = CHANNELS[1 - row], CHANNELS[row]
        say = f"This recording holds the {here} alone; what the {gone} did or left out is not judged."
        return msgspec.structs.replace(self.begin(0.0, 0.0), say=say)

    def look(self, second: SecondSummary) -> Event | None:  # noqa: D102
        row = self.row or 0
        if second.signal[row]:
            self._start, self._talk = None, 0.0
            return self.end(float(second.start), second.start + 1.0)
        if self._start is None:
            self._start = second.start
        self._talk += second.talk[1 - row]
        long_enough = second.start + 1 - self._start >= self.settings.dead_after
        if self.since is None and long_enough and self._talk >= _TALKED:
            return self.begin(float(self._start), second.start + 1.0)
        return None


def quality_detectors(settings: QualitySettings) -> list[QualityDetector]:
    """Everything that is watched on each side of a call."""
    sides = range(len(CHANNELS))
    return [
        kind(row, settings)
        for row in sides
        for kind in (CrosstalkTrouble, ClippingTrouble, DeadChannelTrouble)
    ]


Flags = NDArray[np.bool_]

_SECOND = 50  # frames
_RANGE = 10 ** (-90 / 20)  # a line's noise is not further below its loudest sound than a 16-bit step
_ENOUGH_SPEECH = 15  # frames of a second, to tell clipping from


@dataclass(frozen=True, slots=True)
class CleanedActivity:
    """Who really speaks in a run's frames.

    ``active`` is bool [2, frames] without bled frames, rows as in ``CHANNELS``; ``hushed`` is bool
    [frames] and says where nothing is to be decided.
    """

    active: Flags
    hushed: Flags
    events: list[Event]
    telephone: tuple[Channel, float] | None = None
    """The one side that came through a telephone, and when that became known; told once."""


class QualityMonitor:
    """Watches the sound of one call. Feed it every run once, in order."""

    def __init__(self, rate: int, settings: QualitySettings) -> None:
        self._settings = settings
        self._rate = rate
        self._guard = CrosstalkDetector(rate, settings)
        self._same = SameAudioTrouble(settings)
        self._troubles = [self._same, *quality_detectors(settings)]
        self._bands = Bands() if rate == WIDE_RATE else None
        self._frames = 0
        self._loudest = [0.0, 0.0]
        self._heard: list[tuple[Run, Flags]] = []
        self._verdicts: list[CrosstalkDecision] = []

    def feed(self, run: Run, active: Flags) -> CleanedActivity:
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
        return CleanedActivity(clean, guarded.hushed, events, telephone)

    def without(self, side: Channel) -> Event:
        """Told before any sound: this call was recorded without that side."""
        gone = (one for one in self._troubles if isinstance(one, DeadChannelTrouble))
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

    def _count(self, number: int, sound: NDArray[np.float32], clean: Flags) -> SecondSummary:
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
        return SecondSummary(
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
