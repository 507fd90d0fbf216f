"""Cues: words that were said or moments that came, as contracts and exemptions name them."""

from dataclasses import dataclass

from monitor.events import Channel
from monitor.rules.phrases import PERHAPS
from monitor.rules.rule import Cue, names, number
from monitor.timeline import Mark, Timeline

MOMENTS: dict[str, tuple[str, Channel | None]] = {
    "agent_raised": ("raised", "agent"),
    "caller_raised": ("raised", "caller"),
    "agent_calmed": ("calmed", "agent"),
    "caller_calmed": ("calmed", "caller"),
    "agent_turn": ("turn", "agent"),
    "caller_turn": ("turn", "caller"),
    "agent_interrupts": ("interruption", "agent"),
    "caller_interrupts": ("interruption", "caller"),
    "hold_ended": ("held", None),
}
"""Moments that a cue may name, and the marks of the timeline that they are."""

REACH = 20.0
"""For how long a cue exempts unless it says so itself, in seconds."""

TOPICS = {"turn": "floor", "held": "hold"}
"""Where the topic of a moment is not its own name and side."""


@dataclass(frozen=True, slots=True)
class BoundCue:
    """A cue with its names looked up: the kinds of marks of each side."""

    wanted: tuple[tuple[str, Channel | None], ...]
    longer_than: float
    within: float | None
    words: bool
    every: bool = False
    doubted: bool = False

    @classmethod
    def of(cls, cue: Cue, *, doubted: bool = False) -> "BoundCue":
        """The cue as it was written (its names are known to be right).

        ``doubted``: words that were perhaps said will do, because nobody should be told of what was not.
        """
        said: list[tuple[str, Channel | None]] = [(name, "agent") for name in names(cue.agent)]
        said += [(name, "caller") for name in names(cue.caller)]
        came = [MOMENTS[name] for name in names(cue.moment)]
        spoken = (bool(said) and not came) or any(kind == "echo" for kind, _ in came)
        within = None if cue.within is None else number(cue.within)
        longer = number(cue.longer_than or 0.0)
        return cls(tuple(said + came), longer, within, spoken, cue.every, doubted)

    @property
    def topics(self) -> set[str]:
        """The topics after which the cue may have come."""
        moments = {kind for kind, _ in MOMENTS.values()}
        topics = set()
        for kind, channel in self.wanted:
            if kind not in moments:
                topics.add(f"say:{kind}")
            else:
                topics.add(TOPICS.get(kind) or f"{kind}:{channel}")
        return topics

    @property
    def channels(self) -> set[Channel]:
        """The sides whose words decide."""
        return {channel for _, channel in self.wanted if channel}

    def marks(self, line: Timeline, since: float) -> list[Mark]:
        """The cue's marks that ended after ``since``, by time."""
        found = [
            mark
            for kind, channel in self.wanted
            for mark in line.marks.of((kind, kind + PERHAPS) if self.doubted else (kind,), channel, since)
        ]
        kept = [mark for mark in found if mark.end - mark.start >= self.longer_than]
        return sorted(kept, key=lambda mark: (mark.end, mark.start))

    def came(self, line: Timeline, since: float, before: float, other: Mark | None = None) -> bool:
        """Whether the cue (all of it, where every name must come) began between two moments.

        The words of ``other`` were heard for what they are: they are not perhaps this cue.
        """
        marks = [
            mark
            for mark in self.marks(line, since)
            if mark.start <= before and not (other and mark.kind.endswith(PERHAPS) and mark.meets(other))
        ]
        if not self.every:
            return bool(marks)
        return {(mark.kind.removesuffix(PERHAPS), mark.channel) for mark in marks} >= set(self.wanted)

    def until(self, line: Timeline) -> float | None:
        """When the time of the cue's latest coming is over, or was."""
        reach = self.within if self.within is not None else REACH
        marks = self.marks(line, line.now - 2 * reach)
        return marks[-1].end + reach if marks else None
