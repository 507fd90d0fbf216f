"""Measures of words other than phrases: words per minute, repeats, disputes."""

from monitor.events import Channel
from monitor.rules.measures.registry import FIVE_MINUTES, NO_PHRASES, Phrases, Time, measure
from monitor.rules.reading import NOTHING, Reading, from_marks
from monitor.timeline import TimelineView

LATE = 5_000
"""Longest recognition delay in ms; a side whose last word is older counts as not speaking."""


@measure("words/min", tells="{by} spoke {value}", words=True)
def words_per_minute(view: TimelineView, *, by: Channel, window: Time = Time(15_000)) -> Reading:
    """A side's words per minute over the latest recognised stretch of continuous speech."""
    last = view.last_word(by, window + LATE)
    if last is None or not view.reached(view.elapsed, window):
        return NOTHING
    since = last.end - window
    if not view.reached(view.spoken_since(by, since), window * 4 // 5):
        return NOTHING
    return Reading(60_000 * len(view.words_since(by, since)) / window, since, last.end, by)


@measure("times", tells="{by} said the same again {value} in {window}", words=True)
def repeats(
    view: TimelineView, *, by: Channel, cues: Phrases = NO_PHRASES, window: Time = FIVE_MINUTES
) -> Reading:
    """How often a side repeated itself: cue words, or a second near-repeat of its own sentences."""
    again = view.marks(("repeat",), by, window)
    if not cues:
        return from_marks(again, len(again))
    said = view.marks(cues, by, window)
    marks = sorted([*said, *again], key=lambda mark: mark.end)
    return from_marks(marks, len(said) + max(0, len(again) - 1))


@measure("times", tells="{value} in a row a short turn began against the other", words=True)
def short_disputes(
    view: TimelineView,
    *,
    of: Phrases = Phrases(("disagreement_opener",)),
    longest: Time = Time(6_000),
    window: Time = Time(45_000),
) -> Reading:
    """How many short turns in a row, alternating between the sides, began with a disagreement."""
    marks = view.marks(of, None, window)
    chain = marks[-1:]
    for mark in reversed(marks[:-1]):
        if mark.channel == chain[0].channel:
            continue
        if chain[0].start - mark.start > 2 * longest:
            break
        chain.insert(0, mark)
    return from_marks(chain, len(chain))
