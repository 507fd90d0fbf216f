"""Computes the scorecard of a call from its events.

``scorecard(events)`` is a pure function from the events of a replay or a journal to numbers and quotations.
If the call ended normally, its totals (``call.ended``) are used; otherwise they are computed from its facts.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import floor
from typing import Any, Literal

import msgspec

from monitor.events import (
    CHANNELS,
    AlertClosed,
    AlertEvent,
    CallEnded,
    CallStarted,
    Channel,
    Difficulty,
    Event,
    Interruption,
    Note,
    Overlap,
    Phrase,
    Prosody,
    Quality,
    QualityKind,
    SpeechEnded,
    Utterance,
    severity,
)
from monitor.review.findings import (
    Feeling,
    FoundMark,
    Moment,
    Promise,
    feelings,
    final_utterances,
    found_marks,
    open_matters,
    promises,
    standing_phrases,
)
from monitor.review.notes import draft_notes

Verdict = Literal["ordinary", "difficult", "very difficult"]
AlertKind = Literal["info", "warn", "critical", "praise"]
"""How an alert is drawn: by its level, or as praise."""

MOST_POINTS = 440
FINEST = 0.5
"""Seconds per point in a short call; longer calls have longer points, to limit their number."""


class Span(msgspec.Struct, frozen=True):
    """An interval of the call, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return round(self.end - self.start, 2)


class ReportedTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """An interval of an audio problem; ``end`` is null if it lasted to the end of the call.

    ``say`` is the sentence of its first event.
    """

    kind: QualityKind
    channel: Channel | None
    start: float
    end: float | None
    say: str


class Hardness(msgspec.Struct, frozen=True, kw_only=True):
    """The difficulty of the call, 0 to 100: its maximum and its parts, with the last verdict."""

    score: float = 0.0
    parts: dict[str, float] = {}
    verdict: Verdict | None = None
    course: tuple[tuple[float, float], ...] = ()


class Point(msgspec.Struct, frozen=True):
    """The means over one interval: its middle (s), level (dB) and pitch (semitones) against the baseline.

    ``effort`` is the greatest score in it. A value without measurements is null.
    """

    at: float
    level_db: float | None
    pitch_st: float | None
    effort: float | None


class Curve(msgspec.Struct, frozen=True):
    """One side's points, ``step`` seconds apart; intervals without speech have none."""

    step: float
    points: tuple[Point, ...]


class AlertStory(msgspec.Struct, frozen=True, kw_only=True):
    """An alert from opening to closing. ``event`` is its event with the highest level.

    ``shown`` are the times at which the agent saw it as a card; ``withheld`` says why there was none.
    """

    event: AlertEvent
    opened: float
    closed: float | None
    reason: str | None
    shown: tuple[float, ...] = ()
    withheld: str | None = None
    private: bool = False

    @property
    def kind(self) -> AlertKind:
        """The level, or praise."""
        return "praise" if self.event.praise else self.event.level


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a report. Times and lengths in seconds, shares 0 to 1.

    ``has_words`` is false without a recogniser; figures that need words are then absent. ``private_alerts``
    counts alerts for the agent alone, which are not shown because reports are stored.
    """

    call: str
    about: CallStarted
    seconds: float
    complete: bool
    has_words: bool
    talk: dict[Channel, float]
    talk_share: dict[Channel, float]
    overlap: float
    silence: float
    longest_silence: Span | None
    interruptions: dict[Channel, int]
    cut_ins: tuple[Interruption, ...]
    overlaps: tuple[Overlap, ...]
    speech: dict[Channel, tuple[Span, ...]]
    phrases: tuple[Phrase, ...]
    marks: tuple[FoundMark, ...]
    apologies: tuple[Moment, ...]
    feelings: tuple[Feeling, ...]
    promises: tuple[Promise, ...]
    open_items: tuple[Moment, ...]
    notes: tuple[Note, ...]
    draft: tuple[str, ...]
    alerts: tuple[AlertStory, ...]
    private_alerts: int
    hardness: Hardness
    scores: dict[str, float]
    curves: dict[Channel, Curve]
    troubles: tuple[ReportedTrouble, ...]
    transcript: tuple[Utterance, ...]
    notice: str | None = None

    @property
    def feelings_met(self) -> int:
        """How many signs of distress or anger had an empathic response in time."""
        return sum(one.answer is not None for one in self.feelings)

    @property
    def promises_dated(self) -> int:
        """How many promises came with a date or a time."""
        return sum(one.when is not None for one in self.promises)


def scorecard(events: Sequence[Event], *, hide_agent_voice: bool = False) -> Scorecard:
    """Computes the scorecard of one call. ``events`` begin with ``call.started``.

    ``hide_agent_voice`` leaves out the prosody of the agent, as some profiles require.
    """
    started = events[0]
    if not isinstance(started, CallStarted):
        raise TypeError("the events of a call begin with call.started")
    ended = next((event for event in reversed(events) if isinstance(event, CallEnded)), None)
    seconds = ended.seconds if ended else max(event.detected_at for event in events)
    said, phrases = final_utterances(events), standing_phrases(events)
    stories = alert_stories(events)
    found: dict[str, Any] = {
        "feelings": tuple(feelings(events, said)),
        "promises": tuple(promises(events, said)),
        "open_items": tuple(open_matters(events, said)),
        "notes": tuple(event for event in events if isinstance(event, Note) and event.kind != "withheld"),
    }
    return Scorecard(
        call=started.call,
        about=started,
        seconds=seconds,
        complete=ended is not None,
        has_words=started.model != "none",
        phrases=tuple(phrases),
        marks=tuple(found_marks(events)),
        apologies=tuple(_apologies(phrases)),
        draft=tuple(draft_notes(started, seconds, said, **found)),
        alerts=tuple(story for story in stories if not story.private),
        private_alerts=sum(story.private for story in stories),
        hardness=_hardness(events),
        scores=ended.scores if ended else {},
        curves=curves_of(events, seconds, ("caller",) if hide_agent_voice else CHANNELS),
        troubles=tuple(_troubles(events)),
        transcript=tuple(said),
        notice=ended.notice if ended else "The call was cut off; this is what is known up to there.",
        **found,
        **_talk(events, ended, seconds),
    )


def _troubles(events: Sequence[Event]) -> list[ReportedTrouble]:
    """The audio problems and their intervals."""
    found: dict[tuple[QualityKind, Channel | None, float], ReportedTrouble] = {}
    for event in events:
        if isinstance(event, Quality):
            key = event.kind, event.channel, event.start
            say = found[key].say if key in found else event.say
            found[key] = ReportedTrouble(
                kind=event.kind, channel=event.channel, start=event.start, end=event.end, say=say
            )
    return list(found.values())


def _talk(events: Sequence[Event], ended: CallEnded | None, seconds: float) -> dict[str, Any]:
    """Talk times, overlaps and silence."""
    speech: dict[Channel, tuple[Span, ...]] = {
        channel: tuple(
            Span(event.start, event.end)
            for event in events
            if isinstance(event, SpeechEnded) and event.channel == channel
        )
        for channel in CHANNELS
    }
    cut_ins = tuple(event for event in events if isinstance(event, Interruption))
    overlaps = tuple(event for event in events if isinstance(event, Overlap))
    said = merged([span for spans in speech.values() for span in spans])
    talk = {side: round(sum(s.end - s.start for s in spans), 2) for side, spans in speech.items()}
    sums: dict[str, Any] = {
        "talk": talk,
        "overlap": round(sum(overlap.seconds for overlap in overlaps), 2),
        "silence": round(seconds - sum(span.end - span.start for span in said), 2),
        "interruptions": {side: sum(one.by == side for one in cut_ins) for side in CHANNELS},
    }
    if ended is not None:
        sums = {name: getattr(ended, name) for name in sums}
    both = sum(sums["talk"].values())
    return {
        **sums,
        "talk_share": {side: round(sums["talk"][side] / both, 3) if both else 0.0 for side in CHANNELS},
        "longest_silence": longest_gap(said),
        "cut_ins": cut_ins,
        "overlaps": overlaps,
        "speech": speech,
    }


def merged(spans: Sequence[Span]) -> list[Span]:
    """The union of ``spans`` as disjoint intervals, by time."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


