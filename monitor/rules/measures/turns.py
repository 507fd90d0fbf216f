"""Measures of turns: length, response times, and the other side's backchannels."""

from monitor.events import Channel, other
from monitor.rules.measures.registry import MINUTE, THREE_MINUTES, UNHEARD, Time, measure
from monitor.rules.measures.talk import OVERLAPPED
from monitor.rules.reading import NOTHING, ZERO, Reading, from_marks, running
from monitor.timeline import Stretch, TimelineView


@measure("s", tells="{by} has spoken for {value} without a pause")
def turn_length(view: TimelineView, *, by: Channel, pause: Time = Time(3_000)) -> Reading:
    """For how long a side has had the floor without a pause of ``pause`` seconds."""
    turn = view.turn(by)
    begin = view.spoken_run(turn, pause) if turn else None
    return ZERO if begin is None else running(view, begin, by)


@measure("s", tells="{by} has given no sign of listening for {value}", quality=OVERLAPPED)
def without_sign(view: TimelineView, *, by: Channel) -> Reading:
    """For how long the other side has had the floor without a backchannel from this one."""
    turn = view.turn(other(by))
    if not turn or not view.speaking(other(by)) or view.speaking(by):
        return ZERO
    return running(view, max(turn.start, view.spoken_until(by)), other(by))


def gaps(view: TimelineView, by: Channel) -> list[tuple[int, int]]:
    """The end of the other's turn and the start of this side's, in ms, for each change of the floor to it."""
    found: list[tuple[int, int]] = []
    before: Stretch | None = None
    for turn in view.turns():
        if before and turn.channel == by and before.channel != by and before.end is not None:
            found.append((before.end, turn.start))
        before = turn
    return found


@measure(
    "share", tells="{value} of the last turns of {by} began before {other} had ended", quality=OVERLAPPED
)
def onsets_without_gap(view: TimelineView, *, by: Channel, last: int = 10, gap: Time = Time(0)) -> Reading:
    """The share of a side's ``last`` turns that began before the other had ended."""
    turns = gaps(view, by)[-last:]
    if len(turns) < last:
        return NOTHING
    early = sum(start - end <= gap for end, start in turns)
    return Reading(early / last, turns[0][0], view.now, by)


@measure("times", tells="{by} took long to answer {value} in {window}", quality=UNHEARD)
def slow_answers(
    view: TimelineView, *, by: Channel, gap: Time = Time(2_500), window: Time = THREE_MINUTES
) -> Reading:
    """How often a side took longer than ``gap`` to answer."""
    holds = view.holds()
    slow = [
        (end, start)
        for end, start in gaps(view, by)
        if start - end >= gap
        and not any(hold.start < start and hold.until(view.now) > end for hold in holds)
        and not view.passed(start + window)
    ]
    return Reading(len(slow), slow[0][0], slow[-1][1], by) if slow else ZERO


@measure("times", tells="both fought for the floor {value} in {window}", quality=OVERLAPPED)
def mutual_overlaps(view: TimelineView, *, window: Time = MINUTE) -> Reading:
    """How often either side interrupted or talked over the other; 0 until both have."""
    marks = view.marks(("overlap:interruption", "overlap:talk_over"), None, window)
    both = {mark.channel for mark in marks} == {"agent", "caller"}
    return from_marks(marks, len(marks) if both else 0)
