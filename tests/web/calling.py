"""Events of made-up calls, in few words."""

from typing import Any

from monitor.events import (
    AlertClosed,
    AlertOpened,
    Channel,
    Difficulty,
    Event,
    Evidence,
    EvidenceItem,
    Level,
    Prosody,
    SpeechEnded,
    SpeechStarted,
    Utterance,
    Word,
)


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


def _fields(rule: str, at: float, level: Level, words: tuple[EvidenceItem, ...]) -> dict[str, Any]:
    return {
        "detected_at": at, "alert": f"{rule}-1", "rule": rule, "rule_hash": "a" * 12, "level": level,
        "channel": "agent", "start": at, "at": at, "say": "Swap 'sorry' for an action.",
        "why": f"What {rule} looks for was heard.",
        "to": ("agent", "supervisor"),
        "evidence": Evidence(measure="phrases", value=3.0, threshold=3.0, unit="times", words=words,
                             clears="when phrases is below 3 times again"),
    }  # fmt: skip


def opened(rule: str, at: float, level: Level = "warn", words: tuple[EvidenceItem, ...] = ()) -> AlertOpened:
    """An alert that both the agent and the supervisor may see."""
    return AlertOpened(**_fields(rule, at, level, words))


def closed(rule: str, at: float, reason: str = "cleared", level: Level = "warn") -> AlertClosed:
    """The end of the alert that ``opened`` began."""
    return AlertClosed(**_fields(rule, at, level, ()), reason=reason)
