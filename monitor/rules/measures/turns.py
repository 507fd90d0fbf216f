"""Turns: how long they are, how soon they begin, what the other side does meanwhile."""

from monitor.events import Channel, other
from monitor.rules.measures.registry import THREE_MINUTES, UNHEARD, Seconds, measure
from monitor.rules.measures.talk import OVERLAPPED, leaves
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import Stretch, Timeline


def spoken_run(line: Timeline, turn: Stretch, pause: float) -> float:
    """Since when the holder of ``turn`` has spoken without a pause of ``pause`` seconds."""
    begin = line.now
    for start, end in line.talk.segments(turn.channel, turn.start):
        if begin - end >= pause:
            break
        begin = start
    return begin


@measure("s", tells="{by} has spoken for {value} without a pause", wakes=("floor", "speech:{by}"))
def turn_length(line: Timeline, *, by: Channel, pause: Seconds = Seconds(3.0)) -> Reading:
    """For how long a side has had the floor without a pause of ``pause`` seconds."""
    turn = line.talk.turn(by)
    if not turn:
        return Reading(0.0)
    begin = spoken_run(line, turn, pause)
    again = None if line.talk.speaking(by) else line.talk.spoken_until(by) + pause
    return Reading(line.now - begin, begin, line.now, by, rate=1.0, again=again)


@measure(
    "s",
    tells="{by} has given no sign of listening for {value}",
    wakes=("floor", "speech"),
    quality=OVERLAPPED,
)
def without_sign(line: Timeline, *, by: Channel) -> Reading:
    """For how long the other side has had the floor without a sign of listening from this one."""
    turn = line.talk.turn(other(by))
    if not turn or not line.talk.speaking(other(by)):
        return Reading(0.0)
    if line.talk.speaking(by):
        return Reading(0.0)
    begin = max(turn.start, line.talk.spoken_until(by))
    return Reading(line.now - begin, begin, line.now, other(by), rate=1.0)


def gaps(line: Timeline, by: Channel, since: float) -> list[Stretch]:
    """From the end of the other's turn to the start of this side's, for each passing of the floor to it."""
    found, before = [], None
    for turn in line.talk.turns:
        if before and turn.channel == by and before.channel != by and before.end is not None:
            found.append(Stretch(by, before.end, turn.start))
        before = turn
    return [gap for gap in found if max(gap.start, gap.end or 0.0) > since]


@measure(
    "share",
    tells="{value} of the last turns of {by} began before {other} had ended",
    wakes=("floor:{by}",),
    quality=OVERLAPPED,
)
def onsets_without_gap(line: Timeline, *, by: Channel, last: int = 10, gap: float = 0.0) -> Reading:
    """The share of a side's ``last`` turns that began before the other had ended."""
    turns = gaps(line, by, 0.0)[-last:]
    if len(turns) < last:
        return NOTHING
    early = [turn for turn in turns if (turn.end or 0.0) - turn.start <= gap]
    return Reading(len(early) / last, turns[0].start, line.now, by)


@measure(
    "times",
    tells="{by} took long to answer {value} in {window}",
    wakes=("floor:{by}", "hold"),
    quality=UNHEARD,
)
def slow_answers(
    line: Timeline, *, by: Channel, gap: Seconds = Seconds(2.5), window: Seconds = THREE_MINUTES
) -> Reading:
    """How often a side took longer than ``gap`` to answer."""
    since = line.now - window
    slow = [
        turn
        for turn in gaps(line, by, since)
        if (turn.end or 0.0) - turn.start >= gap and not _on_hold(line, turn)
    ]
    if not slow:
        return Reading(0.0)
    marks = [turn for turn in slow if turn.end is not None]
    return Reading(
        len(marks), marks[0].start, marks[-1].end or line.now, by, again=(marks[0].end or 0.0) + window
    )


def _on_hold(line: Timeline, gap: Stretch) -> bool:
    return any(
        hold.start < (gap.end or line.now) and hold.until(line.now) > gap.start for hold in line.talk.holds
    )


@measure(
    "times",
    tells="both fought for the floor {value} in {window}",
    wakes=("overlap:interruption", "overlap:talk_over"),
    quality=OVERLAPPED,
)
def mutual_overlaps(line: Timeline, *, window: Seconds = Seconds(60.0)) -> Reading:
    """How often either side fought for the floor; nothing counts until both have."""
    marks = line.marks.of(("overlap:interruption", "overlap:talk_over"), None, line.now - window)
    both = {mark.channel for mark in marks} == {"agent", "caller"}
    return from_marks(marks, len(marks) if both else 0, again=leaves(marks, window))
