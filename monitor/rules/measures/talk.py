"""Measures of talk shares and overlapping speech."""

from dataclasses import replace

from monitor.events import Channel, other
from monitor.rules.measures.registry import MINUTE, TEN_SECONDS, TWO_MINUTES, Time, measure
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import CALL, Mark, Quantity, TimelineView

OVERLAPPED = ("crosstalk", "same_audio", "swapped", "dead_channel")
"""With these problems one voice is on both channels, so overlaps mean nothing."""

KINDS = tuple(
    f"overlap:{kind}" for kind in ("interruption", "talk_over", "simultaneous", "terminal", "other")
)

ANSWERED_BACK = 4_000
"""Ms after the end of a story within which the caller may take the floor back after an interruption."""


def apart(marks: list[Mark]) -> list[Mark]:
    """The first of each group of overlapping marks, since one question may match several classes."""
    found: list[Mark] = []
    for mark in marks:
        if not found or mark.start >= found[-1].end:
            found.append(mark)
    return found


def counted(
    view: TimelineView, kinds: tuple[str, ...], by: Channel | None, window: int, *, perhaps: bool = False
) -> Reading:
    """The number of marks of these kinds in the window; ``perhaps`` also counts approximate matches."""
    marks = view.marks(kinds, by, window, certain=None if perhaps else True)
    return from_marks(marks, len(marks) if window < CALL else view.count(kinds, by, perhaps=perhaps))


@measure("times", tells="the caller's story was cut off {value}", quality=OVERLAPPED)
def story_cut(
    view: TimelineView, *, longest_start: Time = MINUTE, least: Time = TEN_SECONDS, window: Time = TWO_MINUTES
) -> Reading:
    """How often the agent took the floor during the caller's first long turn."""
    story = view.first_long_turn("caller", least)
    if story is None or story.start >= longest_start:
        return NOTHING
    end = story.until(view.now)
    marks = view.marks(("interruption",), None, window)
    marks = [mark for mark in marks if story.start <= mark.start <= end + ANSWERED_BACK]
    cut = [mark for mark in marks if (mark.channel == "agent") == (mark.start <= end)]
    return from_marks(cut, len(cut))


@measure("share", tells="{by} had {value} of the talk in {window}", quality=OVERLAPPED)
def talk_share(
    view: TimelineView, *, by: Channel, window: Time = TWO_MINUTES, least: Time = MINUTE
) -> Reading:
    """A side's share of the speech in the window; no value below ``least`` seconds of speech."""
    mine, theirs = view.spoken(by, window), view.spoken(other(by), window)
    both = mine + theirs
    if not view.reached(both, least) or not both.value:
        return NOTHING
    since = max(0, view.now - window)
    return Reading(mine.value / both.value, since, view.now, by, ratio=(mine, both))


@measure("share", tells="both spoke at once for {value} of {window}", quality=OVERLAPPED)
def overlap_share(view: TimelineView, *, window: Time = TWO_MINUTES, least: Time = MINUTE) -> Reading:
    """The share of the window in which both sides spoke at once."""
    if window < least or not view.reached(view.elapsed, least):
        return NOTHING
    whole = Quantity(window) if view.passed(window) else view.elapsed
    edge = view.now - window
    marks = view.marks(KINDS, None, window)
    shared, leaving = 0, 0
    for mark in marks:
        shared += mark.end - max(mark.start, edge, 0)
        if mark.start <= edge:
            leaving += 1
        else:
            view.change_at(mark.start + window)
    reading = from_marks(marks, shared / whole.value)
    return replace(reading, ratio=(Quantity(shared, -leaving), whole))
