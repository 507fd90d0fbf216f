"""Measures over the course of a call: the caller's story, open items, solution time, metadata, mood."""

from dataclasses import replace

from monitor.events import Channel, other
from monitor.rules.measures.registry import (
    HALF_MINUTE,
    TEN_SECONDS,
    THREE_MINUTES,
    UNHEARD,
    Phrases,
    Time,
    measure,
)
from monitor.rules.measures.talk import apart
from monitor.rules.reading import NOTHING, ZERO, Reading, from_marks, running
from monitor.timeline import Mark, Quantity, TimelineView, ms

ANSWERED: Phrases = Phrases(("solution", "option", "promise", "alternative", "resolution_check", "steps"))

STORY, EARLY = 10_000, 60_000
"""The least length of a story in ms, and the ms of the call within which it begins."""

INTO = 1_000
"""Ms from the start of a story after which a question counts as an interruption of it."""


@measure("times", tells="a question came into the caller's story", words=True)
def early_questions(
    view: TimelineView,
    *,
    of: Phrases = Phrases(("question", "open_question")),
    gap: Time = Time(300),
    window: Time = HALF_MINUTE,
) -> Reading:
    """How often the agent began a question during the caller's first long turn, or right after its end."""
    story = view.first_long_turn("caller", STORY)
    if story is None or story.start >= EARLY:
        return NOTHING
    end = story.until(view.now) + gap
    marks = [mark for mark in view.marks(of, "agent", window) if story.start + INTO < mark.start < end]
    whole = [view.sentence(mark) for mark in apart(marks)]
    return from_marks(whole, len(whole))


@measure("times", tells="{value}", words=True)
def worth_noting(view: TimelineView, *, of: Phrases, by: Channel | None = None) -> Reading:
    """The number of phrases of these classes, for notes in the side panel."""
    marks = view.marks(of, by, HALF_MINUTE)
    return from_marks(marks, len(marks))


@measure(
    "times",
    tells="{value} a matter of the caller was still open at the goodbye",
    words=True,
    doubts=("answered",),
    quality=UNHEARD,
)
def open_items(
    view: TimelineView,
    *,
    of: Phrases = Phrases(("concern",)),
    at: Phrases = Phrases(("closing",)),
    answered: Phrases = ANSWERED,
    within: Time = TEN_SECONDS,
) -> Reading:
    """How many further concerns of the caller were unanswered when the agent began to close."""
    closing = view.latest(at, "agent")
    if closing is None or view.passed(closing.end + within + 1):
        return ZERO
    still = [mark for mark in view.marks(of, "caller") if mark.end <= closing.start]
    still = [mark for mark in still if not _answered(view, answered, mark, closing)]
    if not still:
        return ZERO
    items = [view.sentence(mark) for mark in still]
    return replace(from_marks([closing, *items], len(items)), at=closing.end)


def _answered(view: TimelineView, kinds: Phrases, item: Mark, closing: Mark) -> bool:
    return any(mark.end < closing.start for mark in view.marks_since(kinds, "agent", item.end, certain=None))


@measure("s", tells="a first step has been due for {value}", words=True, doubts=("of",), quality=UNHEARD)
def unsolved(
    view: TimelineView,
    *,
    of: Phrases,
    by: Channel,
    issue: Phrases,
    within: Time = THREE_MINUTES,
    usual: str = "queue_median_seconds",
    share: float = 0.5,
) -> Reading:
    """For how long a first step has been due: ``within`` a time after the issue, or by a share of ``usual``.

    ``usual`` is a field of the metadata, the usual length of such calls. A step that was offered (an
    approximate match suffices) ends it. There is no value before recognition has reached the due time.
    """
    raised = view.first(issue, other(by))
    if raised is None or view.first(of, by, perhaps=True) is not None:
        return NOTHING
    due = raised + within
    length = view.known(usual)
    if isinstance(length, int | float) and length > 0:
        due = min(due, max(raised, ms(share * length)))
    if not view.heard(by, due):
        return NOTHING
    return replace(running(view, due, by), start=raised, at=due)


@measure("", tells="known before the call: {value}")
def known(view: TimelineView, *, field: str) -> Reading:
    """A number from the call's metadata (1 for any text)."""
    value = view.known(field)
    if value is None or value is False or value == "":
        return NOTHING
    plain = float(value) if isinstance(value, int | float) else 1.0
    return Reading(plain, 0, view.now)


@measure("times", tells="this was a hard call")
def hard_call(view: TimelineView, *, score: float = 70.0, abuse: Phrases = Phrases(("abuse",))) -> Reading:
    """Whether this was a hard call: its difficulty reached ``score``, or the caller was abusive."""
    marks = view.marks(abuse, "caller") if view.has_words else []
    return from_marks(marks, len(marks) + (view.hardest() >= score))


@measure("", tells="{value} calmer")
def mood_shift(view: TimelineView, *, by: Channel, share: float = 0.2) -> Reading:
    """The decrease of a side's mean effort score from the beginning to the end of the call."""
    first, last = view.mood(by, share)
    return NOTHING if first is None or last is None else Reading(first - last, 0, view.now, by)


@measure("share", tells="{value} of the usual length")
def handle_time(view: TimelineView, *, median: str = "queue_median_seconds") -> Reading:
    """The length of the call as a share of the median of its queue, from the metadata."""
    usual = view.known(median)
    if not isinstance(usual, int | float) or usual <= 0:
        return NOTHING
    whole = ms(usual)
    return Reading(view.now / whole, 0, view.now, ratio=(view.elapsed, Quantity(whole)))
