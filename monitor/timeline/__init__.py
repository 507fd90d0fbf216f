"""The call's memory, bounded; the only thing rules may ask."""

from monitor.timeline.marks import HORIZON, Mark, Marks
from monitor.timeline.talk import Stretch, Talk
from monitor.timeline.timeline import Timeline
from monitor.timeline.words import Said, Words

__all__ = ["HORIZON", "Mark", "Marks", "Said", "Stretch", "Talk", "Timeline", "Words"]
