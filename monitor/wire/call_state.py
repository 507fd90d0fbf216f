"""The state of an open call: what a snapshot says of it, and what each event changes.

The hub makes its snapshots from it, and a client that starts from a snapshot follows the call with it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from monitor.events import (
    AlertClosed,
    AlertEvent,
    AlertOpened,
    CallEnded,
    CallStarted,
    Channel,
    CommandApplied,
    Difficulty,
    Event,
    Level,
    OpenCall,
    SpeechEnded,
    Status,
    severity,
)

MESSAGES = 5
"""Messages of supervisors that a snapshot holds."""


@dataclass
class CallState:
    """Who is on an open call, for how long, who has talked, how difficult it is, and which alerts are open.

    ``seconds`` and ``talk`` are in seconds of the call; ``lag_s`` is how far its words are behind.
    """

    agent: str | None = None
    team: str | None = None
    started: CallStarted | None = None
    difficulty: Difficulty | None = None
    seconds: float = 0.0
    lag_s: float = 0.0
    talk: dict[Channel, float] = field(default_factory=dict)
    alerts: dict[str, AlertEvent] = field(default_factory=dict)
    messages: deque[CommandApplied] = field(default_factory=lambda: deque(maxlen=MESSAGES))

    @classmethod
    def of(cls, known: OpenCall) -> "CallState":
        """The state that a snapshot tells."""
        return cls(
            agent=known.agent,
            team=known.team,
            started=known.started,
            difficulty=known.difficulty,
            seconds=known.seconds,
            talk=dict(known.talk),
            alerts={alert.alert: alert for alert in known.alerts},
            messages=deque(known.messages, MESSAGES),
        )

    @property
    def worst(self) -> Level | None:
        """The highest level of the open alerts."""
        return max((alert.level for alert in self.alerts.values()), key=severity, default=None)

    def apply(self, event: Event) -> None:
        """Follows one event of the call."""
        self.seconds = max(self.seconds, event.detected_at)
        match event:
            case CallStarted():
                self.started = event
                self.agent, self.team = event.agent or self.agent, event.team or self.team
            case Difficulty():
                self.difficulty = event
            case SpeechEnded():
                spoken = self.talk.get(event.channel, 0.0) + event.end - event.start
                self.talk[event.channel] = round(spoken, 3)
            case Status():
                self.lag_s = event.lag_s
            case CommandApplied(kind="message"):
                self.messages.append(event)
            case AlertClosed():
                self.alerts.pop(event.alert, None)
            case AlertEvent():
                self.alerts[event.alert] = event
            case _:
                pass

    def open_call(self, call: str, may_see: Callable[[Event], bool] = lambda _: True) -> OpenCall:
        """The entry of a snapshot, with the alerts and messages that ``may_see`` lets through."""
        return OpenCall(
            call=call,
            agent=self.agent,
            team=self.team,
            seconds=self.seconds,
            started=self.started,
            difficulty=self.difficulty,
            talk=dict(self.talk),
            alerts=tuple(as_opened(alert) for alert in self.alerts.values() if may_see(alert)),
            messages=tuple(message for message in self.messages if may_see(message)),
        )


def as_opened(alert: AlertEvent) -> AlertOpened:
    """An alert as it stands, as if it had just opened."""
    return AlertOpened(**{name: getattr(alert, name) for name in AlertOpened.__struct_fields__})


def by_level(alerts: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Alerts from the highest level to the lowest."""
    return sorted(alerts, key=lambda alert: severity(alert.level), reverse=True)


def ended_without_sums(seconds: float, notice: str) -> CallEnded:
    """The end of a call of which only the length is known, and why."""
    return CallEnded(
        detected_at=seconds,
        seconds=seconds,
        talk={},
        overlap=0.0,
        silence=0.0,
        interruptions={},
        alerts={},
        notice=notice,
    )
