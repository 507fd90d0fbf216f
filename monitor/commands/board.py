"""What a supervisor's terminal shows: the open calls, and what has just happened. Pure; it draws nothing."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.events import (
    AlertClosed,
    AlertEvent,
    AlertOpened,
    AlertUpdated,
    CallEnded,
    CallStarted,
    CommandApplied,
    Difficulty,
    Dropped,
    Event,
    Level,
    OpenCall,
    Refused,
    Snapshot,
    severity,
)

MOST_LINES = 200


@dataclass
class BoardRow:
    """One open call."""

    call: str
    agent: str | None = None
    team: str | None = None
    seconds: float = 0.0
    difficulty: float | None = None
    alerts: dict[str, AlertEvent] = field(default_factory=dict)

    @property
    def worst(self) -> Level | None:
        """The highest level of its open alerts."""
        return max((alert.level for alert in self.alerts.values()), key=severity, default=None)


@dataclass(frozen=True)
class Happened:
    """One line of the stream: when in which call, how serious, and what."""

    call: str
    agent: str | None
    at: float
    level: Level | None
    text: str


class CallBoard:
    """Follows events, and remembers what a supervisor wants to see."""

    def __init__(self) -> None:
        self.rows: dict[str, BoardRow] = {}
        self.stream: deque[Happened] = deque(maxlen=MOST_LINES)

    def take(self, call: str, event: Event) -> list[Happened]:
        """Follows one event; what is new in the stream."""
        if isinstance(event, Snapshot):
            self.rows = {open_call.call: _row(open_call) for open_call in event.calls}
            return []
        news = list(self._news(call, event))
        self.stream.extend(news)
        return news

    def in_order(self) -> list[BoardRow]:
        """The calls, those that need somebody first."""
        return sorted(self.rows.values(), key=lambda row: (-_weight(row), -(row.difficulty or 0.0), row.call))

    def _news(self, call: str, event: Event) -> Iterator[Happened]:
        if isinstance(event, Dropped):
            yield Happened("", None, 0.0, None, f"{event.lines} lines left out: this terminal was too slow")
            return
        if isinstance(event, Refused):
            yield Happened("", None, 0.0, None, event.reason)
            return
        row = self.rows.setdefault(call, BoardRow(call))
        row.seconds = max(row.seconds, event.detected_at)
        text = _follow(row, event)
        if text:
            level = event.level if isinstance(event, AlertOpened | AlertUpdated) else None
            yield Happened(call, row.agent, event.detected_at, level, text)
        if isinstance(event, CallEnded):
            del self.rows[call]


def _follow(row: BoardRow, event: Event) -> str | None:
    """Changes the row; a text if people should read of it."""
    match event:
        case CallStarted():
            row.agent, row.team = event.agent, event.team
            return "the call began"
        case CallEnded():
            return "the call ended" + (f": {event.notice}" if event.notice else "")
        case Difficulty():
            row.difficulty = event.score
        case CommandApplied():
            return f"{event.by or 'somebody'}: {event.kind}" + (f" “{event.text}”" if event.text else "")
        case AlertClosed():
            row.alerts.pop(event.alert, None)
        case AlertEvent():
            before = row.alerts.get(event.alert)
            row.alerts[event.alert] = event
            if before is None or before.level != event.level:
                return f"{event.title}: {event.summary}"
    return None


def _row(open_call: OpenCall) -> BoardRow:
    score = open_call.difficulty.score if open_call.difficulty else None
    alerts: dict[str, AlertEvent] = {alert.alert: alert for alert in open_call.alerts}
    return BoardRow(open_call.call, open_call.agent, open_call.team, open_call.seconds, score, alerts)


def _weight(row: BoardRow) -> int:
    return severity(row.worst) + 1 if row.worst else 0