def longest_gap(said: Sequence[Span]) -> Span | None:
    """The longest gap between two of ``said``; time before the first and after the last does not count."""
    gaps = [Span(before.end, after.start) for before, after in pairwise(said)]
    return max(gaps, key=lambda gap: gap.end - gap.start, default=None)


def _apologies(phrases: Iterable[Phrase]) -> list[Moment]:
    return [
        Moment(start=one.start, end=one.end, channel=one.channel, text=one.text or "")
        for one in phrases
        if one.of == "apology" and one.channel == "agent"
    ]


def _hardness(events: Sequence[Event]) -> Hardness:
    course = [event for event in events if isinstance(event, Difficulty)]
    if not course:
        return Hardness()
    worst = max(course, key=lambda event: event.score)
    verdict = next((event.verdict for event in reversed(course) if event.verdict), None)
    return Hardness(
        score=worst.score,
        parts=worst.parts,
        verdict=verdict,
        course=tuple((event.at, event.score) for event in course),
    )


# --- alerts ---


def alert_stories(events: Iterable[Event]) -> list[AlertStory]:
    """The alerts of a call, in the order in which they opened."""
    lives: dict[str, list[AlertEvent]] = {}
    for event in events:
        if isinstance(event, AlertEvent):
            lives.setdefault(event.alert, []).append(event)
    return [_story(life) for life in lives.values()]


def _story(life: list[AlertEvent]) -> AlertStory:
    news = [event for event in life if not isinstance(event, AlertClosed)] or life
    worst = max(news, key=lambda event: (severity(event.level), event.detected_at))
    closed = next((event for event in life if isinstance(event, AlertClosed)), None)
    shown = tuple(event.detected_at for event in news if event.card)
    return AlertStory(
        event=worst,
        opened=life[0].detected_at,
        closed=closed.detected_at if closed else None,
        reason=closed.reason if closed else None,
        shown=shown,
        withheld=None if shown else worst.withheld,
        private=any(event.private for event in life),
    )


# --- curves ---


def curves_of(
    events: Iterable[Event], seconds: float, shown: Sequence[Channel] = CHANNELS
) -> dict[Channel, Curve]:
    """The curves of both sides, from the ``prosody`` events; a side not in ``shown`` has no points."""
    step = max(FINEST, seconds / MOST_POINTS)
    heard: dict[Channel, dict[int, list[Prosody]]] = {channel: {} for channel in CHANNELS}
    for event in events:
        if isinstance(event, Prosody) and event.channel in shown:
            heard[event.channel].setdefault(floor(event.at / step), []).append(event)
    return {
        side: Curve(
            round(step, 3), tuple(_point(place, step, heard[side][place]) for place in sorted(heard[side]))
        )
        for side in CHANNELS
    }


def _point(place: int, step: float, heard: list[Prosody]) -> Point:
    efforts = [event.effort for event in heard if event.effort is not None]
    return Point(
        at=round((place + 0.5) * step, 3),
        level_db=_mean([event.level_db for event in heard if event.level_db is not None]),
        pitch_st=_mean([event.pitch_st for event in heard if event.pitch_st is not None]),
        effort=max(efforts, default=None),
    )


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None
