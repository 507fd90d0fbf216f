"""Who speaks how much, and over whom."""

from monitor.events import CHANNELS, Channel, other
from monitor.rules.measures.registry import MINUTE, TWO_MINUTES, Seconds, measure
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import Mark, Timeline

OVERLAPPED = ("crosstalk", "same_audio", "swapped", "dead_channel")
"""With these troubles one voice is on both sides, so talk-over means nothing."""

POLL = 2.0
"""Seconds after which a share is looked at again while somebody speaks."""


def leaves(marks: list[Mark], window: float) -> float | None:
    """When the first of ``marks`` leaves the window, and a count falls by itself."""
    return marks[0].end + window if marks and window != float("inf") else None


def apart(marks: list[Mark]) -> list[Mark]:
    """Of marks that overlap, the first: one question is one question, whatever classes it has."""
    found: list[Mark] = []
    for mark in marks:
        if not found or mark.start >= found[-1].end:
            found.append(mark)
    return found


def counted(line: Timeline, kinds: tuple[str, ...], by: Channel | None, window: float) -> Reading:
    """How many marks of these kinds the window holds."""
    marks = line.marks.of(kinds, by, line.now - window)
    if window != float("inf"):
        return from_marks(marks, len(marks), again=leaves(marks, window))
    sides = (by,) if by else (*CHANNELS, None)
    return from_marks(marks, sum(line.marks.counts[kind, one] for kind in kinds for one in sides))


@measure(
    "times",
    tells="{by} cut {other} off {value} in {window}",
    wakes=("interruption:{by}",),
    quality=OVERLAPPED,
)
def interruptions(line: Timeline, *, by: Channel, window: Seconds = TWO_MINUTES) -> Reading:
    """How often a side took the floor from the other, who was still speaking."""
    return counted(line, ("interruption",), by, window)


@measure(
    "times",
    tells="{by} talked over {other} {value} in {window}",
    wakes=("talk_over:{by}",),
    quality=OVERLAPPED,
)
def talk_overs(line: Timeline, *, by: Channel, window: Seconds = TWO_MINUTES) -> Reading:
    """How often a side kept talking over the other, who did not yield."""
    return counted(line, ("talk_over",), by, window)


@measure(
    "times",
    tells="the caller's story was cut off {value}",
    wakes=("interruption:agent", "interruption:caller"),
    quality=OVERLAPPED,
)
def story_cut(
    line: Timeline,
    *,
    longest_start: Seconds = MINUTE,
    least: Seconds = Seconds(10.0),
    window: Seconds = TWO_MINUTES,
) -> Reading:
    """How often the agent took the floor during the caller's first long turn."""
    story = next(
        (t for t in line.talk.turns if t.channel == "caller" and t.until(line.now) - t.start >= least), None
    )
    if not story or story.start >= longest_start:
        return NOTHING
    end = story.until(line.now)
    marks = [
        m
        for m in line.marks.of(("interruption",), None, line.now - window)
        if story.start <= m.start <= end + 4.0
    ]
    cut = [m for m in marks if (m.channel == "agent") == (m.start <= end)]
    return from_marks(cut, len(cut), again=leaves(cut, window))


@measure("share", tells="{by} had {value} of the talk in {window}", wakes=("speech",), quality=OVERLAPPED)
def talk_share(
    line: Timeline, *, by: Channel, window: Seconds = TWO_MINUTES, least: Seconds = MINUTE
) -> Reading:
    """A side's share of the speech in the window; nothing is said below ``least`` seconds of speech."""
    since = max(0.0, line.now - window)
    mine, theirs = line.talk.seconds(by, since), line.talk.seconds(other(by), since)
    again = line.now + POLL if line.talk.speaking(by) else None
    if mine + theirs < least:
        return Reading(again=again)
    return Reading(mine / (mine + theirs), since, line.now, by, again=again)


@measure("share", tells="both spoke at once for {value} of {window}", wakes=("overlap",), quality=OVERLAPPED)
def overlap_share(line: Timeline, *, window: Seconds = TWO_MINUTES, least: Seconds = MINUTE) -> Reading:
    """The share of the window in which both sides spoke at once."""
    since = max(0.0, line.now - window)
    if line.now - since < least:
        return NOTHING
    kinds = [f"overlap:{kind}" for kind in ("interruption", "talk_over", "simultaneous", "terminal", "other")]
    marks = line.marks.of(kinds, None, since)
    both = sum(mark.end - max(mark.start, since) for mark in marks)
    return from_marks(marks, both / (line.now - since), again=leaves(marks, window))
