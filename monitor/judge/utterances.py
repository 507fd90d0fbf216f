"""Turns utterances into marks on the timeline: phrases, findings of the dialogue tracker, and notes."""

from collections.abc import Iterable

import msgspec

from monitor.dialogue.slots import SLOTS
from monitor.dialogue.tracker import DialogueTracker, Remark
from monitor.events import CHANNELS, Channel, Event, Note, Phrase, Utterance
from monitor.phrases.lexicon import Match
from monitor.phrases.spotter import REMEMBERED, PhraseSpotter
from monitor.rules.measures import MEASURES
from monitor.rules.rule import Rule, names
from monitor.rules.rule_set import RuleSet
from monitor.timeline import Key, Mark, Timeline, ms, seconds

SILENT = frozenset({"plays_back", "drift", "generic", "wanders"})
"""Findings of the dialogue tracker that quote no words."""


class UtteranceReader:
    """Reads the utterances of one call."""

    def __init__(self, book: RuleSet, line: Timeline) -> None:
        self._line = line
        self._lexicon = book.lexicon
        doubted = awaited(book.rules) | frozenset(SLOTS)
        self._spotter = PhraseSpotter(book.lexicon, doubted & book.lexicon.classes)
        self._remarks = DialogueTracker(book.lexicon, _slots(line))
        self._matched: dict[tuple[Channel, int], tuple[Match, ...]] = {}
        self._told: dict[tuple[Channel, int], dict[Mark, Phrase]] = {}
        self._notes: dict[str, frozenset[str]] = dict.fromkeys(CHANNELS, frozenset())
        self._noted: set[tuple[str, str]] = set()
        for rule in book.rules:
            noted = (rule.measure or {}).get("worth_noting") if rule.note and not rule.off else None
            if noted is not None:
                self._note_by(noted.get("by"), names(noted.get("of")))

    def begin(self) -> None:
        """Starts the call, once its metadata are on the timeline."""
        self._remarks = DialogueTracker(self._lexicon, _slots(self._line))

    def hear(self, utterance: Utterance) -> tuple[list[Event], tuple[Key, ...]]:
        """Reads an utterance; returns phrase and note events, and the timeline keys that changed."""
        keys: list[Key] = []
        out: list[Event] = []
        key = utterance.channel, utterance.utterance
        for found in self._spotter.hear(_settled(utterance)):
            keys += self._line.marks.take_back(found.channel, found.utterance)
            self._matched[found.channel, found.utterance] = found.matches
            marks = [
                Mark(
                    match.cls, found.channel, ms(match.start), ms(match.end), match.text, found.utterance,
                    certain=match.certain,
                )
                for match in found.matches
            ]  # fmt: skip
            keys += [self._line.marks.add(mark) for mark in marks]
            out += self._changes((found.channel, found.utterance), marks)
        if not utterance.final:
            return out, tuple(keys)
        for remark in self._remarks.hear(utterance, self._matched.pop(key, ())):
            text = None if remark.kind in SILENT else remark.text
            mark = Mark(remark.kind, utterance.channel, remark.start, remark.end, text)
            keys.append(self._line.marks.add(mark))
            out += [self._phrase(mark, utterance.utterance), *self._note(remark, utterance.channel)]
        return out, tuple(keys)

    # --- inside ---

    def _changes(self, utterance: tuple[Channel, int], marks: list[Mark]) -> list[Event]:
        """Events for new phrases of an utterance, and withdrawals of those no longer in it."""
        before = self._told.get(utterance, {})
        now = {
            mark: before.get(mark) or self._phrase(mark, utterance[1])
            for mark in marks
            if mark.certain or not _is_sure(mark, marks)
        }
        self._told[utterance] = now
        if len(self._told) > 2 * REMEMBERED:  # the oldest utterances are no longer revised
            del self._told[next(iter(self._told))]
        at = seconds(self._line.now)
        gone = [
            msgspec.structs.replace(phrase, detected_at=at, withdrawn=True)
            for mark, phrase in before.items()
            if mark not in now
        ]
        return [*gone, *(phrase for mark, phrase in now.items() if mark not in before)]

    def _phrase(self, mark: Mark, utterance: int) -> Phrase:
        return Phrase(
            detected_at=seconds(self._line.now),
            channel=mark.channel or "agent",
            start=seconds(mark.start),
            end=seconds(mark.end),
            of=mark.kind,
            text=mark.text,
            utterance=utterance,
            certain=mark.certain,
        )

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


def _is_sure(doubtful: Mark, marks: list[Mark]) -> bool:
    """Whether an approximate match overlaps a certain one of the same class."""
    return any(one.certain and one.kind == doubtful.kind and one.meets(doubtful) for one in marks)


def awaited(rules: Iterable[Rule]) -> frozenset[str]:
    """The phrase classes whose absence these rules look for; approximate matches of them count, too."""
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
    """The utterance with its committed words only."""
    if utterance.final:
        return utterance
    words = tuple(word for word in utterance.words if word.committed)
    end = words[-1].end if words else utterance.start
    return msgspec.structs.replace(utterance, words=words, end=end, text="")
