"""Words -> marks on the timeline: which phrases were said, and what is worth a note."""

from monitor.events import Channel, Event, Note, Utterance
from monitor.rules.book import RuleBook
from monitor.rules.rule import names
from monitor.rules.spotter import Spotter
from monitor.timeline import Mark, Timeline


class Hearing:
    """Listens to the words of one call."""

    def __init__(self, book: RuleBook, line: Timeline) -> None:
        self._line = line
        self._spotter = Spotter(book.lexicon)
        self._notes: dict[tuple[str, Channel], str] = {}
        self._noted: set[tuple[str, Channel, str]] = set()
        for rule in book.rules:
            if rule.note is not None and rule.measure and not rule.off:
                self._notes |= _noted_by(rule.note, rule.measure)

    def hear(self, utterance: Utterance) -> tuple[list[Event], list[str]]:
        """The notes that these words are worth, and the topics they touch."""
        topics: list[str] = []
        notes: list[Event] = []
        for found in self._spotter.hear(_settled(utterance)):
            topics += self._line.unmark(found.channel, found.utterance)
            for match in found.matches:
                self._line.mark(
                    Mark(match.cls, found.channel, match.start, match.end, match.text, found.utterance)
                )
                topics.append(f"say:{match.cls}")
                if utterance.final and (match.cls, found.channel) in self._notes:
                    notes += self._note(match.cls, found.channel, match.end, match.text)
        return notes, topics

    def _note(self, cls: str, channel: Channel, at: float, text: str) -> list[Event]:
        key = (cls, channel, text.casefold())
        if key in self._noted:
            return []
        self._noted.add(key)
        kind = self._notes[cls, channel]
        return [Note(known=round(self._line.now, 3), at=round(at, 3), channel=channel, kind=kind, text=text)]


def _settled(utterance: Utterance) -> Utterance:
    """Only words that will not change any more."""
    if utterance.final:
        return utterance
    words = tuple(word for word in utterance.words if word.committed)
    return Utterance(
        known=utterance.known, channel=utterance.channel, utterance=utterance.utterance,
        revision=utterance.revision, start=utterance.start, end=words[-1].end if words else utterance.start,
        text="", words=words, final=False,
    )  # fmt: skip


def _noted_by(kind: str, measure: dict[str, dict[str, object] | None]) -> dict[tuple[str, Channel], str]:
    params = measure.get("phrases") or {}
    of, by = params.get("of"), params.get("by")
    sides: tuple[Channel, ...] = (
        ("agent",) if by == "agent" else ("caller",) if by == "caller" else ("agent", "caller")
    )
    return {(name, side): kind for name in names(of) for side in sides}  # type: ignore[arg-type]  # checked before
