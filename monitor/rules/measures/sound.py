"""How a side sounds, against its own normal: effort, pace, melody. Behaviour, never a feeling."""

from dataclasses import replace
from statistics import median

from monitor.events import Channel, EvidenceItem, other
from monitor.rules.measures.registry import HALF_MINUTE, TEN_SECONDS, TWO_MINUTES, Phrases, Seconds, measure
from monitor.rules.measures.talk import leaves
from monitor.rules.measures.turns import spoken_run
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import Timeline

UNTRUE = ("crosstalk", "same_audio", "swapped", "clipping")
"""With these troubles a voice may be somebody else's, or sound harsher than it was."""

PACED = 30
"""Prosody events (3 s of speech) from which a pace can be told."""

LOOK = 0.5
"""Seconds after which a running voice is looked at again."""


@measure(
    "s",
    tells="the voice of {by} has been raised for {value}",
    wakes=("voice:{by}",),
    voice=True,
    quality=UNTRUE,
)
def raised_voice(
    line: Timeline, *, by: Channel, score: float = 1.0, pitch_st: float = 0.0, faster: float = 0.0
) -> Reading:
    """For how long a side's voice has been raised: its effort score held at ``score``.

    With ``pitch_st`` or ``faster``, the pitch must be up by so many semitones, or the pace by such a
    share of the speaker's own, as well.
    """
    voice = line.voice[by]
    stretch = voice.raised(score).stretch(line.now)
    if stretch is None:
        return Reading(0.0)
    since, until = stretch
    effort = voice.typical(lambda sound: sound.effort, since)
    pitch = voice.typical(lambda sound: sound.pitch, since) or 0.0
    rate = voice.typical(lambda sound: sound.rate, since)
    quick = bool(faster and rate and voice.pace_mean and rate >= voice.pace_mean * (1.0 + faster))
    again = line.now + LOOK
    if (pitch_st or faster) and not (pitch_st and pitch >= pitch_st) and not quick:
        return Reading(0.0, again=again)
    cited = (
        EvidenceItem(
            start=round(since, 3), end=round(until, 3), channel=by, kind=f"effort {effort or 0.0:.1f}"
        ),
    )
    return Reading(max(0.0, until - since), since, until, by, events=cited, again=again)


@measure(
    "times",
    tells="the voice of {by} went up {value} in {window}",
    wakes=("raised:{by}",),
    voice=True,
    quality=UNTRUE,
)
def raises(line: Timeline, *, by: Channel, window: Seconds = TWO_MINUTES) -> Reading:
    """How often a side's voice was raised (effort score 1.0 held for 0.8 s of voiced speech)."""
    marks = line.marks.of(("raised",), by, line.now - window)
    return from_marks(marks, len(marks), again=leaves(marks, window))


@measure(
    "times",
    tells="{by}'s voice went up after or with {other}'s, {value} in {window}",
    wakes=("mirrored:{by}", "climbing"),
    voice=True,
    quality=UNTRUE,
)
def mirroring(
    line: Timeline, *, by: Channel, window: Seconds = TWO_MINUTES, apart: Seconds = Seconds(30.0)
) -> Reading:
    """How often a side's voice went up right after the other's had, or with it over a whole minute.

    Both voices climbing together (correlation 0.6 over 60 s) is known every 5 s and counts once in
    ``apart`` seconds.
    """
    marks = line.marks.of(("mirrored",), by, line.now - window)
    for mark in line.marks.of(("climbing",), None, line.now - window):
        if all(abs(mark.end - one.end) >= apart for one in marks):
            marks.append(mark)
    marks.sort(key=lambda mark: mark.end)
    return replace(from_marks(marks, len(marks), again=leaves(marks, window)), channel=by)


@measure(
    "times",
    tells="{by} calmed down after kind or helpful words",
    wakes=("calmed:{by}",),
    voice=True,
    quality=UNTRUE,
)
def calmed(
    line: Timeline,
    *,
    by: Channel,
    after: Phrases = Phrases(("empathy", "option", "solution", "apology")),
    within: Seconds = Seconds(60.0),
    window: Seconds = Seconds(30.0),
) -> Reading:
    """How often a raised voice came down within a time of the other side's kind or helpful words.

    Without a recogniser any turn of the other side will do.
    """
    counts = []
    for mark in line.marks.of(("calmed",), by, line.now - window):
        since = max(mark.start, mark.end - within)
        helped = (
            line.marks.of(after, other(by), since) if line.has_words else line.talk.turns_of(other(by), since)
        )
        if helped:
            counts.append(mark)
    return from_marks(counts, len(counts), again=leaves(counts, window))


