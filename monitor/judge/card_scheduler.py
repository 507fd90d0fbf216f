"""Fatigue control: decides which alerts become a card on the agent's screen, and when.

One card at a time, 18 s between cards, a soft cap per ten minutes, and none while the agent speaks. An
alert that has to wait gets its card as soon as one may be shown, or none. Critical alerts and alerts for
the end of the call do not wait. Supervisors get all of their alerts at once; only cards are limited.
"""

from collections import deque
from dataclasses import dataclass, field

from monitor.config import RulesSettings
from monitor.events import Level, severity
from monitor.timeline import Timeline, ms

WAITS_FOR_PAUSE = "waiting for a pause"
BUDGET = "enough cards for now"
ANOTHER = "another card was just shown"
SNOOZED = "snoozed"
MUTED = "held back: "
REPEATED = "this card was just shown"
SILENT_RULE = "not shown as a card"


@dataclass(slots=True)
class CardRequest:
    """A request to show an alert as a card. Times are ms."""

    key: str
    rule: str
    level: Level
    priority: int
    asked: int
    at_pause: int | None = None
    cooldown: int = 30_000
    at_end: bool = False

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sort key: level, then the rule's priority, then the newer alert."""
        return severity(self.level), self.priority, self.asked


@dataclass(slots=True)
class Inhibition:
    """Holds back the cards of ``rules`` (empty: of all rules) until a given time."""

    because: str
    until: int
    rules: frozenset[str] = field(default_factory=frozenset)


class CardScheduler:
    """Schedules cards on the agent's screen, which shows one at a time."""

    def __init__(self, settings: RulesSettings, line: Timeline) -> None:
        self._line = line
        self._budget = settings.budget
        self._budget_window = ms(settings.budget_window)
        self._cooldown = ms(settings.cooldown)
        self._card_wait = ms(settings.card_wait)
        self._shown: deque[int] = deque()
        self._last: int | None = None
        self._by_rule: dict[str, int] = {}
        self._snoozed_until = 0
        self.waiting: dict[str, CardRequest] = {}
        self.inhibitions: dict[str, Inhibition] = {}

    def ask(self, request: CardRequest) -> str | None:
        """Requests a card now; returns null if it is shown, else why it is withheld (it may then wait)."""
        reason = self._against(request)
        if reason is None:
            self._show(request)
            return None
        if reason not in (BUDGET, SNOOZED, REPEATED):
            self.waiting[request.key] = request
        return reason

    def take_back(self, key: str) -> None:
        """Withdraws the card of an alert that has closed."""
        self.waiting.pop(key, None)

    def next_shown(self) -> str | None:
        """Takes the waiting card that may be shown now, if there is one, and counts it as shown."""
        now = self._line.now
        for key in [key for key, one in self.waiting.items() if now - one.asked > self._card_wait]:
            del self.waiting[key]
        for request in sorted(self.waiting.values(), key=lambda one: one.rank, reverse=True):
            if self._against(request) is None:
                del self.waiting[request.key]
                self._show(request)
                return request.key
        return None

    def snooze(self, length: int) -> None:
        """Shows no cards for ``length`` ms."""
        self._snoozed_until = self._line.now + length

    def _show(self, request: CardRequest) -> None:
        self._last = self._line.now
        self._by_rule[request.rule] = self._line.now
        self._shown.append(self._line.now)

    def _against(self, request: CardRequest) -> str | None:
        now, shown = self._line.now, self._by_rule.get(request.rule)
        if now < self._snoozed_until and request.level != "critical":
            return SNOOZED
        if shown is not None and now - shown < request.cooldown:
            return REPEATED
        if request.level == "critical" or request.at_end:
            return None
        for inhibition in self.inhibitions.values():
            if now < inhibition.until and (not inhibition.rules or request.rule in inhibition.rules):
                return MUTED + inhibition.because
        while self._shown and self._shown[0] <= now - self._budget_window:
            self._shown.popleft()
        if len(self._shown) >= self._budget:
            return BUDGET
        if self._last is not None and now - self._last < self._cooldown:
            return ANOTHER
        return None if self._pause(request) else WAITS_FOR_PAUSE

    def _pause(self, request: CardRequest) -> bool:
        """Whether the agent can read a card now, that is, is not speaking."""
        line = self._line
        if line.talk.speaking("agent"):
            return False
        if request.at_pause is None:
            return True
        silent = line.now - max(line.talk.spoken_until("agent"), line.talk.spoken_until("caller"))
        return not line.talk.speaking("caller") and silent >= request.at_pause
