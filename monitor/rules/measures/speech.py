"""What was said beyond phrases: pace in words, repeats, quarrels."""

from monitor.events import Channel
from monitor.rules.measures.registry import FIVE_MINUTES, NO_PHRASES, Phrases, Seconds, measure
from monitor.rules.measures.talk import leaves
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import Timeline

LEAST_SPOKEN = 0.8
"""The share of the window that must be speech before words per minute mean anything."""

LATE = 5.0
"""Seconds by which words may be known late."""


@measure("words/min", tells="{by} spoke {value}", wakes=("utterance:{by}",), words=True)
def words_per_minute(line: Timeline, *, by: Channel, window: Seconds = Seconds(15.0)) -> Reading:
    """A side's words per minute over the last stretch that was recognised, nearly all of it speech."""
    words = line.words.of(by, line.now - 2 * window - LATE)
    if not words:
        return NOTHING
    until = words[-1].end
    since = until - window
    if line.now < window or line.talk.seconds(by, since) < LEAST_SPOKEN * window:
        return NOTHING
    count = sum(1 for word in words if word.start >= since)
    return Reading(60.0 * count / window, since, until, by)


@measure(
    "times",
    tells="{by} said the same again {value} in {window}",
    wakes=("say:repeat", "say:{cues}"),
    words=True,
)
def repeats(
    line: Timeline, *, by: Channel, cues: Phrases = NO_PHRASES, window: Seconds = FIVE_MINUTES
) -> Reading:
    """How often a side said the same again: cue words, or a second near-repeat of its own sentences."""
    said = line.marks.of(cues, by, line.now - window)
    again = line.marks.of(("repeat",), by, line.now - window)
    if not cues:
        return from_marks(again, len(again), again=leaves(again, window))
    marks = sorted([*said, *again], key=lambda mark: mark.end)
    return from_marks(marks, len(said) + max(0, len(again) - 1), again=leaves(marks, window))


@measure(
    "times", tells="{value} in a row a short turn began against the other", wakes=("say:{of}",), words=True
)
def short_disputes(
    line: Timeline,
    *,
    of: Phrases = Phrases(("disagreement_opener",)),
    longest: Seconds = Seconds(6.0),
    window: Seconds = Seconds(45.0),
) -> Reading:
    """How many short turns in a row, of both sides in turn, began against the other."""
    marks = line.marks.of(of, None, line.now - window)
    chain = marks[-1:]
    for mark in reversed(marks[:-1]):
        if mark.channel == chain[0].channel:
            continue
        if chain[0].start - mark.start > 2 * longest:
            break
        chain.insert(0, mark)
    return from_marks(chain, len(chain), again=leaves(chain, window))
