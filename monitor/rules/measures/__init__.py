"""Named questions to the timeline. A new kind of question is one function in one of these files."""

from monitor.rules.measures import facts, pauses, sound, speech, story, talk, turns, words
from monitor.rules.measures.registry import MEASURES, Measure, Time, measure

__all__ = [
    "MEASURES",
    "Measure",
    "Time",
    "facts",
    "measure",
    "pauses",
    "sound",
    "speech",
    "story",
    "talk",
    "turns",
    "words",
]
