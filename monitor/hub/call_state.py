"""What the hub knows of the calls that go on: enough for the snapshot of a listener who just came."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.events import (
    AlertClosed,
    AlertEvent,
    AlertOpened,
    CallEnded,
    CallStarted,
    Channel,
    Command,
    CommandApplied,
    Difficulty,
    Event,
    OpenCall,
    SpeechEnded,
    Status,
)
from monitor.hub.access import Viewer

MESSAGES = 5
"""Messages of supervisors that are shown to whoever comes, or comes back."""


@dataclass
class LiveCall:
    """An open call. ``order`` takes what people ask of it, while its monitor is connected."""

    agent: str | None = None
    team: str | None = None
    started: CallStarted | None = None
    difficulty: Difficulty | None = None
    seconds: float = 0.0
    lag_s: float = 0.0
    heard_of: float = 0.0
    """When something last came from its monitor (the hub's monotonic seconds)."""
    talk: dict[Channel, float] = field(default_factory=dict)
    alerts: dict[str, AlertEvent] = field(default_factory=dict)
    messages: deque[CommandApplied] = field(default_factory=lambda: deque(maxlen=MESSAGES))
    order: Callable[[Command], None] | None = None

    def note(self, event: Event) -> None:
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

    def shown(self, call: str, viewer: Viewer) -> OpenCall:
        """The call as ``viewer`` may see it."""
        alerts = tuple(_opened(alert) for alert in self.alerts.values() if viewer.may_see(alert))
        return OpenCall(
            call=call,
            agent=self.agent,
            team=self.team,
            seconds=self.seconds,
            started=self.started,
            difficulty=self.difficulty,
            talk=dict(self.talk),
            alerts=alerts,
            messages=tuple(message for message in self.messages if viewer.may_see(message)),
        )


def _opened(alert: AlertEvent) -> AlertOpened:
    """The alert as it stands, in the words of one that just opened."""
    fields = {name: getattr(alert, name) for name in AlertOpened.__struct_fields__}
    return AlertOpened(**fields)


def nothing_known(seconds: float, why: str) -> CallEnded:
    """The end of a call that the hub itself has to tell: how long it was known to be, and no sums."""
    return CallEnded(
        detected_at=seconds,
        seconds=seconds,
        talk={},
        overlap=0.0,
        silence=0.0,
        interruptions={},
        alerts={},
        notice=why,
    )
