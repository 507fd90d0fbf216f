"""Measures of phrases: number, distance and order."""

from typing import Literal

from monitor.events import Channel, other
from monitor.rules.measures.registry import (
    FIVE_MINUTES,
    HALF_MINUTE,
    MINUTE,
    TWO_MINUTES,
    UNHEARD,
    Phrases,
    Time,
    measure,
)
from monitor.rules.measures.talk import apart, counted
from monitor.rules.reading import NOTHING, ZERO, Reading, from_marks
from monitor.timeline import Mark, TimelineView

FIX: Phrases = Phrases(("solution", "option", "policy", "question"))
FEELING: Phrases = Phrases(("empathy", "apology", "ownership"))


def backed(view: TimelineView, kinds: Phrases, by: Channel | None, window: int) -> list[Mark]:
    """All certain marks, and at most as many approximate ones (which are likelier after a certain one)."""
    sure = view.marks(kinds, by, window)
    maybe = view.marks(kinds, by, window, certain=False)
    maybe = [mark for mark in apart(maybe) if not any(mark.meets(one) for one in sure)]
    return sorted([*sure, *maybe[: len(sure)]], key=lambda mark: (mark.end, mark.start))


@measure("times", tells="{by} said it {value} in {window}", words=True, doubts=("of",))
def phrases(
    view: TimelineView,
    *,
    of: Phrases,
    by: Channel | None = None,
    window: Time = TWO_MINUTES,
    doubt: Literal["never", "backed", "always"] = "never",
) -> Reading:
    """How often phrases of these classes were said. ``doubt``: whether approximate matches count, too.

    ``backed``: at most as many as there are certain ones; ``always`` is for rules about what was not said.
    """
    if doubt == "backed":
        marks = backed(view, of, by, window)
        return from_marks(marks, len(marks))
    return counted(view, of, by, window, perhaps=doubt == "always")


@measure("times", tells="{by} said it {value} in one turn", words=True)
def phrases_in_turn(view: TimelineView, *, of: Phrases, by: Channel) -> Reading:
    """How often phrases of these classes were said in the side's latest turn."""
    latest = view.latest(of, by)
    if latest is None:
        return ZERO
    begun = [turn.start for turn in view.turns_of(by, 0) if turn.start <= latest.start]
    marks = view.marks_since(of, by, max(begun, default=0))
    return from_marks(marks, len(marks))


@measure("times", tells="{by} said it {value} right after {other}'s words", words=True)
def phrases_near(
    view: TimelineView,
    *,
    of: Phrases,
    by: Channel,
    close_to: Phrases,
    within: Time = HALF_MINUTE,
    window: Time = HALF_MINUTE,
) -> Reading:
    """How often a side said phrases of these classes within a time after the other side's phrases."""
    marks = view.marks(of, by, window)
    near = [mark for mark in marks if _heard_before(view, close_to, other(by), mark, within)]
    return from_marks(near, len(near))


def _heard_before(view: TimelineView, kinds: Phrases, by: Channel, mark: Mark, within: int) -> bool:
    return any(cue.end <= mark.end for cue in view.marks_since(kinds, by, mark.start - within))


@measure("share", tells="the share was {value} in {window}", words=True, doubts=("of", "against"))
def phrase_share(
    view: TimelineView,
    *,
    of: Phrases,
    against: Phrases,
    by: Channel,
    least: int = 3,
    window: Time = TWO_MINUTES,
) -> Reading:
    """The share of phrases of one kind among these and their opposites; no value below ``least`` phrases."""
    theirs = backed(view, against, by, window)
    if len(theirs) < least:
        return NOTHING
    mine = view.marks(of, by, window, certain=None)
    return from_marks(theirs, len(mine) / (len(mine) + len(theirs)))


@measure("times", tells="{by} came with a fix before a word on feelings", words=True, doubts=("feeling",))
def fix_before_feeling(
    view: TimelineView,
    *,
    by: Channel,
    cue: Phrases,
    fix: Phrases = FIX,
    feeling: Phrases = FEELING,
    within: Time = HALF_MINUTE,
    window: Time = HALF_MINUTE,
) -> Reading:
    """How often a side offered a fix, a rule or a question before a word on the other's feelings."""
    early: list[Mark] = []
    for mark in view.marks(fix, by, window):
        cues = [one for one in view.marks_since(cue, other(by), mark.start - within) if one.end <= mark.start]
        if not cues or any(one.start > cues[-1].end and one.end <= mark.start for one in early):
            continue
        felt = view.marks_since(feeling, by, cues[-1].end, certain=None)
        if not any(one.start <= mark.end for one in felt):
            early.append(mark)
    return from_marks(early, len(early))


@measure("times", tells="{by} had asked {value} before", words=True, doubts=("of",), quality=UNHEARD)
def asked_before(
    view: TimelineView,
    *,
    of: Phrases,
    by: Channel,
    before: Phrases,
    issue: Phrases,
    within: Time = MINUTE,
) -> Reading:
    """How often phrases came before those of another class, or within a time after the issue.

    Without an issue there is no value.
    """
    raised = view.first(issue, other(by))
    if raised is None:
        return NOTHING
    first = view.first(before, by)
    marks = view.marks(of, by, certain=None)
    if first is not None:
        told = view.marks(before, by)[:1]
        return from_marks(told, len([mark for mark in apart(marks) if mark.end <= first]))
    deadline = raised + within
    if marks or not view.heard(by, deadline):
        return NOTHING
    return Reading(0, raised, deadline, by)


@measure("times", tells="it came {value} after a limit had been set", words=True, doubts=("boundary",))
def despite_boundary(
    view: TimelineView,
    *,
    of: Phrases = Phrases(("abuse",)),
    boundary: Phrases = Phrases(("boundary",)),
    window: Time = FIVE_MINUTES,
) -> Reading:
    """How many boundaries the agent had set in the window before the caller's latest abuse."""
    abuse = view.marks(of, "caller", window)
    if not abuse:
        return ZERO
    lines = [mark for mark in backed(view, boundary, "agent", window) if mark.end <= abuse[-1].start]
    times = len({mark.utterance for mark in lines})
    return from_marks([*lines[-2:], abuse[-1]], times)
