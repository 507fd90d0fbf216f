"""Measures of a voice against the speaker's baseline: effort, speech rate, pitch. None infers feelings."""

from dataclasses import replace
from statistics import median

from monitor.events import Channel, other
from monitor.rules.measures.registry import (
    HALF_MINUTE,
    MINUTE,
    TEN_SECONDS,
    TWO_MINUTES,
    Phrases,
    Time,
    measure,
)
from monitor.rules.reading import NOTHING, ZERO, Reading, from_marks, running
from monitor.timeline import Mark, TimelineView

UNTRUE = ("crosstalk", "same_audio", "swapped", "clipping")
"""With these problems a voice may be that of the other side, or sound harsher than it was."""

PACED = 30
"""Least number of prosody events (3 s of speech) for a speech rate."""

SPANNED = 500
"""Ms over which a speech rate is measured."""


@measure("s", tells="the voice of {by} has been raised for {value}", voice=True, quality=UNTRUE)
def raised_voice(
    view: TimelineView, *, by: Channel, score: float = 1.0, pitch_st: float = 0.0, faster: float = 0.0
) -> Reading:
    """For how long a side's voice has been raised: its effort score held at ``score``.

    ``pitch_st`` also requires the pitch to be that many semitones above the baseline, ``faster`` the speech
    rate to exceed the speaker's mean by that share.
    """
    stretch = view.raised(by, score)
    if stretch is None:
        return ZERO
    since, until = stretch
    if (pitch_st or faster) and not (_higher(view, by, pitch_st, since) or _quicker(view, by, faster, since)):
        return ZERO
    effort = view.typical(by, "effort", since) or 0.0
    cited = Mark(f"effort {effort:.1f}", by, since, until)
    return Reading(max(0, until - since), since, until, by, marks=(cited,))


def _higher(view: TimelineView, by: Channel, semitones: float, since: int) -> bool:
    return semitones > 0 and (view.typical(by, "pitch", since) or 0.0) >= semitones


def _quicker(view: TimelineView, by: Channel, share: float, since: int) -> bool:
    if not share:
        return False
    rate, own = view.typical(by, "rate", since), view.mean_pace(by)
    return bool(rate and own and rate >= own * (1.0 + share))


@measure(
    "times",
    tells="{by}'s voice went up after or with {other}'s, {value} in {window}",
    voice=True,
    quality=UNTRUE,
)
def mirroring(
    view: TimelineView, *, by: Channel, window: Time = TWO_MINUTES, apart: Time = HALF_MINUTE
) -> Reading:
    """How often a side's voice was raised soon after the other's, or rose together with it over a minute.

    Rising together (correlation 0.6 over 60 s) is computed every 5 s and counts once per ``apart`` seconds.
    """
    marks = view.marks(("mirrored",), by, window)
    for mark in view.marks(("climbing",), None, window):
        if all(abs(mark.end - one.end) >= apart for one in marks):
            marks.append(mark)
    marks.sort(key=lambda mark: mark.end)
    return replace(from_marks(marks, len(marks)), channel=by)


@measure("times", tells="{by} calmed down after kind or helpful words", voice=True, quality=UNTRUE)
def calmed(
    view: TimelineView,
    *,
    by: Channel,
    after: Phrases = Phrases(("empathy", "option", "solution", "apology")),
    within: Time = MINUTE,
    window: Time = HALF_MINUTE,
) -> Reading:
    """How often a raised voice came down within a time of the other side's kind or helpful words.

    Without a recogniser any turn of the other side counts.
    """
    counts = []
    for mark in view.marks(("calmed",), by, window):
        since = max(mark.start, mark.end - within)
        if view.has_words:
            helped = bool(view.marks_since(after, other(by), since))
        else:
            helped = bool(view.turns_of(other(by), since))
        if helped:
            counts.append(mark)
    return from_marks(counts, len(counts))


@measure("st", tells="the pitch of {by} varied by {value} only", voice=True, quality=UNTRUE)
def pitch_spread(
    view: TimelineView, *, by: Channel, window: Time = Time(20_000), voiced: float = 0.55
) -> Reading:
    """The standard deviation of a side's pitch, in semitones; needs a share of ``voiced`` speech."""
    if not view.reached(view.elapsed, window):
        return NOTHING
    sounds = view.sounds(by, window)
    pitches = [sound.pitch for sound in sounds if sound.pitch is not None and sound.voiced]
    if sum(sound.voiced for sound in sounds) / window < voiced or len(pitches) < 2:
        return NOTHING
    mean = sum(pitches) / len(pitches)
    spread = (sum((pitch - mean) ** 2 for pitch in pitches) / len(pitches)) ** 0.5
    return Reading(spread, view.now - window, view.now, by)


@measure("syll/s", tells="{by} spoke at {value}", voice=True, quality=UNTRUE)
def syllable_rate(view: TimelineView, *, by: Channel) -> Reading:
    """A side's current speech rate; 0 unless it is 1.5 standard deviations above the speaker's mean."""
    quick = view.quick_pace(by) if view.speaking(by) else None
    if quick is None:
        return ZERO
    sound, own = quick
    return Reading(sound.rate, sound.at - SPANNED, sound.at, by, baseline=own)


@measure("share", tells="{by} spoke at {value} of the own pace", words=True, voice=True, quality=UNTRUE)
def pace_at(
    view: TimelineView, *, by: Channel, of: Phrases, within: Time = TEN_SECONDS, window: Time = HALF_MINUTE
) -> Reading:
    """A side's speech rate before the first words of these classes, against the speaker's mean.

    The rate is the median over the speech ``within`` that time; there is no value with less than 3 s of
    speech, or before the speaker's mean is known.
    """
    marks = view.marks(of, by, window)
    own = view.own_pace(by) if marks else None
    if own is None:
        return NOTHING
    first = marks[0]
    sounds = view.sounds_between(by, first.end - within, first.end)
    rates = [one.rate for one in sounds if one.voiced and one.rate]
    if len(rates) < PACED:
        return NOTHING
    return replace(from_marks([first], median(rates) / own), baseline=own)


@measure("s", tells="{by} has let off steam for {value}", voice=True, quality=UNTRUE)
def venting(view: TimelineView, *, by: Channel, pause: Time = Time(1_000), score: float = 0.75) -> Reading:
    """For how long a side has spoken with a raised voice without a pause of ``pause`` seconds."""
    turn = view.turn(by)
    begin = view.spoken_run(turn, pause) if turn else None
    if begin is None or view.raised_until(by, score) < begin:
        return ZERO
    return running(view, begin, by)


@measure("points", tells="the difficulty of the call is {value}")
def difficulty(view: TimelineView) -> Reading:
    """The running difficulty of the call, 0 to 100."""
    score, since = view.difficulty()
    return Reading(score, since, view.now) if view.passed(1) else NOTHING