@measure(
    "st", tells="the pitch of {by} varied by {value} only", wakes=("speech:{by}",), voice=True, quality=UNTRUE
)
def pitch_spread(
    line: Timeline, *, by: Channel, window: Seconds = Seconds(20.0), voiced: float = 0.55
) -> Reading:
    """The spread (standard deviation, semitones) of a side's pitch; wants a share of ``voiced`` speech."""
    sounds = line.voice[by].sounds(line.now - window)
    again = line.now + LOOK if line.talk.speaking(by) else None
    pitches = [sound.pitch for sound in sounds if sound.pitch is not None and sound.voiced]
    if line.now < window or sum(sound.voiced for sound in sounds) * 0.1 < voiced * window or len(pitches) < 2:
        return Reading(again=again)
    mean = sum(pitches) / len(pitches)
    spread = (sum((pitch - mean) ** 2 for pitch in pitches) / len(pitches)) ** 0.5
    return Reading(spread, line.now - window, line.now, by, again=again)


@measure("syll/s", tells="{by} spoke at {value}", wakes=("speech:{by}",), voice=True, quality=UNTRUE)
def syllable_rate(line: Timeline, *, by: Channel) -> Reading:
    """A side's pace just now; 0 unless it is 1.5 standard deviations above the speaker's own mean."""
    voice = line.voice[by]
    if not line.talk.speaking(by):
        return Reading(0.0)
    again = line.now + LOOK
    limit = voice.pace_limit
    latest = voice.recent[-1] if voice.recent else None
    if limit is None or latest is None or latest.rate is None or latest.at < line.now - LOOK:
        return Reading(0.0, again=again)
    rate = latest.rate if latest.rate > limit else 0.0
    return Reading(rate, latest.at - LOOK, latest.at, by, baseline=voice.pace_mean, again=again)


@measure(
    "share",
    tells="{by} spoke at {value} of the own pace",
    wakes=("say:{of}",),
    words=True,
    voice=True,
    quality=UNTRUE,
)
def pace_at(
    line: Timeline, *, by: Channel, of: Phrases, within: Seconds = TEN_SECONDS, window: Seconds = HALF_MINUTE
) -> Reading:
    """A side's pace in the seconds up to the first words of these classes, against the speaker's own.

    The pace is the median over what was spoken ``within`` that time; nothing is said without 3 s of it,
    or before the speaker's own pace is known.
    """
    marks = line.marks.of(of, by, line.now - window)
    voice = line.voice[by]
    if not marks or voice.pace_limit is None:
        return NOTHING
    first = marks[0]
    rates = [one.rate for one in voice.sounds(first.end - within, first.end) if one.voiced and one.rate]
    if len(rates) < PACED:
        return NOTHING
    reading = from_marks([first], median(rates) / voice.pace_mean, again=leaves([first], window))
    return replace(reading, baseline=voice.pace_mean)


@measure(
    "s",
    tells="{by} has let off steam for {value}",
    wakes=("floor", "speech:{by}", "raised:{by}"),
    voice=True,
    quality=UNTRUE,
)
def venting(line: Timeline, *, by: Channel, pause: Seconds = Seconds(1.0), score: float = 0.75) -> Reading:
    """For how long a side has spoken with a raised voice; over at a pause of ``pause`` seconds."""
    turn = line.talk.turn(by)
    if not turn:
        return Reading(0.0)
    silent = line.now - line.talk.spoken_until(by)
    begin = spoken_run(line, turn, pause)
    if silent >= pause or line.voice[by].raised(score).raised_until < begin:
        return Reading(0.0)
    again = None if line.talk.speaking(by) else line.talk.spoken_until(by) + pause
    return Reading(line.now - begin, begin, line.now, by, rate=1.0, again=again)


@measure("points", tells="the difficulty of the call is {value}", wakes=("difficulty",))
def difficulty(line: Timeline) -> Reading:
    """The running difficulty of the call, 0 to 100."""
    score, since = line.difficulty
    return Reading(score, since, line.now) if line.now else NOTHING
