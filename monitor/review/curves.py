"""Level and pitch over a call, thinned to what a picture can show."""

from collections.abc import Iterable, Sequence
from math import floor

import msgspec

from monitor.events import CHANNELS, Channel, Event, Prosody

MOST_POINTS = 440
FINEST = 0.5
"""Seconds of one point of a short call; longer calls have longer ones, so that there are not too many."""


class Point(msgspec.Struct, frozen=True):
    """The means of one stretch: middle of it (s), level (dB) and pitch (semitones) against the normal.

    ``effort`` is the greatest score in it. A value that nothing was heard of is null.
    """

    at: float
    level_db: float | None
    pitch_st: float | None
    effort: float | None


class Curve(msgspec.Struct, frozen=True):
    """One side's points, ``step`` seconds apart where it spoke, and none where it did not."""

    step: float
    points: tuple[Point, ...]


def curves_of(
    events: Iterable[Event], seconds: float, shown: Sequence[Channel] = CHANNELS
) -> dict[Channel, Curve]:
    """Both sides' curves, from the ``prosody`` events; a side that is not ``shown`` has no points."""
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
