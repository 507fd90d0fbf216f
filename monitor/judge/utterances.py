"""Words to marks on the timeline: phrases, what several utterances show together, and notes."""

from collections.abc import Iterable

import msgspec

from monitor.dialogue.slots import SLOTS
from monitor.dialogue.tracker import DialogueTracker, Remark
from monitor.events import CHANNELS, Channel, Event, Note, Utterance
from monitor.phrases.lexicon import Match
from monitor.phrases.spotter import PhraseSpotter
from monitor.rules.measures import MEASURES
from monitor.rules.rule import Rule, names
from monitor.rules.rule_set import RuleSet
from monitor.timeline import Key, Mark, Timeline, ms, seconds

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

    def hear(self, utterance: Utterance) -> tuple[list[Event], tuple[Key, ...]]:
        """The notes that these words are worth, and the keys of the timeline that they change."""
        keys: list[Key] = []
        key = utterance.channel, utterance.utterance
        for found in self._spotter.hear(_settled(utterance)):
            keys += self._line.marks.take_back(found.channel, found.utterance)
            self._matched[found.channel, found.utterance] = found.matches
            for match in found.matches:
                start, end = ms(match.start), ms(match.end)
                keys.append(self._mark(match.cls, found.channel, start, end, match.text, found.utterance))
        if not utterance.final:
            return [], tuple(keys)
        remarks = self._remarks.hear(utterance, self._matched.pop(key, ()))
        keys += [self._mark(one.kind, utterance.channel, one.start, one.end, one.text) for one in remarks]
        return [note for one in remarks for note in self._note(one, utterance.channel)], tuple(keys)

    # --- inside ---

    def _mark(
        self, kind: str, channel: Channel, start: int, end: int, text: str, utterance: int | None = None
    ) -> Key:
        detail = text if kind in DETAILED else None
        said = None if kind in SILENT else text
        return self._line.marks.add(Mark(kind, channel, start, end, said, utterance, detail))

    def _note_by(self, by: object, kinds: tuple[str, ...]) -> None:
        for side in (str(by),) if by else CHANNELS:
            self._notes[side] |= frozenset(kinds)

    def _note(self, remark: Remark, channel: Channel) -> list[Event]:
        text = remark.text.strip(" .,?!")
        key = (remark.kind, remark.text.casefold().strip(" .,?!"))
        if remark.kind not in self._notes[channel] or key in self._noted:
            return []
        self._noted.add(key)
        known, at = seconds(self._line.now), seconds(remark.end)
        return [Note(detected_at=known, at=at, channel=channel, kind=remark.kind, text=text)]


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
