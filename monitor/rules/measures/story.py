"""Things that belong together over a call: the story, the slots, the open items, the known facts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.events import Channel, other
from monitor.rules.measures.registry import (
    HALF_MINUTE,
    TEN_SECONDS,
    THREE_MINUTES,
    UNHEARD,
    Phrases,
    Seconds,
    measure,
)
from monitor.rules.measures.talk import apart, leaves
from monitor.rules.measures.words import perhaps
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import Mark, Stretch, Timeline

ANSWERED: Phrases = Phrases(("solution", "option", "promise", "alternative", "resolution_check", "steps"))


def first_story(line: Timeline, least: float = 10.0, before: float = 60.0) -> Stretch | None:
    """The caller's first turn of at least ``least`` seconds, if it began early in the call."""
    for turn in line.talk.turns:
        if turn.channel == "caller" and turn.until(line.now) - turn.start >= least:
            return turn if turn.start < before else None
    return None


@measure("times", tells="a question came into the caller's story", wakes=("say:{of}",), words=True)
def early_questions(
    line: Timeline,
    *,
    of: Phrases = Phrases(("question", "open_question")),
    gap: Seconds = Seconds(0.3),
    window: Seconds = HALF_MINUTE,
) -> Reading:
    """How often the agent began a question over the caller's first long turn, or hard on its end."""
    story = first_story(line)
    if story is None:
        return NOTHING
    end = story.until(line.now) + gap
    marks = [
        mark for mark in line.marks.of(of, "agent", line.now - window) if story.start + 1.0 < mark.start < end
    ]
    distinct = apart(marks)
    whole = [line.words.sentence(mark) for mark in distinct]
    return from_marks(whole, len(whole), again=leaves(distinct, window))


@measure("times", tells="{value}", wakes=("say:{of}",), words=True)
def worth_noting(line: Timeline, *, of: Phrases, by: Channel | None = None) -> Reading:
    """Words for the side panel: phrases of these classes."""
    marks = line.marks.of(of, by, line.now - HALF_MINUTE)
    return from_marks(marks, len(marks))


@measure(
    "times",
    tells="{value} a matter of the caller was still open at the goodbye",
    wakes=("say:{at}",),
    words=True,
    doubts=("answered",),
    quality=UNHEARD,
)
def open_items(
    line: Timeline,
    *,
    of: Phrases = Phrases(("concern",)),
    at: Phrases = Phrases(("closing",)),
    answered: Phrases = ANSWERED,
    within: Seconds = TEN_SECONDS,
) -> Reading:
    """How many further matters of the caller had no answer when the agent began to close."""
    closing = line.marks.latest(at, "agent")
    if closing is None or closing.end < line.now - within:
        return Reading(0.0)
    still = [mark for mark in line.marks.of(of, "caller", 0.0) if mark.end <= closing.start]
    still = [mark for mark in still if not _answered(line, answered, mark, closing)]
    if not still:
        return Reading(0.0, again=closing.end + within)
    items = [line.words.sentence(mark) for mark in still]
    reading = from_marks([closing, *items], len(items), again=closing.end + within)
    return replace(reading, at=closing.end)


def _answered(line: Timeline, kinds: Phrases, item: Mark, closing: Mark) -> bool:
    return any(mark.end < closing.start for mark in line.marks.of(perhaps(kinds), "agent", item.end))


@measure(
    "s",
    tells="a first step has been due for {value}",
    wakes=("say:{issue}", "say:{of}", "utterance:{by}"),
    words=True,
    doubts=("of",),
    quality=UNHEARD,
)
def unsolved(
    line: Timeline,
    *,
    of: Phrases,
    by: Channel,
    issue: Phrases,
    within: Seconds = THREE_MINUTES,
    usual: str = "queue_median_seconds",
    share: float = 0.5,
) -> Reading:
    """For how long a first step has been due: ``within`` a time after the issue, or by a share of ``usual``.

    ``usual`` is a field of the metadata, the usual length of such calls. A step that was offered, or
    perhaps was, ends it. Nothing is said before the recogniser has heard as far as that.
    """
    first = line.marks.first
    raised = [first[kind, other(by)] for kind in issue if (kind, other(by)) in first]
    if not raised or any((kind, by) in first for kind in perhaps(of)):
        return NOTHING
    due = min(raised) + within
    length = line.meta.get(usual)
    if isinstance(length, int | float) and length > 0:
        due = min(due, max(min(raised), share * length))
    if line.now < due or line.words.heard_until(by) < due:
        return Reading(again=max(due, line.now + 0.5))
    return Reading(line.now - due, min(raised), due, by, rate=1.0)


@measure("", tells="known before the call: {value}", wakes=())
def known(line: Timeline, *, field: str) -> Reading:
    """A number that was known of the call before it began (1 for any text), from its metadata."""
    value: Any = line.meta
    for key in field.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None or value is False or value == "":
        return NOTHING
    plain = float(value) if isinstance(value, int | float) else 1.0
    return Reading(plain, 0.0, line.now)


@measure("times", tells="this was a hard call", wakes=("difficulty",))
def hard_call(line: Timeline, *, score: float = 70.0, abuse: Phrases = Phrases(("abuse",))) -> Reading:
    """Whether this was a hard call: its difficulty reached ``score``, or the caller was abusive."""
    marks = line.marks.of(abuse, "caller", 0.0) if line.has_words else []
    return from_marks(marks, float(len(marks) + (line.hardest >= score)))


@measure("", tells="{value} calmer", wakes=())
def mood_shift(line: Timeline, *, by: Channel, share: float = 0.2) -> Reading:
    """How much calmer a side sounded at the end of the call than at its beginning (effort score)."""
    mood = line.voice[by].mood
    first, last = mood.mean(0.0, line.now * share), mood.mean(line.now * (1.0 - share), line.now)
    if first is None or last is None:
        return NOTHING
    return Reading(first - last, 0.0, line.now, by)


@measure("share", tells="{value} of the usual length", wakes=())
def handle_time(line: Timeline, *, median: str = "queue_median_seconds") -> Reading:
    """The length of the call against the median of its queue, from the metadata."""
    usual = line.meta.get(median)
    if not isinstance(usual, int | float) or usual <= 0:
        return NOTHING
    return Reading(line.now / usual, 0.0, line.now)
