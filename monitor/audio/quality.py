"""Audio quality: crosstalk, clipping, dead channels, and both channels carrying the same audio.

``QualityMonitor`` removes crosstalk frames from the voice activity at once; for half a second after each,
decisions about overlap are suppressed. Conditions that last are reported once at their start and once at
their end. They are judged at the end of each whole second of the call:

    condition      starts when                                           ends when
    crosstalk      1 s of crosstalk within the last 10 s                 the other side spoke 10 s without any
    same_audio     3 s of compared speech are alike in both channels     3 s of it are not
                   (20 s where one is more than 12 dB weaker: a headset
                   that leaks looks alike until both have spoken)
    clipping       2 of the side's last 5 seconds of speech are clipped  none of its last 5 is
    dead_channel   no signal for 10 s, and the other spoke for 2 s       there is a signal

Clipping is detected by the shape of the waveform: its peaks are flat, or samples crowd near the peak. The
level does not matter: a recording that was clipped and then turned down is still clipped, a loud one is not.
Audio that was resampled after clipping has no flat peaks any more, but its samples still crowd: of clean
speech at most 5 % of a second's samples lie above 0.8 of its peak (99th percentile over seven recordings,
mean 0.7 %), of speech clipped by 12 dB and resampled about 10 %.

Swapped sides are not detected here: a telephone line that returns the agent's voice sounds just like a
microphone in the caller's place. Which side came through a telephone is measured (``audio.band``) and counts
as evidence in ``dialogue.roles``.
"""

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.audio.band import WIDE_RATE, TelephoneBandDetector
from monitor.audio.crosstalk import CORRELATION_INTERVAL, CrosstalkDecision, CrosstalkDetector
from monitor.audio.frames import FrameBlock, seconds
from monitor.config import QualitySettings
from monitor.events import CHANNELS, FRAME_SECONDS, Channel, Event, Quality, QualityKind

_FLAT = 0.01  # of half the range: samples this near to an extreme lie on it (mu-law steps are larger)
_RUN = 0.000375  # seconds; the tip of a voice's fundamental stays near its extreme for less
_HIGH, _CROWDED = 0.8, 0.06
_PEAK = 0.999  # the peak without the ringing that a resampler adds


def is_clipped(sound: NDArray[np.float32], rate: int, share: float) -> bool:
    """Whether ``sound`` (float32 [n], about a second of speech at ``rate`` Hz) is clipped.

    ``share`` is the share of samples at flat peaks, 0 to 1, from which it is.
    """
    if not sound.size or float(np.ptp(sound)) <= 0:
        return False
    return flat_share(sound, rate) >= share or crowded_share(sound) >= _CROWDED


def flat_share(sound: NDArray[np.float32], rate: int) -> float:
    """The share of samples, 0 to 1, in flat stretches at the top or bottom of ``sound`` (float32 [n])."""
    top, bottom = float(sound.max()), float(sound.min())
    near = _FLAT * (top - bottom) / 2
    least = round(_RUN * rate)
    return (_in_runs(sound >= top - near, least) + _in_runs(sound <= bottom + near, least)) / sound.size


def crowded_share(sound: NDArray[np.float32]) -> float:
    """The share of samples, 0 to 1, that lie near the peak of ``sound`` (float32 [n])."""
    size = np.abs(sound - sound.mean(dtype=np.float64).astype(np.float32))
    place = int(size.size * _PEAK)
    peak = np.partition(size, place)[place]
    return float(np.mean(size >= np.float32(_HIGH) * peak))


