"""The timeline: bounded memory of one call, and the only input of rules. Times are integer milliseconds."""

from monitor.timeline.marks import HORIZON, Key, Mark, Marks
from monitor.timeline.milliseconds import CALL, ms, seconds
from monitor.timeline.talk import Stretch, Talk
from monitor.timeline.timeline import Timeline, is_found
from monitor.timeline.view import Quantity, Read, TimelineView, keys_of
from monitor.timeline.words import Said, Words

__all__ = [
    "CALL",
    "HORIZON",
    "Key",
    "Mark",
    "Marks",
    "Quantity",
    "Read",
    "Said",
    "Stretch",
    "Talk",
    "Timeline",
    "TimelineView",
    "Words",
    "is_found",
    "keys_of",
    "ms",
    "seconds",
]
