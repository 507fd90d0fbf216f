"""Measures: named functions that compute a value from the timeline. A new measure is one function here."""

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
