"""Each alert's life in one piece: from its opening to its closing, with its evidence."""

from collections.abc import Iterable

import msgspec

from monitor.events import AlertClosed, AlertEvent, Channel, Event, Evidence, Level

LEVELS: tuple[Level, ...] = ("info", "warn", "critical")


class AlertStory(msgspec.Struct, frozen=True, kw_only=True):
    """An alert from opening to closing. ``level`` and the texts are those of its gravest moment.

    ``shown`` are the moments at which the agent saw it as a card; ``withheld`` says why there was none.
    """

    alert: str
    rule: str
    rule_hash: str
    level: Level
    channel: Channel | None
    start: float
    opened: float
    closed: float | None
    reason: str | None
    say: str
    why: str
    evidence: Evidence
    shown: tuple[float, ...] = ()
    withheld: str | None = None
    private: bool = False


def alert_stories(events: Iterable[Event]) -> list[AlertStory]:
    """The alerts of a call, in the order in which they opened."""
    lives: dict[str, list[AlertEvent]] = {}
    for event in events:
        if isinstance(event, AlertEvent):
            lives.setdefault(event.alert, []).append(event)
    return [_story(life) for life in lives.values()]


def _story(life: list[AlertEvent]) -> AlertStory:
    news = [event for event in life if not isinstance(event, AlertClosed)] or life
    gravest = max(news, key=lambda event: (LEVELS.index(event.level), event.detected_at))
    closed = next((event for event in life if isinstance(event, AlertClosed)), None)
    shown = tuple(event.detected_at for event in news if event.card)
    return AlertStory(
        alert=gravest.alert,
        rule=gravest.rule,
        rule_hash=gravest.rule_hash,
        level=gravest.level,
        channel=gravest.channel,
        start=gravest.start,
        opened=life[0].detected_at,
        closed=closed.detected_at if closed else None,
        reason=closed.reason if closed else None,
        say=gravest.say,
        why=gravest.why,
        evidence=gravest.evidence,
        shown=shown,
        withheld=None if shown else gravest.withheld,
        private=any(event.private for event in life),
    )
