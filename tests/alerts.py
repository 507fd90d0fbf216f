"""An alert with every field that a rule's alert has, so that tests name only what they are about."""

from typing import Any, TypeVar

from monitor.events import AlertEvent

T = TypeVar("T", bound=AlertEvent)


def made(kind: type[T], at: float, **given: Any) -> T:
    """An alert of this kind at this time of the call."""
    told: dict[str, Any] = {
        "detected_at": at,
        "alert": "a1",
        "rule": "interrupt.agent",
        "rule_hash": "h",
        "level": "warn",
        "channel": "agent",
        "start": at,
        "at": at,
        "title": "Agent interrupts",
        "message": "Let them land the sentence.",
        "summary": "The agent cut the caller off twice in 60 s.",
        "rationale": "A caller who is cut off stops explaining.",
        "clears_when": "the count is below 2",
        "measure": "interruption",
        "measured": 2.0,
        "threshold": 2.0,
        "comparison": "at_least",
        "unit": "times",
        "to": ("agent", "supervisor"),
    }
    return kind(**{**told, **given})
