"""Chooses the card on the agent's screen: one at a time, none while the agent speaks, for a limited time.

The core decides which alerts become cards, and how often. This module delays a card while the agent speaks
(unless it is critical), and removes it after its time. All times are seconds of the call.
"""

from dataclasses import dataclass
from typing import Literal

from monitor.events import AlertClosed, AlertEvent, CommandApplied

Kind = Literal["info", "warn", "critical", "praise", "message"]

RANK: dict[Kind, int] = {"critical": 4, "message": 3, "warn": 2, "info": 1, "praise": 0}

CARD_SECONDS = 8.0
MESSAGE_SECONDS = 12.0
WHY_AFTER = 0.7
"""Delay of the second line in seconds, so that the next step is read first and then its reason."""

LEAST_SECONDS = 2.5
"""Seconds for which a card stays after its alert has closed, so that it does not flicker."""

CARD_WAIT = 20.0
"""Longest wait of a card for a pause, in seconds; a person's message is then shown anyway."""

MOST_WHY = 130
"""Greatest length of a reason in characters; the page and the report show all of it."""

GONE_AT_ONCE = frozenset({"acknowledged", "wrong"})


@dataclass(frozen=True, slots=True)
class Card:
    """One card: what to do, and why. ``alert`` is the alert's id, null for a supervisor's message."""

    kind: Kind
    say: str
    why: str
    asked: float
    alert: str | None = None

    @property
    def seconds(self) -> float:
        """How long the card is shown, in seconds."""
        return MESSAGE_SECONDS if self.kind == "message" else CARD_SECONDS

    @property
    def spoken(self) -> str:
        """The card's text for screen readers."""
        name = {"info": "Hint", "warn": "Warning", "critical": "Critical", "praise": "Well done",
                "message": "Message"}[self.kind]  # fmt: skip
        return f"{name}: {self.say} {self.why}".strip()


def card_of(event: AlertEvent) -> Card:
    """The card of an alert."""
    kind: Kind = "praise" if event.praise else event.level
    return Card(kind, event.message, shortened(event.summary), event.detected_at, event.alert)


def shortened(text: str) -> str:
    """The text, shortened to a length that can be read at a glance."""
    return text if len(text) <= MOST_WHY else text[:MOST_WHY].rsplit(" ", 1)[0].rstrip(",;: ") + " …"


def card_of_message(told: CommandApplied) -> Card:
    """The card of a supervisor's message."""
    minutes, seconds = divmod(int(told.at), 60)
    return Card(
        "message",
        f"“{told.text}”",
        f"From {told.by or 'your supervisor'}, {minutes:02d}:{seconds:02d}",
        told.detected_at,
    )


class CardDisplay:
    """The card that is shown, and those that wait for a pause."""

    def __init__(self) -> None:
        self.shown: Card | None = None
        self.since = 0.0
        self._until = 0.0
        self._waiting: list[Card] = []

    def ask(self, card: Card) -> None:
        """Requests a card; it replaces an older one of the same alert."""
        self._waiting = [one for one in self._waiting if one.alert is None or one.alert != card.alert]
        if self.shown and card.alert and self.shown.alert == card.alert:
            if self.shown.kind == card.kind:
                self.shown, self._until = card, max(self._until, card.asked + card.seconds)
                return
            self.shown = None
        self._waiting.append(card)

    def close(self, event: AlertClosed) -> None:
        """Drops the waiting card of a closed alert; a shown one goes soon, or at once if acknowledged."""
        self._waiting = [one for one in self._waiting if one.alert != event.alert]
        if self.shown and self.shown.alert == event.alert:
            if event.reason in GONE_AT_ONCE:
                self.shown = None
            else:
                self._until = min(self._until, max(self.since + LEAST_SECONDS, event.detected_at))

    def clear(self) -> None:
        """Removes all cards at the end of the call."""
        self.shown, self._waiting = None, []

    def advance(self, now: float, *, agent_speaks: bool) -> None:
        """Advances to ``now``: removes a card whose time is over, and shows one that may be shown."""
        if self.shown and now >= self._until:
            self.shown = None
        self._waiting = [
            one for one in self._waiting if one.kind == "message" or now - one.asked <= CARD_WAIT
        ]
        for card in sorted(self._waiting, key=lambda one: (RANK[one.kind], one.asked), reverse=True):
            if self._may_show(card, now, agent_speaks=agent_speaks):
                self._waiting.remove(card)
                self.shown, self.since, self._until = card, now, now + card.seconds
                return

    def _may_show(self, card: Card, now: float, *, agent_speaks: bool) -> bool:
        if self.shown and not (card.kind == "critical" and self.shown.kind != "critical"):
            return False
        late = card.kind == "message" and now - card.asked > CARD_WAIT
        return card.kind == "critical" or late or not agent_speaks