def _in_runs(flags: NDArray[np.bool_], least: int) -> int:
    """The number of flags in runs of at least ``least``."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= least].sum())


_CROSSTALK_MIN, _CROSSTALK_WINDOW, _CLEAR_AFTER = 1.0, 10, 10.0
_CROSSTALK_TRACE = 0.12  # seconds of a second; a single mistaken frame does not keep the trouble up
_ALIKE, _UNLIKE, _ALIKE_FOR, _WEAK_FOR = 0.6, 0.3, 3, 20
_CLIPPED, _CLIPPED_OF = 2, 5
_TALKED = 2.0
WEAK = 12.0
"""Level difference in dB between alike channels from which one is rather an echo of the other."""


@dataclass(frozen=True, slots=True)
class SecondSummary:
    """Statistics of one whole second of the call; pairs are rows, durations are in seconds."""

    start: int
    talk: tuple[float, float]
    crosstalk: tuple[float, float]
    compared: float
    """How long speech of the two sides was compared."""
    same_audio: float
    """How much of that was the same audio in both channels."""
    level_difference: float
    """The level difference in dB between the channels where they are alike, without sign."""
    clipped: tuple[bool | None, bool | None]
    """None where there was too little speech to tell."""
    signal: tuple[bool, bool]
    """Whether there was any signal at all."""


class QualityCondition:
    """One kind of lasting problem of one row, or of both where ``row`` is None.

    ``since`` is its start in call seconds while it lasts, else None.
    """

    kind: QualityKind

    def __init__(self, row: int | None, settings: QualitySettings) -> None:
        self.row = row
        self.settings = settings
        self.since: float | None = None

    def begin(self, start: float, detected_at: float) -> Event:
        """Returns the event for a condition that started at ``start``; times are call seconds."""
        self.since = start
        return self._event(start, None, detected_at)

    def end(self, at: float, detected_at: float) -> Event | None:
        """Returns the event for a condition that ended at ``at``, or None if there was none."""
        since, self.since = self.since, None
        return None if since is None else self._event(since, max(since, at), detected_at)

    def update(self, second: SecondSummary) -> Event | None:
        """Judges one more second; returns an event where the condition starts or ends."""
        raise NotImplementedError

    def _event(self, start: float, end: float | None, detected_at: float) -> Event:
        channel = None if self.row is None else CHANNELS[self.row]
        return Quality.of(self.kind, channel, start, end=end, detected_at=detected_at)


class CrosstalkCondition(QualityCondition):
    """The side's channel carries the other side's voice."""

    kind: QualityKind = "crosstalk"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._recent: deque[tuple[int, float]] = deque(maxlen=_CROSSTALK_WINDOW)
        self._last = 0
        self._clear = 0.0

    def update(self, second: SecondSummary) -> Event | None:  # noqa: D102
        row = self.row or 0
        crosstalk = second.crosstalk[row]
        self._recent.append((second.start, crosstalk))
        if crosstalk >= _CROSSTALK_TRACE:
            self._last, self._clear = second.start + 1, 0.0
        else:
            self._clear += second.talk[1 - row]
        if self.since is None and sum(b for _, b in self._recent) >= _CROSSTALK_MIN - 1e-9:
            first = next(start for start, b in self._recent if b)
            return self.begin(float(first), second.start + 1.0)
        if self.since is not None and self._clear >= _CLEAR_AFTER:
            self._recent.clear()
            return self.end(float(self._last), second.start + 1.0)
        return None


class SameAudioCondition(QualityCondition):
    """Both channels carry the same audio, at whatever level."""

    kind: QualityKind = "same_audio"

    def __init__(self, settings: QualitySettings) -> None:
        super().__init__(None, settings)
        self._alike: list[float] = []
        self._unlike = 0

    def update(self, second: SecondSummary) -> Event | None:  # noqa: D102
        if second.compared < 0.4:
            return None
        detected_at = second.start + 1.0
        share = second.same_audio / second.compared
        if share >= _ALIKE:
            self._alike.append(float(second.start))
        else:
            self._alike.clear()
        self._unlike = self._unlike + 1 if share < _UNLIKE else 0
        needed = _WEAK_FOR if second.level_difference > WEAK else _ALIKE_FOR
        if self.since is None and len(self._alike) >= needed:
            return self.begin(self._alike[0], detected_at)
        del self._alike[:-_WEAK_FOR]
        if self._unlike >= _ALIKE_FOR:
            return self.end(detected_at - _ALIKE_FOR, detected_at)
        return None


class ClippingCondition(QualityCondition):
    """The side's waveform is clipped."""

    kind: QualityKind = "clipping"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_CLIPPED_OF)
        self._last = 0.0

    def update(self, second: SecondSummary) -> Event | None:  # noqa: D102
        clipped = second.clipped[self.row or 0]
        if clipped is None:
            return None
        detected_at = second.start + 1.0
        self._recent.append((float(second.start), clipped))
        self._last = detected_at if clipped else self._last
        hits = [start for start, hit in self._recent if hit]
        if self.since is None and len(hits) >= _CLIPPED:
            return self.begin(hits[0], detected_at)
        if not hits and len(self._recent) == _CLIPPED_OF:
            return self.end(self._last, detected_at)
        return None


class DeadChannelCondition(QualityCondition):
    """The side's channel carries no signal, not even noise, while the other side speaks."""

    kind: QualityKind = "dead_channel"

    def __init__(self, row: int, settings: QualitySettings) -> None:
        super().__init__(row, settings)
        self._start: int | None = None
        self._talk = 0.0

    def begin_missing(self) -> Event:
        """Returns the event for a side that the recording does not contain."""
        self._start = 0
        row = self.row or 0
        here, gone = CHANNELS[1 - row], CHANNELS[row]
        say = f"This recording holds the {here} alone; what the {gone} did or left out is not judged."
        return msgspec.structs.replace(self.begin(0.0, 0.0), say=say)

    def update(self, second: SecondSummary) -> Event | None:  # noqa: D102
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


def quality_conditions(settings: QualitySettings) -> list[QualityCondition]:
    """Returns all conditions that are watched on each side of a call."""
    sides = range(len(CHANNELS))
    return [
        kind(row, settings)
        for row in sides
        for kind in (CrosstalkCondition, ClippingCondition, DeadChannelCondition)
    ]


Flags = NDArray[np.bool_]

_SECOND = 50  # frames
_RANGE = 10 ** (-90 / 20)  # a line's noise is not further below its loudest sound than a 16-bit step
_ENOUGH_SPEECH = 15  # frames of a second that are needed to detect clipping


