"""Events of made-up calls, in few words."""

from typing import Any

from monitor.events import (
    AlertClosed,
    AlertOpened,
    Channel,
    Difficulty,
    Event,
    EvidenceItem,
    Level,
    Prosody,
    SpeechEnded,
    SpeechStarted,
    Utterance,
    Word,
)
from monitor.rules.rule import spelled
from monitor.rules.rule_set import load_rules
from tests.alerts import made

RULES = load_rules()


def said(
    number: int, channel: Channel, start: float, text: str, *, final: bool = True, revision: int = 1
) -> Utterance:
    """An utterance of a word every 0.3 s."""
    parts = text.split()
    words = tuple(
        Word(part, start + 0.3 * n, start + 0.3 * n + 0.25, 0.9, committed=final)
        for n, part in enumerate(parts)
    )
    end = start + 0.3 * len(parts)
    return Utterance(
        detected_at=end,
        channel=channel,
        utterance=number,
        revision=revision,
        start=start,
        end=end,
        text=text,
        words=words,
        final=final,
    )


def spoke(channel: Channel, start: float, end: float) -> list[Event]:
    """A stretch of speech, from its beginning to its end."""
    return [
        SpeechStarted(detected_at=start + 0.2, channel=channel, at=start),
        SpeechEnded(detected_at=end + 0.3, channel=channel, start=start, end=end),
    ]


def voice(channel: Channel, at: float, level: float = 0.0, pitch: float = 0.0) -> Prosody:
    """How a side sounds, ten times a second."""
    return Prosody(
        detected_at=at + 0.1, channel=channel, at=at, level_dbfs=-30.0 + level, level_db=level, pitch_st=pitch
    )


def difficult(at: float, score: float) -> Difficulty:
    """A difficulty, all of it for a raised voice."""
    return Difficulty(detected_at=at, at=at, score=score, parts={"raised voice": score})


def opened(
    rule: str, at: float, level: Level = "warn", words: tuple[EvidenceItem, ...] = (), **more: Any
) -> AlertOpened:
    """An alert that both the agent and the supervisor may see."""
    return made(AlertOpened, at, **_fields(rule, level, words), **more)


def closed(rule: str, at: float, reason: str = "cleared", level: Level = "warn") -> AlertClosed:
    """The end of the alert that ``opened`` began."""
    return made(AlertClosed, at, **_fields(rule, level, ()), reason=reason)


def _fields(rule: str, level: Level, words: tuple[EvidenceItem, ...]) -> dict[str, Any]:
    bundled = RULES.rule(rule)
    return {
        "alert": f"{rule}-1", "rule": rule, "level": level,
        "title": bundled.name if bundled else spelled(rule).capitalize(),
        "praise": bundled is not None and bundled.praise, "message": "Swap 'sorry' for an action.",
        "summary": f"What {rule} looks for was heard.", "measure": "phrases", "measured": 3.0,
        "threshold": 3.0, "evidence": words, "clears_when": "the count is below 3",
    }  # fmt: skip
