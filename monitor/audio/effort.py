"""Vocal effort relative to the speaker's own baseline: is this voice raised?

A raised voice is higher (pitch) and brighter (more energy above 1 kHz). Both can be measured on any telephone
and do not change with the gain. Loudness does, and a headset with automatic gain makes it useless. So effort
is the mean of the shifts in pitch and spectral tilt; loudness may only add to it. It describes how the voice
is used, not what the speaker feels.

Sources: Jessen, Köster & Gfroerer 2005 (pitch rises with effort in each of 100 speakers); Nordenberg &
Sundberg 2004 (the alpha ratio rises with vocal loudness).
"""

from dataclasses import dataclass

from monitor.config import ProsodySettings


@dataclass(frozen=True, slots=True)
class EffortInput:
    """A voiced sound: ``pitch`` in semitones relative to 100 Hz, ``tilt`` (alpha ratio) and ``level`` in
    dB.
    """

    pitch: float
    tilt: float
    level: float


class RunningMedian:
    """The weighted median of values between ``low`` and ``high``, in bins of ``step``.

    A histogram with a pointer to its median bin (Huang, Yang & Tang 1979). Instead of shrinking all bins so
    that old values count less, the caller gives each new value a greater weight than the one before.
    """

    def __init__(self, low: float, high: float, step: float) -> None:
        self._low, self._step = low, step
        self._bins = [0.0] * round((high - low) / step)
        self._middle = 0
        self._below = self._total = 0.0

    def add(self, value: float, weight: float) -> None:
        """Adds a value; one outside the range counts in the first or last bin."""
        bins = self._bins
        place = min(max(int((value - self._low) / self._step), 0), len(bins) - 1)
        bins[place] += weight
        self._total += weight
        if place < self._middle:
            self._below += weight
        half = self._total / 2
        while self._below > half:
            self._middle -= 1
            self._below -= bins[self._middle]
        while self._below + bins[self._middle] < half:
            self._below += bins[self._middle]
            self._middle += 1

    def scale(self, factor: float) -> None:
        """Multiplies all weights, so that growing ones stay in range."""
        self._bins = [weight * factor for weight in self._bins]
        self._below = sum(self._bins[: self._middle])
        self._total = sum(self._bins)

    @property
    def median(self) -> float:
        """The median, interpolated within its bin."""
        inside = self._bins[self._middle]
        share = (self._total / 2 - self._below) / inside if inside else 0.5
        return self._low + self._step * (self._middle + share)


class Baseline:
    """A speaker's usual pitch, tilt and level: running medians.

    The weight of earlier speech halves with each ``half_life`` voiced seconds; ``voiced`` is their total.
    """

    _MOST = 2.0**40

    def __init__(self, half_life: float) -> None:
        self.voiced = 0.0
        self._half_life = half_life
        self._weight = 1.0
        self._pitch = RunningMedian(-12, 36, 0.2)
        self._tilt = RunningMedian(-45, 30, 0.25)
        self._level = RunningMedian(-100, 10, 0.4)

    def learn(self, sound: EffortInput, voiced: float, rate: float = 1.0) -> None:
        """Adds ``voiced`` seconds of ``sound``; ``rate`` times faster forgetting than usual."""
        self.voiced += voiced
        self._weight *= 2 ** (voiced * rate / self._half_life)
        weight = self._weight * voiced
        self._pitch.add(sound.pitch, weight)
        self._tilt.add(sound.tilt, weight)
        self._level.add(sound.level, weight)
        if self._weight > self._MOST:
            for median in (self._pitch, self._tilt, self._level):
                median.scale(1 / self._weight)
            self._weight = 1.0

    @property
    def median(self) -> EffortInput:
        """The medians of pitch, tilt and level."""
        return EffortInput(self._pitch.median, self._tilt.median, self._level.median)


@dataclass(frozen=True, slots=True)
class BaselineShift:
    """The difference of the last second from the baseline (semitones, dB, dB), and the resulting
    ``effort``.
    """

    pitch: float
    tilt: float
    level: float
    effort: float


_SEMITONES = _TILT_DB = 6.0
"""Shifts of pitch and tilt that give an effort of 1.0."""
_LEVEL_DB = 10.0
_LEVEL_CALM_DB = 3.0
"""Loudness varies by this much in calm speech: only what is above counts."""
_BOTH = 0.5
"""Pitch and tilt must each have risen by this share, or the voice is not called raised."""


def effort(pitch: float, tilt: float, level: float, settings: ProsodySettings) -> float:
    """Returns the effort score of a shift: about 0 is usual, ``settings.raised_threshold`` and more is
    raised.

    ``pitch`` is in semitones, ``tilt`` and ``level`` in dB. Loudness may confirm what both pitch and tilt
    show, and can neither cause nor hide a raised voice: a single bright vowel or high word that is also loud
    was the commonest false alarm on calm calls.
    """
    higher, brighter = _share(pitch, _SEMITONES), _share(tilt, _TILT_DB)
    score = (higher + brighter) / 2
    if min(higher, brighter) < _BOTH:
        return min(score, settings.raised_threshold - 0.01)
    return score + settings.level_bonus * max(0.0, _share(level - _LEVEL_CALM_DB, _LEVEL_DB))


def _share(shift: float, full: float) -> float:
    return min(max(shift / full, -1.0), 1.5)


class VocalEffortTracker:
    """One side's baseline, and whether its voice is raised at the moment.

    A raised voice does not become part of the baseline, or a long quarrel would hide itself. But a shift that
    lasts is the new normal: after ``relearn_after`` voiced seconds without a break it is more likely another
    person on the phone, and is learnt quickly. Conversely, a voice that stays well below its baseline shows
    that the call began raised; that is learnt after ``settle_after`` voiced seconds.
    """

    _HOLD = 0.3
    _RELEASE = 1.0
    _BELOW = -0.5
    _HASTE = 8.0

    def __init__(self, settings: ProsodySettings) -> None:
        self._settings = settings
        self._baseline = Baseline(settings.baseline_half_life)
        self._raised = False
        # Voiced seconds that the score has stayed above, under the release score, or below usual.
        self._over = self._under = self._lower = 0.0

    def compare(self, now: EffortInput | None) -> BaselineShift | None:
        """Returns the shift of the last second's medians, or None before the baseline has warmed up."""
        if now is None or self._baseline.voiced < self._settings.warm_up - 0.01:
            return None
        usual = self._baseline.median
        pitch, tilt, level = now.pitch - usual.pitch, now.tilt - usual.tilt, now.level - usual.level
        return BaselineShift(pitch, tilt, level, effort(pitch, tilt, level, self._settings))

    def learn(self, sound: EffortInput, voiced: float, shift: BaselineShift | None, *, alone: bool) -> None:
        """Learns the newest ``voiced`` seconds, unless the voice is raised or the other side speaks too."""
        if shift is not None:
            self._judge(shift.effort, voiced)
        lasting = self._over >= self._settings.relearn_after or self._lower >= self._settings.settle_after
        if alone and (lasting or not self._raised):
            self._baseline.learn(sound, voiced, self._HASTE if lasting else 1.0)

    def _judge(self, score: float, voiced: float) -> None:
        settings = self._settings
        self._lower = self._lower + voiced if score < self._BELOW else 0.0
        if self._raised:
            self._under = self._under + voiced if score < settings.lowered_threshold else 0.0
            self._over += voiced
            self._raised = self._under < self._RELEASE
            self._over = self._over if self._raised else 0.0
        else:
            self._over = self._over + voiced if score >= settings.raised_threshold else 0.0
            self._under = 0.0
            self._raised = self._over >= self._HOLD
