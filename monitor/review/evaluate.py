"""Scores the detections on a call against its ground truth. It has no side effects.

There are two kinds of matching:

- moments (interruptions, backchannels, apologies...): one detection per true event; it matches if it begins
  within a second of the event, or during it;
- intervals (raised voices, dead air, audio problems): found if any detection overlaps it, and a detection is
  right if it overlaps any. Several detections in one interval are not counted as errors.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

import msgspec
from rapidfuzz.distance import Levenshtein

from monitor.events import (
    CHANNELS,
    AlertEvent,
    AlertOpened,
    CallStarted,
    Channel,
    DeadAir,
    Event,
    Hold,
    Interruption,
    Level,
    Overlap,
    Quality,
    RaisedVoice,
    TalkOver,
    Utterance,
    severity,
)
from monitor.review.findings import standing_phrases
from monitor.review.truth import ExpectedAlert, TrueEvent, Truth, TruthKind

MOMENTS: tuple[TruthKind, ...] = (
    "interruption", "talk_over", "backchannel", "terminal", "simultaneous", "apology",
)  # fmt: skip
STRETCHES: tuple[TruthKind, ...] = (
    "raised", "dead_air", "hold_music", "crosstalk", "clipping", "dead_channel",
)  # fmt: skip

TOLERANCE = 1.0
"""Seconds by which a detection may begin before or after the true event."""

AUDIBLE_OVERLAP = 0.1
"""Overlaps shorter than this (s) are optional: they are within the precision of voice activity detection."""


class Detection(NamedTuple):
    """One detection: kind, channel, start and end (may be equal) and the time of detection, in seconds."""

    kind: TruthKind
    by: Channel | None
    start: float
    end: float
    detected_at: float


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one kind: counts, and for each event found the delay from its start to detection (s)."""

    found: int = 0
    missed: int = 0
    wrong: int = 0
    delays: tuple[float, ...] = ()

    @property
    def precision(self) -> float | None:
        """Share of the detections that were right; null without detections."""
        claims = self.found + self.wrong
        return self.found / claims if claims else None

    @property
    def recall(self) -> float | None:
        """Share of the true events that were found; null if there were none."""
        happened = self.found + self.missed
        return self.found / happened if happened else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; null without true events and detections."""
        every = 2 * self.found + self.missed + self.wrong
        return 2 * self.found / every if every else None

    def __add__(self, other: "Score") -> "Score":
        return Score(
            found=self.found + other.found,
            missed=self.missed + other.missed,
            wrong=self.wrong + other.wrong,
            delays=self.delays + other.delays,
        )

    def summary(self) -> dict[str, float | int | None]:
        """The figures for printing."""
        rounded = {name: _round(getattr(self, name)) for name in ("precision", "recall", "f1")}
        delay = {
            "delay_median": _round(median(self.delays) if self.delays else None),
            "delay_p90": _round(_percentile(self.delays, 0.9)),
        }
        return {"found": self.found, "missed": self.missed, "wrong": self.wrong, **rounded, **delay}


class Alerted(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was expected, that opened, or both. ``at`` is its time of detection."""

    rule: str
    channel: Channel | None
    from_: float | None = msgspec.field(name="from", default=None)
    to: float | None = None
    at: float | None = None
    level: str | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The evaluation of one or several calls: a score for each kind, alerts, word errors of each side."""

    call: str
    kinds: dict[TruthKind, Score]
    met: tuple[Alerted, ...]
    missed: tuple[Alerted, ...]
    unexpected: tuple[Alerted, ...]
    word_errors: dict[Channel, tuple[int, int]] = {}

    @property
    def worst_f1(self) -> float:
        """The lowest F1 of any kind with true events or detections."""
        return min((score.f1 for score in self.kinds.values() if score.f1 is not None), default=1.0)


def evaluate(events: Sequence[Event], truth: Truth) -> Evaluation:
    """Scores ``events`` against ``truth``."""
    words = any(isinstance(event, CallStarted) and event.model != "none" for event in events)
    claims = _named(detections(events), truth)
    kinds = {
        kind: _moments(truth.happenings(kind), claims[kind]) for kind in MOMENTS if words or kind != "apology"
    }
    kinds |= {kind: _stretches(truth.happenings(kind), claims[kind]) for kind in STRETCHES}
    met, missed, unexpected = _alerts(events, truth, words=words)
    return Evaluation(
        call=truth.call,
        kinds={kind: score for kind, score in kinds.items() if score.f1 is not None},
        met=met,
        missed=missed,
        unexpected=unexpected,
        word_errors={channel: _word_errors(events, truth, channel) for channel in CHANNELS} if words else {},
    )


def total(evaluations: Iterable[Evaluation]) -> Evaluation:
    """Adds up the evaluations of several calls."""
    kinds: dict[TruthKind, Score] = {}
    errors: dict[Channel, tuple[int, int]] = {}
    alerts: tuple[list[Alerted], list[Alerted], list[Alerted]] = ([], [], [])
    for one in evaluations:
        for kind, score in one.kinds.items():
            kinds[kind] = kinds.get(kind, Score()) + score
        for channel, (wrong, of) in one.word_errors.items():
            before = errors.get(channel, (0, 0))
            errors[channel] = (before[0] + wrong, before[1] + of)
        for kept, new in zip(alerts, (one.met, one.missed, one.unexpected), strict=True):
            kept.extend(new)
    met, missed, unexpected = (tuple(kept) for kept in alerts)
    return Evaluation(
        call="all", kinds=kinds, met=met, missed=missed, unexpected=unexpected, word_errors=errors
    )


def detections(events: Sequence[Event]) -> list[Detection]:
    """All detections in ``events``, in order of detection."""
    last = max((event.detected_at for event in events), default=0.0)
    found: dict[tuple[TruthKind, Channel | None, float], Detection] = {}
    for event in events:
        claim = _claim(event)
        if claim is not None:
            kind, by, start, end = claim
            known = found.get((kind, by, start))  # sent again with its end: the same detection
            made = event.detected_at if known is None else known.detected_at
            found[kind, by, start] = Detection(kind, by, start, last if end is None else end, made)
    apologies = [
        Detection("apology", one.channel, one.start, one.end, one.detected_at)
        for one in standing_phrases(events)
        if one.of == "apology"
    ]
    return sorted([*found.values(), *apologies], key=lambda one: one.detected_at)


def _claim(event: Event) -> tuple[TruthKind, Channel | None, float, float | None] | None:
    """The detection that an event states: kind, channel, start and end; null if none."""
    match event:
        case Interruption():
            return "interruption", event.by, event.start, event.at
        case TalkOver():
            return "talk_over", event.by, event.start, event.at
        case Overlap(kind=("backchannel" | "terminal" | "simultaneous") as kind):
            return kind, event.by, event.start, event.end
        case RaisedVoice():
            return "raised", event.channel, event.start, event.end
        case DeadAir():
            return "dead_air", None, event.start, event.end
        case Hold():
            return "hold_music", None, event.start, event.end
        case Quality(kind=("crosstalk" | "clipping" | "dead_channel") as fault):
            return fault, event.channel, event.start, event.end
        case _:
            return None


def final_words(events: Iterable[Event], channel: Channel) -> list[str]:
    """The words of the last revision of each utterance of one side."""
    latest = {
        event.utterance: event
        for event in events
        if isinstance(event, Utterance) and event.channel == channel
    }
    said = sorted(latest.values(), key=lambda utterance: utterance.start)
    return [word.text for utterance in said for word in utterance.words]


def _named(claims: list[Detection], truth: Truth) -> dict[TruthKind, list[Detection]]:
    """Detections by kind. Silence of the voices during hold music counts as hold, not as dead air.

    Holds without music are not in the ground truth, so they are not scored.
    """
    music = truth.happenings("hold_music")
    named: dict[TruthKind, list[Detection]] = {kind: [] for kind in (*MOMENTS, *STRETCHES)}
    for claim in claims:
        held = claim.kind in ("dead_air", "hold_music") and any(_meet(claim, one) for one in music)
        if held or claim.kind != "hold_music":
            named["hold_music" if held else claim.kind].append(claim)
    return named


def _moments(happened: list[TrueEvent], claims: list[Detection]) -> Score:
    left = list(claims)
    delays: list[float] = []
    missed = 0
    for one in happened:
        near = [claim for claim in left if claim.by == one.by and _belongs(claim, one)]
        if near:
            best = min(near, key=lambda claim: abs(claim.start - one.start))
            left.remove(best)
            delays.append(round(best.detected_at - one.start, 3))
        elif one.kind == "apology" or one.overlap >= AUDIBLE_OVERLAP:
            missed += 1
    return Score(found=len(delays), missed=missed, wrong=len(left), delays=tuple(delays))


def _belongs(claim: Detection, one: TrueEvent) -> bool:
    return one.start - TOLERANCE <= claim.start <= max(one.start + TOLERANCE, one.end)


def _stretches(happened: list[TrueEvent], claims: list[Detection]) -> Score:
    delays = []
    for one in happened:
        hits = [claim for claim in claims if _by(claim, one) and _meet(claim, one)]
        if hits:
            delays.append(round(max(min(hit.detected_at for hit in hits) - one.start, 0.0), 3))
    wrong = sum(not any(_by(claim, one) and _meet(claim, one) for one in happened) for claim in claims)
    return Score(found=len(delays), missed=len(happened) - len(delays), wrong=wrong, delays=tuple(delays))


def _by(claim: Detection, one: TrueEvent) -> bool:
    return claim.by is None or one.by is None or claim.by == one.by


def _meet(claim: Detection, one: TrueEvent) -> bool:
    return claim.start < one.end + TOLERANCE and claim.end > one.start - TOLERANCE


def _alerts(
    events: Sequence[Event], truth: Truth, *, words: bool
) -> tuple[tuple[Alerted, ...], tuple[Alerted, ...], tuple[Alerted, ...]]:
    """Expected alerts that opened, those that did not, and unexpected alerts of level warn or above."""
    levels: dict[str, Level] = {}
    opened: list[AlertOpened] = []
    for event in events:
        if isinstance(event, AlertEvent):
            levels[event.alert] = max(levels.get(event.alert, "info"), event.level, key=severity)
        if isinstance(event, AlertOpened):
            opened.append(event)
    due = [one for one in truth.expected_alerts if not (one.wordless if words else one.words)]
    hits = [(one, [alert for alert in opened if _answers(alert, one)]) for one in due]
    met = tuple(_alerted(one, found[0], levels[found[0].alert]) for one, found in hits if found)
    missed = tuple(_alerted(one, None, None) for one, found in hits if not found and not one.may)
    explained = {alert.alert for _, found in hits for alert in found}
    unexpected = tuple(
        Alerted(rule=alert.rule, channel=alert.channel, at=alert.detected_at, level=levels[alert.alert])
        for alert in opened
        if alert.alert not in explained
        and levels[alert.alert] != "info"
        and alert.rule not in truth.allowed_alerts
    )
    return met, missed, unexpected


def _answers(alert: AlertOpened, one: ExpectedAlert) -> bool:
    side = one.channel is None or alert.channel is None or alert.channel == one.channel
    return alert.rule == one.rule and side and one.from_ <= alert.detected_at <= one.to


def _alerted(one: ExpectedAlert, alert: AlertOpened | None, level: str | None) -> Alerted:
    at = alert.detected_at if alert else None
    return Alerted(rule=one.rule, channel=one.channel, from_=one.from_, to=one.to, at=at, level=level)


def _word_errors(events: Sequence[Event], truth: Truth, channel: Channel) -> tuple[int, int]:
    """The number of substitutions, deletions and insertions, and the number of true words."""
    said = [_plain(word.text) for word in truth.words if word.channel == channel]
    heard = [_plain(word) for word in final_words(events, channel)]
    return int(Levenshtein.distance(said, heard)), len(said)


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum() or letter == "'")


def _percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile: the smallest value that at least ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(int(-(-len(ordered) * share // 1)) - 1, 0)] if ordered else None


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
