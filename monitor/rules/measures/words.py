"""Phrases: how often, how near to what, in which order."""

from typing import Literal

from monitor.events import Channel, other
from monitor.phrases.lexicon import PERHAPS
from monitor.rules.measures.registry import HALF_MINUTE, TWO_MINUTES, UNHEARD, Phrases, Seconds, measure
from monitor.rules.measures.talk import apart, counted, leaves
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import Mark, Timeline

FIX: Phrases = Phrases(("solution", "option", "policy", "question"))
FEELING: Phrases = Phrases(("empathy", "apology", "ownership"))


def perhaps(kinds: Phrases) -> tuple[str, ...]:
    """The kinds of marks of phrases that were said, and of those that perhaps were."""
    return (*kinds, *(kind + PERHAPS for kind in kinds))


def backed(line: Timeline, kinds: Phrases, by: Channel | None, window: float) -> list[Mark]:
    """What was said, and of what was perhaps said at most as much again: once sure, twice likely."""
    sure = line.marks.of(kinds, by, line.now - window)
    maybe = line.marks.of([kind + PERHAPS for kind in kinds], by, line.now - window)
    maybe = [mark for mark in apart(maybe) if not any(mark.meets(one) for one in sure)]
    return sorted([*sure, *maybe[: len(sure)]], key=lambda mark: (mark.end, mark.start))


@measure(
    "times",
    tells="{by} said it {value} in {window}",
    wakes=("say:{of}",),
    words=True,
    doubts=("of",),
)
def phrases(
    line: Timeline,
    *,
    of: Phrases,
    by: Channel | None = None,
    window: Seconds = TWO_MINUTES,
    doubt: Literal["never", "backed", "always"] = "never",
) -> Reading:
    """How often phrases of these classes were said. ``doubt``: whether what was perhaps said counts, too.

    ``backed``: at most as often as it was surely said; ``always`` is for rules about what was not said.
    """
    if doubt == "backed":
        marks = backed(line, of, by, window)
        return from_marks(marks, len(marks), again=leaves(marks, window))
    return counted(line, perhaps(of) if doubt == "always" else of, by, window)


@measure("times", tells="{by} said it {value} in one turn", wakes=("say:{of}",), words=True)
def phrases_in_turn(line: Timeline, *, of: Phrases, by: Channel) -> Reading:
    """How often phrases of these classes were said in the side's latest turn."""
    latest = line.marks.latest(of, by)
    if latest is None:
        return Reading(0.0)
    begin = max(
        (turn.start for turn in line.talk.turns_of(by, 0.0) if turn.start <= latest.start), default=0.0
    )
    marks = line.marks.of(of, by, begin)
    return from_marks(marks, len(marks))


@measure(
    "times",
    tells="{by} said it {value} right after {other}'s words",
    wakes=("say:{of}", "say:{close_to}"),
    words=True,
)
def phrases_near(
    line: Timeline,
    *,
    of: Phrases,
    by: Channel,
    close_to: Phrases,
    within: Seconds = HALF_MINUTE,
    window: Seconds = HALF_MINUTE,
) -> Reading:
    """How often a side said phrases of these classes within a time after the other side's words."""
    marks = line.marks.of(of, by, line.now - window)
    near = [mark for mark in marks if _heard_before(line, close_to, other(by), mark, within)]
    return from_marks(near, len(near), again=leaves(near, window))


def _heard_before(line: Timeline, kinds: Phrases, by: Channel, mark: Mark, within: float) -> bool:
    return any(cue.end <= mark.end for cue in line.marks.of(kinds, by, mark.start - within))


@measure(
    "share",
    tells="the share was {value} in {window}",
    wakes=("say:{of}", "say:{against}"),
    words=True,
    doubts=("of", "against"),
)
def phrase_share(
    line: Timeline,
    *,
    of: Phrases,
    against: Phrases,
    by: Channel,
    least: int = 3,
    window: Seconds = TWO_MINUTES,
) -> Reading:
    """The share of phrases of one kind among those and their opposites, of which there must be ``least``."""
    mine = line.marks.of(perhaps(of), by, line.now - window)
    theirs = backed(line, against, by, window)
    if len(theirs) < least:
        return NOTHING
    return from_marks(theirs, len(mine) / (len(mine) + len(theirs)), again=leaves(theirs, window))


@measure(
    "times",
    tells="{by} came with a fix before a word on feelings",
    wakes=("say:{fix}",),
    words=True,
    doubts=("feeling",),
)
def fix_before_feeling(
    line: Timeline,
    *,
    by: Channel,
    cue: Phrases,
    fix: Phrases = FIX,
    feeling: Phrases = FEELING,
    within: Seconds = HALF_MINUTE,
    window: Seconds = HALF_MINUTE,
) -> Reading:
    """How often a side came with a fix, a rule or a question before a word on the other's feelings."""
    early: list[Mark] = []
    for mark in line.marks.of(fix, by, line.now - window):
        cues = [one for one in line.marks.of(cue, other(by), mark.start - within) if one.end <= mark.start]
        if not cues or any(one.start > cues[-1].end and one.end <= mark.start for one in early):
            continue
        felt = line.marks.of(perhaps(feeling), by, cues[-1].end)
        if not any(one.start <= mark.end for one in felt):
            early.append(mark)
    return from_marks(early, len(early), again=leaves(early, window))


@measure(
    "times",
    tells="{by} had asked {value} before",
    wakes=("say:{of}", "say:{before}", "say:{issue}"),
    words=True,
    doubts=("of",),
    quality=UNHEARD,
)
def asked_before(
    line: Timeline,
    *,
    of: Phrases,
    by: Channel,
    before: Phrases,
    issue: Phrases,
    within: Seconds = Seconds(60.0),
) -> Reading:
    """How often phrases came before those of another class, or by a time after the issue (none without)."""
    first = min(
        (line.marks.first[kind, by] for kind in before if (kind, by) in line.marks.first), default=None
    )
    marks = line.marks.of(perhaps(of), by, 0.0)
    raised = [line.marks.first[kind, other(by)] for kind in issue if (kind, other(by)) in line.marks.first]
    if not raised:
        return NOTHING
    if first is not None:
        told = line.marks.of(before, by, 0.0)[:1]
        return from_marks(told, len([mark for mark in apart(marks) if mark.end <= first]))
    deadline = min(raised) + within
    if line.now < deadline or line.words.heard_until(by) < deadline:
        return Reading(again=max(deadline, line.now + 0.5))
    return NOTHING if marks else Reading(0.0, min(raised), deadline, by)


@measure(
    "times",
    tells="it came {value} after a limit had been set",
    wakes=("say:{boundary}", "say:{of}"),
    words=True,
    doubts=("boundary",),
)
def despite_boundary(
    line: Timeline,
    *,
    of: Phrases = Phrases(("abuse",)),
    boundary: Phrases = Phrases(("boundary",)),
    window: Seconds = Seconds(300.0),
) -> Reading:
    """How many boundaries the agent had set in the window when the caller's latest abuse came."""
    abuse = line.marks.of(of, "caller", line.now - window)
    if not abuse:
        return Reading(0.0)
    lines = [mark for mark in backed(line, boundary, "agent", window) if mark.end <= abuse[-1].start]
    times = len({mark.utterance for mark in lines})
    return from_marks([*lines[-2:], abuse[-1]], times, again=leaves(lines, window))
