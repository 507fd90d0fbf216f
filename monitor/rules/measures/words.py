"""What was said: phrases by class, in a window, in a turn, at the end."""

from monitor.events import Channel
from monitor.rules.measures.registry import TWO_MINUTES, Phrases, Seconds, measure
from monitor.rules.measures.talk import counted
from monitor.rules.reading import Reading, from_marks
from monitor.timeline import Timeline


@measure("times", wakes=("say:{of}",), words=True)
def phrases(
    line: Timeline, *, of: Phrases, by: Channel | None = None, window: Seconds = TWO_MINUTES
) -> Reading:
    """How often phrases of these classes were said."""
    return counted(line, of, by, window)


@measure("times", wakes=("say:{of}",), words=True)
def phrases_in_turn(line: Timeline, *, of: Phrases, by: Channel) -> Reading:
    """How often phrases of these classes were said in the side's latest turn."""
    latest = line.latest(of, by)
    if latest is None:
        return Reading(0.0)
    turns = line.turns_of(by, 0.0)
    begin = max((turn.start for turn in turns if turn.start <= latest.start), default=0.0)
    return from_marks(marks := line.marks(of, by, begin), len(marks))
