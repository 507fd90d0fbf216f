"""The running difficulty of a call, 0 to 100, with its parts. It rates the call, not the people.

Each part is a sign of a difficult call with a weight in points. It counts fully for two minutes after its
last occurrence, then less, and nothing after five; repeated occurrences raise it by up to half.
"""

from typing import Literal, NamedTuple

from monitor.events import Channel, Difficulty
from monitor.timeline import Key, Timeline, seconds

EVERY = 5_000
"""Ms between two updates."""

FULL, GONE = 120_000, 300_000
"""Ms for which a part counts fully, and after which it counts nothing."""

AGAIN, MOST = 0.25, 1.5
VERDICT_AFTER = 60_000
DIFFICULT, VERY_DIFFICULT = 50.0, 70.0

Verdict = Literal["ordinary", "difficult", "very difficult"]


class DifficultyPart(NamedTuple):
    """A sign of a difficult call and its weight in points; ``longer_than`` is a duration in ms."""

    name: str
    points: float
    kinds: tuple[str, ...]
    channel: Channel = "caller"
    longer_than: int = 0


PARTS = (
    DifficultyPart("raised voice", 25.0, ("raised",)),
    DifficultyPart("anger", 20.0, ("anger", "escalation_request", "not_heard_cue", "abuse")),
    DifficultyPart("repetition", 20.0, ("repetition_cue", "repeat")),
    DifficultyPart("upsetting event", 20.0, ("upsetting_event",)),
    DifficultyPart("short answers", 15.0, ("stonewall",)),
    DifficultyPart("long story", 10.0, ("turn",), longer_than=75_000),
    DifficultyPart("distracted", 10.0, ("busy_driving",)),
)
"""The signs of rulebook row 9. Kinds are those of marks of the timeline."""


def parts_of(line: Timeline) -> dict[str, float]:
    """The points of each sign that occurred, rounded to 0.1."""
    found: dict[str, float] = {}
    for part in PARTS:
        marks = line.marks.of(part.kinds, part.channel, line.now - GONE)
        marks = [mark for mark in marks if mark.end - mark.start >= part.longer_than]
        if marks:
            fade = min(1.0, (GONE - (line.now - marks[-1].end)) / (GONE - FULL))
            points = part.points * min(MOST, 1.0 + AGAIN * (len(marks) - 1)) * max(0.0, fade)
            found[part.name] = round(points, 1)
    return found


class DifficultyMeter:
    """Computes the difficulty every ``EVERY`` ms and reports changes."""

    def __init__(self) -> None:
        self._told: tuple[float, Verdict | None] = (0.0, None)
        self.highest = 0.0

    def look(self, line: Timeline) -> tuple[Difficulty | None, tuple[Key, ...]]:
        """The difficulty event, if the score has changed since the last one, and the keys that changed."""
        parts = parts_of(line)
        score = round(min(100.0, sum(parts.values())), 1)
        verdict = verdict_of(score) if line.now >= VERDICT_AFTER else None
        keys = line.set_difficulty(score)
        self.highest = max(self.highest, score)
        if (score, verdict) == self._told:
            return None, keys
        self._told = (score, verdict)
        now = seconds(line.now)
        return Difficulty(detected_at=now, at=now, score=score, parts=parts, verdict=verdict), keys


def verdict_of(score: float) -> Verdict:
    """The verdict for a score."""
    if score >= VERY_DIFFICULT:
        return "very difficult"
    return "difficult" if score >= DIFFICULT else "ordinary"
