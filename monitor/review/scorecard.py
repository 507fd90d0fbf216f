"""The scorecard of a call: what happened on it, counted from its events and from nothing else.

``scorecard(events)`` is pure: the events of a replay or of a journal go in, plain numbers and
quotations come out. Where the call ended cleanly its own sums (``call.ended``) are taken; a call that was
cut off is summed from its facts.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec

from monitor.events import (
    CHANNELS,
    CallEnded,
    CallStarted,
    Channel,
    Difficulty,
    Event,
    Interruption,
    Note,
    Overlap,
    Quality,
    QualityKind,
    SpeechEnded,
    Utterance,
)
from monitor.phrases.lexicon import Lexicon
from monitor.review.alert_story import AlertStory, alert_stories
from monitor.review.curves import Curve, curves_of
from monitor.review.dues import Feeling, Promise, feelings, open_items, promises
from monitor.review.notes import draft_notes
from monitor.review.spoken import Moment, SpokenCall, spoken_in

Verdict = Literal["ordinary", "difficult", "very difficult"]


class Span(msgspec.Struct, frozen=True):
    """A stretch of the call, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return round(self.end - self.start, 2)


class ReportedTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which the sound was not to be trusted; ``end`` is null where it lasted to the end."""

    kind: QualityKind
    channel: Channel | None
    start: float
    end: float | None
    say: str | None = None


class Hardness(msgspec.Struct, frozen=True, kw_only=True):
    """How difficult the call was, 0 to 100: at its worst and in its parts, with the last verdict."""

    score: float = 0.0
    parts: dict[str, float] = {}
    verdict: Verdict | None = None
    course: tuple[tuple[float, float], ...] = ()


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report says. Times and lengths in seconds, shares 0 to 1.

    ``has_words`` is false where no recogniser listened: then nothing that needs words is counted.
    ``private_alerts`` counts alerts for the agent alone; a report is kept, so it does not show them.
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
        """How many signs of distress or anger were met with a word of understanding in time."""
        return sum(one.answer is not None for one in self.feelings)

    @property
    def promises_dated(self) -> int:
        """How many promises came with a date or a time."""
        return sum(one.when is not None for one in self.promises)


def scorecard(events: Sequence[Event], *, language: str = "en", hide_agent_voice: bool = False) -> Scorecard:
    """The scorecard of one call. ``events`` begin with ``call.started``.

    ``hide_agent_voice`` leaves out how the agent sounded, as some profiles ask.
    """
    started = events[0]
    if not isinstance(started, CallStarted):
        raise TypeError("the events of a call begin with call.started")
    ended = next((event for event in reversed(events) if isinstance(event, CallEnded)), None)
    seconds = ended.seconds if ended else max(event.detected_at for event in events)
    spoken = spoken_in(events, Lexicon.load(language))
    stories = alert_stories(events)
    troubles = tuple(_troubles(events))
    deaf = [
        (trouble.start, seconds if trouble.end is None else trouble.end)
        for trouble in troubles
        if (trouble.kind, trouble.channel) == ("dead_channel", "agent")
    ]
    found: dict[str, Any] = {
        "feelings": tuple(feelings(spoken, seconds, deaf)),
        "promises": tuple(promises(spoken)),
        "open_items": tuple(open_items(spoken, seconds, deaf)),
        "notes": tuple(event for event in events if isinstance(event, Note) and event.kind != "withheld"),
    }
    return Scorecard(
        call=started.call,
        about=started,
        seconds=seconds,
        complete=ended is not None,
        has_words=started.model != "none",
        apologies=tuple(_quoted(spoken, "agent", "apology")),
        draft=tuple(draft_notes(started, seconds, spoken, **found)),
        alerts=tuple(story for story in stories if not story.private),
        private_alerts=sum(story.private for story in stories),
        hardness=_hardness(events),
        scores=ended.scores if ended else {},
        curves=curves_of(events, seconds, ("caller",) if hide_agent_voice else CHANNELS),
        troubles=troubles,
        transcript=spoken.utterances,
        notice=ended.notice if ended else "The call was cut off; this is what is known up to there.",
        **found,
        **_talk(events, ended, seconds),
    )


def _troubles(events: Sequence[Event]) -> list[ReportedTrouble]:
    """What was wrong with the sound, from where to where."""
    found: dict[tuple[QualityKind, Channel | None, float], ReportedTrouble] = {}
    for event in events:
        if isinstance(event, Quality):
            key = event.kind, event.channel, event.start
            say = event.say or (found[key].say if key in found else None)
            found[key] = ReportedTrouble(
                kind=event.kind, channel=event.channel, start=event.start, end=event.end, say=say
            )
    return list(found.values())


def _talk(events: Sequence[Event], ended: CallEnded | None, seconds: float) -> dict[str, Any]:
    """Who spoke, how long, over whom, and how long nobody did."""
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
    """The stretches in which at least one of ``spans`` goes on, by time."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


def longest_gap(said: Sequence[Span]) -> Span | None:
    """The longest stretch between two of ``said``; none before the first word or after the last."""
    gaps = [Span(before.end, after.start) for before, after in pairwise(said)]
    return max(gaps, key=lambda gap: gap.end - gap.start, default=None)


def _quoted(spoken: SpokenCall, channel: Channel, *classes: str) -> list[Moment]:
    return [
        Moment(start=match.start, end=match.end, channel=channel, text=match.text)
        for match in spoken.of(channel, *classes)
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
