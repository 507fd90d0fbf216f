"""Marks: what happened on the call, by kind and channel, over windows and over the whole call."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.events import CHANNELS, Channel, EvidenceItem
from monitor.timeline.milliseconds import seconds

HORIZON = 600_000
"""Milliseconds of detail that are kept; no rule's window may be longer."""

Key = tuple[str, Channel | None]
"""What an answer of the timeline depends on: a kind of mark and its channel, or the key of a state."""


@dataclass(slots=True)
class Clock:
    """The current call time in ms, shared by the parts of a timeline."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a phrase, an interruption, a hold that ended. ``kind`` names it.

    ``start`` and ``end`` are ms of the call. ``text`` are the words, ``detail`` is further text for the
    alert. ``utterance`` is the utterance that contains the words, which may still be revised. ``certain``
    is false for an approximate phrase match.
    """

    kind: str
    channel: Channel | None
    start: int
    end: int
    text: str | None = None
    utterance: int | None = None
    detail: str | None = None
    certain: bool = True

    def meets(self, other: "Mark") -> bool:
        """Whether the two marks overlap in time on the same channel."""
        return self.channel == other.channel and self.start < other.end and other.start < self.end

    def cited(self) -> EvidenceItem:
        """The mark as a piece of evidence."""
        return EvidenceItem(
            start=seconds(self.start),
            end=seconds(self.end),
            channel=self.channel,
            text=self.text,
            kind=None if self.text is not None else self.kind,
        )


class Marks:
    """All marks of the last ``HORIZON`` ms; counts and first times of the whole call.

    Approximate phrase matches are stored separately. Queries, ``counts`` and ``first`` cover certain marks
    by default (``certain`` false: approximate ones only; null: both).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._marks: dict[Key, deque[Mark]] = {}
        self._doubtful: dict[Key, deque[Mark]] = {}
        self.counts: Counter[Key] = Counter()
        self.first: dict[Key, int] = {}
        self.perhaps_counts: Counter[Key] = Counter()
        self.perhaps_first: dict[Key, int] = {}

    def add(self, mark: Mark) -> Key:
        """Stores a mark and returns the key that it changed."""
        key = mark.kind, mark.channel
        kept = self._marks if mark.certain else self._doubtful
        marks = kept.get(key)
        if marks is None:
            marks = kept[key] = deque()
        marks.append(mark)
        while marks[0].end < self._clock.now - HORIZON:
            marks.popleft()
        if mark.certain:
            self.counts[key] += 1
            self.first.setdefault(key, mark.start)
        else:
            self.perhaps_counts[key] += 1
            self.perhaps_first.setdefault(key, mark.start)
        return key

    def take_back(self, channel: Channel, utterance: int) -> list[Key]:
        """Removes the marks of a revised utterance and returns the keys that changed."""
        touched: list[Key] = []
        for kept, counts, first in (
            (self._marks, self.counts, self.first),
            (self._doubtful, self.perhaps_counts, self.perhaps_first),
        ):
            for key, gone in _without(kept, channel, utterance).items():
                counts[key] -= gone
                if not counts[key]:
                    first.pop(key, None)
                touched.append(key)
        return touched

    def of(
        self,
        kinds: Iterable[str],
        channel: Channel | None = None,
        since: int = 0,
        *,
        certain: bool | None = True,
    ) -> list[Mark]:
        """The marks of these kinds that ended after ``since``, by time; ``channel`` null means both."""
        found: list[Mark] = []
        stores = (self._marks,) if certain else (self._doubtful,)
        for kept in (self._marks, self._doubtful) if certain is None else stores:
            for kind in kinds:
                for side in (channel,) if channel else (*CHANNELS, None):
                    for mark in reversed(kept.get((kind, side), ())):
                        if mark.end <= since:
                            break
                        found.append(mark)
        if len(found) > 1:
            found.sort(key=lambda mark: (mark.end, mark.start))
        return found

    def latest(self, kinds: Iterable[str], channel: Channel | None = None) -> Mark | None:
        """The mark of these kinds that ended last."""
        sides = (channel,) if channel else (*CHANNELS, None)
        ends = [marks[-1] for kind in kinds for side in sides if (marks := self._marks.get((kind, side)))]
        return max(ends, key=lambda mark: mark.end, default=None)


def _without(kept: dict[Key, deque[Mark]], channel: Channel, utterance: int) -> dict[Key, int]:
    """Removes one utterance's marks from ``kept`` and returns the number removed by key."""
    gone: dict[Key, int] = {}
    for key, marks in kept.items():
        if key[1] != channel or not marks or marks[-1].utterance is None:
            continue
        left = deque(mark for mark in marks if mark.utterance != utterance)
        if len(left) < len(marks):
            gone[key] = len(marks) - len(left)
    for key in gone:
        kept[key] = deque(mark for mark in kept[key] if mark.utterance != utterance)
    return gone
