"""Words -> marks on the timeline: phrases, what several utterances tell together, and notes."""

from collections.abc import Iterable

import msgspec

from monitor.dialogue.slots import SLOTS
from monitor.dialogue.tracker import DialogueTracker
from monitor.events import CHANNELS, Channel, Event, Note, Utterance
from monitor.phrases.lexicon import PERHAPS, Match
from monitor.phrases.spotter import PhraseSpotter
from monitor.rules.measures import MEASURES
from monitor.rules.rule import Rule, names
from monitor.rules.rule_set import RuleSet
from monitor.timeline import Mark, Timeline

DETAILED = frozenset({"reask", "jargon"})
"""Marks whose text may be named in the text to the agent."""

SILENT = frozenset({"plays_back", "drift", "generic", "wanders"})
"""Remarks without words of their own."""


class UtteranceReader:
    """Listens to the words of one call."""

    def __init__(self, book: RuleSet, line: Timeline) -> None:
        self._line = line
        self._lexicon = book.lexicon
        doubted = awaited(book.rules) | frozenset(SLOTS)
        self._spotter = PhraseSpotter(book.lexicon, doubted & book.lexicon.classes)
        self._remarks = DialogueTracker(book.lexicon, _slots(line))
        self._matched: dict[tuple[Channel, int], tuple[Match, ...]] = {}
        self._notes: dict[str, frozenset[str]] = dict.fromkeys(CHANNELS, frozenset())
        self._noted: set[tuple[str, str]] = set()
        for rule in book.rules:
            noted = (rule.measure or {}).get("worth_noting") if rule.note and not rule.off else None
            if noted is not None:
                self._note_by(noted.get("by"), names(noted.get("of")))

    def begin(self) -> None:
        """The call has begun, and what was known before it is there."""
        self._remarks = DialogueTracker(self._lexicon, _slots(self._line))

    def hear(self, utterance: Utterance) -> tuple[list[Event], list[str]]:
        """The notes that these words are worth, and the topics they touch."""
        topics: list[str] = []
        key = utterance.channel, utterance.utterance
        for found in self._spotter.hear(_settled(utterance)):
            gone = self._line.marks.take_back(found.channel, found.utterance)
            topics += [f"say:{kind}" for kind in gone]
            self._matched[found.channel, found.utterance] = found.matches
            topics += [self._mark(match, found.channel, found.utterance) for match in found.matches]
        if not utterance.final:
            return [], topics
        remarks = self._remarks.hear(utterance, self._matched.pop(key, ()))
        topics += [self._mark(match, utterance.channel, None) for match in remarks]
        return [note for match in remarks for note in self._note(match, utterance.channel)], topics

    # --- inside ---

    def _mark(self, match: Match, channel: Channel, utterance: int | None) -> str:
        kind = match.cls if match.certain else match.cls + PERHAPS
        detail = match.text if match.cls in DETAILED else None
        text = None if match.cls in SILENT else match.text
        self._line.marks.add(Mark(kind, channel, match.start, match.end, text, utterance, detail))
        return f"say:{kind}"

    def _note_by(self, by: object, kinds: tuple[str, ...]) -> None:
        for side in (str(by),) if by else CHANNELS:
            self._notes[side] |= frozenset(kinds)

    def _note(self, match: Match, channel: Channel) -> list[Event]:
        key = (match.cls, match.text.casefold().strip(" .,?!"))
        if match.cls not in self._notes[channel] or key in self._noted:
            return []
        self._noted.add(key)
        known, at = round(self._line.now, 3), round(match.end, 3)
        return [
            Note(detected_at=known, at=at, channel=channel, kind=match.cls, text=match.text.strip(" .,?!"))
        ]


def awaited(rules: Iterable[Rule]) -> frozenset[str]:
    """The classes of words that rules wait for: what they tell people has not been said."""
    found: set[str] = set()
    for rule in rules:
        for cue in (rule.expect, rule.unless):
            if cue is not None:
                found |= {*names(cue.agent), *names(cue.caller)}
        asked = [rule.measure or {}, *(one.measure for one in (*(rule.all or ()), *(rule.any or ())))]
        for measure in asked:
            for name, params in measure.items():
                found |= MEASURES[name].awaits(params or {})
    return frozenset(found)


def _slots(line: Timeline) -> dict[str, object]:
    known = line.meta.get("handover")
    return dict(known) if isinstance(known, dict) else {}


def _settled(utterance: Utterance) -> Utterance:
    """Only words that will not change any more."""
    if utterance.final:
        return utterance
    words = tuple(word for word in utterance.words if word.committed)
    end = words[-1].end if words else utterance.start
    return msgspec.structs.replace(utterance, words=words, end=end, text="")