@dataclass(frozen=True, slots=True)
class CleanedActivity:
    """The frames of a block in which each side itself speaks.

    ``active`` is bool [2, frames] without crosstalk frames, rows as in ``CHANNELS``; ``suppressed`` is bool
    [frames], true where overlaps must not be decided.
    """

    active: Flags
    suppressed: Flags
    events: list[Event]
    telephone_side: tuple[Channel, float] | None = None
    """The one side that came through a telephone, and when that became known (call seconds); given once."""


class QualityMonitor:
    """Watches the audio quality of one call at ``rate`` (8000 or 16000 Hz). Takes every block once, in
    order.
    """

    def __init__(self, rate: int, settings: QualitySettings) -> None:
        self._settings = settings
        self._rate = rate
        self._crosstalk_detector = CrosstalkDetector(rate, settings)
        self._same = SameAudioCondition(settings)
        self._conditions = [self._same, *quality_conditions(settings)]
        self._bands = TelephoneBandDetector() if rate == WIDE_RATE else None
        self._frames = 0
        self._loudest = [0.0, 0.0]
        self._pending: list[tuple[FrameBlock, Flags]] = []
        self._decisions: list[CrosstalkDecision] = []

    def feed(self, block: FrameBlock, active: Flags) -> CleanedActivity:
        """Takes a block and ``active`` (bool [2, frames], the frames in which a side seems to speak)."""
        self._frames = block.first + block.frames
        detected = self._crosstalk_detector.feed(block, active)
        clean = active & ~detected.crosstalk
        self._pending.append((block, clean))
        self._decisions += detected.decisions
        events: list[Event] = []
        telephone = None
        begun = block.first // _SECOND
        if self._frames // _SECOND > begun:
            telephone = self._judge_seconds(begun, self._frames // _SECOND, events)
        return CleanedActivity(clean, detected.suppressed, events, telephone)

    def report_missing(self, side: Channel) -> Event:
        """Returns the event for a call that was recorded without ``side``; call it before any audio."""
        gone = (one for one in self._conditions if isinstance(one, DeadChannelCondition))
        return next(one for one in gone if one.row == CHANNELS.index(side)).begin_missing()

    def finish(self) -> list[Event]:
        """Ends the conditions that still last at the end of the call."""
        now = seconds(self._frames)
        ends = [condition.end(now, now) for condition in self._conditions]
        return [event for event in ends if event is not None]

    def _judge_seconds(self, first: int, end: int, events: list[Event]) -> tuple[Channel, float] | None:
        """Judges the whole seconds from ``first`` to ``end``, and keeps what lies after them."""
        telephone = None
        start = self._pending[0][0].first
        frame = self._rate // _SECOND
        pcm = np.concatenate([block.pcm for block, _ in self._pending], axis=1)
        clean = np.concatenate([flags for _, flags in self._pending], axis=1)
        for number in range(first, end):
            at = number * _SECOND - start
            sound = pcm[:, at * frame : (at + _SECOND) * frame]
            second = self._summarise(number, sound, clean[:, at : at + _SECOND])
            if self._bands and not self._bands.done and self._bands.feed(sound, clean[:, at : at + _SECOND]):
                telephone = CHANNELS[self._bands.telephone_row or 0], number + 1.0
            reported = [condition.update(second) for condition in self._conditions]
            events += [event for event in reported if event is not None]
        kept = end * _SECOND - start
        rest = FrameBlock(start + kept, pcm[:, kept * frame :].copy(), self._rate)
        self._pending = [(rest, clean[:, kept:].copy())]
        return telephone

    def _summarise(self, number: int, sound: NDArray[np.float32], clean: Flags) -> SecondSummary:
        edge = (number + 1) * _SECOND
        found = list(takewhile(lambda decision: decision.frame < edge, self._decisions))
        del self._decisions[: len(found)]
        same = [v.level_difference for v in found if v.same_audio]
        point = CORRELATION_INTERVAL * FRAME_SECONDS
        one, two = clean.sum(axis=1).tolist()
        # One sound on both channels is one trouble, not an echo as well.
        one_sound = self._same.since is not None
        echoes = [v for v in found if not one_sound and (not v.same_audio or v.level_difference > WEAK)]
        crosstalk = [sum(v.crosstalk[row] for v in echoes) for row in range(len(CHANNELS))]
        return SecondSummary(
            start=number,
            talk=(one * FRAME_SECONDS, two * FRAME_SECONDS),
            crosstalk=(crosstalk[0] * point, crosstalk[1] * point),
            compared=len(found) * point,
            same_audio=len(same) * point,
            level_difference=sorted(same)[len(same) // 2] if same else 0.0,
            clipped=(self._clipped(sound[0], clean[0]), self._clipped(sound[1], clean[1])),
            signal=(self._signal(0, sound[0]), self._signal(1, sound[1])),
        )

    def _signal(self, row: int, sound: NDArray[np.float32]) -> bool:
        """Whether a second holds any signal; the limit falls with the loudest level of the channel."""
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
        return is_clipped(speech, self._rate, self._settings.clipped_ratio)
