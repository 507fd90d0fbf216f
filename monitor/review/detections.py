"""What the monitor claims to have found in a call, kind by kind, read from its events."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitor.events import (
    CHANNELS,
    Channel,
    Event,
    Interruption,
    Overlap,
    Prosody,
    Quality,
    SpeechEnded,
    SpeechStarted,
    TalkOver,
    Utterance,
    Word,
)
from monitor.review.truth import TruthKind

DEAD_AIR = 8.0
"""Seconds of mutual silence that count as dead air."""

RAISED, RAISED_FOR = 1.0, 0.8
"""Effort score of a raised voice, and how many voiced seconds of it make one."""

LOWERED, LOWERED_FOR = 0.5, 1.0
"""Effort score of a voice that has come down, and how many voiced seconds of it say so."""

PAUSE = 2.0
"""Seconds without raised speech after which the next raised speech is another stretch."""

STEP = 0.1
"""Seconds of speech that one prosody event speaks for."""

_SORRY = re.compile(r"^(sorry|apolog\w+)\W*$", re.IGNORECASE)


class Detection(NamedTuple):
    """One claim: what, whose, from when to when (end may be the start), and when it was first said."""

    kind: TruthKind
    by: Channel | None
    start: float
    end: float
    detected_at: float


def detections(events: Sequence[Event]) -> list[Detection]:
    """Every claim in ``events``, in the order in which they were made."""
    found = [*_meetings(events), *_raised(events), *_silences(events), *_faults(events), *_apologies(events)]
    return sorted(found, key=lambda one: one.detected_at)


def final_words(events: Iterable[Event], channel: Channel) -> list[tuple[Word, float]]:
    """The words of the last revision of each utterance of one side, with when that revision was known."""
    latest: dict[int, Utterance] = {}
    for event in events:
        if isinstance(event, Utterance) and event.channel == channel:
            latest[event.utterance] = event
    said = sorted(latest.values(), key=lambda utterance: utterance.start)
    return [(word, utterance.detected_at) for utterance in said for word in utterance.words]


def _meetings(events: Sequence[Event]) -> list[Detection]:
    found = []
    for event in events:
        if isinstance(event, Interruption | TalkOver):
            kind: TruthKind = "interruption" if isinstance(event, Interruption) else "talk_over"
            found.append(Detection(kind, event.by, event.start, event.at, event.detected_at))
        elif isinstance(event, Overlap) and event.kind in ("backchannel", "terminal", "simultaneous"):
            found.append(Detection(event.kind, event.by, event.start, event.end, event.detected_at))
    return found


def _raised(events: Sequence[Event]) -> list[Detection]:
    """Stretches in which the effort was raised and held, each side by itself."""
    return [
        Detection("raised", channel, *stretch)
        for channel in CHANNELS
        for stretch in _held([one for one in events if isinstance(one, Prosody) and one.channel == channel])
    ]


def _held(sounds: Sequence[Prosody]) -> list[tuple[float, float, float]]:
    """(start, end, known) of each stretch; one ends with a low second, or before a pause."""
    stretches: list[tuple[float, float, float]] = []
    start = last = above = below = 0.0
    known: float | None = None
    for sound in sounds:
        effort, voiced = sound.effort or 0.0, sound.voiced * STEP
        paused = sound.at - last > PAUSE
        below = 0.0 if effort >= LOWERED else below + voiced
        if known is not None and (paused or below >= LOWERED_FOR):
            stretches.append((start, last, known))
            known = None
        if known is None:
            begins = paused or not above or effort < RAISED
            start, above = (sound.at - STEP, 0.0) if begins else (start, above)
            above += voiced if effort >= RAISED else 0.0
            known = sound.detected_at if above >= RAISED_FOR - 1e-9 else None
        if effort >= LOWERED:
            last = sound.at
    return stretches if known is None else [*stretches, (start, last, known)]


def _silences(events: Sequence[Event]) -> list[Detection]:
    """Stretches in which neither side speaks: after the first word, to the next one or the call's end."""
    found: list[Detection] = []
    speaking: set[Channel] = set()
    silent_from: float | None = None
    last = max((event.detected_at for event in events), default=0.0)
    turns = [event for event in events if isinstance(event, SpeechStarted | SpeechEnded)]
    for event in sorted(turns, key=lambda one: one.at if isinstance(one, SpeechStarted) else one.end):
        if isinstance(event, SpeechEnded):
            speaking.discard(event.channel)
            silent_from = event.end if not speaking else None
        else:
            speaking.add(event.channel)
            if silent_from is not None:
                found.append(_silence(silent_from, event.at))
            silent_from = None
    if silent_from is not None:
        found.append(_silence(silent_from, last))
    return [one for one in found if one.end - one.start >= DEAD_AIR]


def _silence(start: float, end: float) -> Detection:
    return Detection("dead_air", None, start, end, start + DEAD_AIR)


def _faults(events: Sequence[Event]) -> list[Detection]:
    """Faults of the sound; each is said when it begins and again, with its end, when it is over."""
    found: dict[tuple[str, Channel | None, float], Detection] = {}
    last = max((event.detected_at for event in events), default=0.0)
    for event in events:
        if isinstance(event, Quality) and event.kind in ("crosstalk", "clipping", "dead_channel"):
            place = (event.kind, event.channel, event.start)
            known = found[place].detected_at if place in found else event.detected_at
            end = last if event.end is None else event.end
            found[place] = Detection(event.kind, event.channel, event.start, end, known)
    return list(found.values())


def _apologies(events: Sequence[Event]) -> list[Detection]:
    return [
        Detection("apology", channel, word.start, word.end, known)
        for channel in CHANNELS
        for word, known in final_words(events, channel)
        if _SORRY.match(word.text)
    ]
