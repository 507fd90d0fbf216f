"""Turns events into what the overlay shows. It has no window and no socket, and uses call time only.

    view = View()
    view.take(call, event)          # each event of the hub
    view.advance(now)               # the call went on, in seconds of the call
    view.shown                      # what to draw

One call at a time is shown: the one that began last. When the connection breaks, ``lost`` greys the dot and
stops the bands. On reconnection the missed events are sent, and then ``caught_up`` is called; if the hub no
longer has them, it sends a snapshot.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal

from monitor.events import (
    CHANNELS,
    AlertClosed,
    AlertEvent,
    CallEnded,
    CallStarted,
    Channel,
    Command,
    CommandApplied,
    Event,
    OpenCall,
    Prosody,
    Snapshot,
    SpeechEnded,
    SpeechStarted,
)
from monitor.overlay.card import RANK, WHY_AFTER, Card, CardDisplay, card_of, card_of_message
from monitor.overlay.shown import BAND_SECONDS, Connection, Shown, ShownSide
from monitor.wire.call_state import CallState

VOICE_LASTS = 0.6
"""Seconds without prosody after which a side's level is no longer shown."""

SHARE_FROM = 10.0
"""Least seconds of speech for a talk share."""

SNOOZE_SECONDS = 300.0


@dataclass(slots=True)
class _Voice:
    """The speech of one side."""

    since: float | None = None
    stretches: deque[tuple[float, float]] = field(default_factory=deque)
    level_db: float | None = None
    heard: float = -1e9

    def forget(self, before: float) -> None:
        while self.stretches and self.stretches[0][1] < before:
            self.stretches.popleft()


MESSAGE_LASTS = 60.0
"""Greatest age in seconds of a supervisor's message that a newly connected overlay shows."""


class View:
    """The state of the overlay, updated by events."""

    def __init__(self) -> None:
        self._connection: Connection = "lost"
        self._before: frozenset[str] | None = None
        self._begin(None)

    def _begin(self, call: str | None, now: float = 0.0) -> None:
        self._call = call
        self._now = now
        self._voices: dict[Channel, _Voice] = {channel: _Voice() for channel in CHANNELS}
        self._state = CallState()
        self._cards = CardDisplay()
        self._open: dict[str, Card] = {}
        self._snoozed_until = 0.0

    # --- input ---

    def take(self, call: str, event: Event) -> None:
        """Processes one event of the hub."""
        if isinstance(event, Snapshot):
            self._before = None
            self._restart(event.calls)
            return
        if isinstance(event, CallStarted):
            self._begin(call)
        if self._call is None and not isinstance(event, CallEnded):
            self._begin(call, event.detected_at)
        if call != self._call:
            return
        self._connection = "live"
        self._hear(event)
        self.advance(event.detected_at)
        if isinstance(event, Prosody):
            self.caught_up()  # ephemeral, so all missed events have been sent

    def advance(self, now: float) -> None:
        """Advances the call to ``now`` seconds."""
        if self._call is None:
            return
        self._now = max(self._now, now)
        if not self.catching_up:
            self._cards.advance(self._now, agent_speaks=self._speaks("agent"))

    def connected(self, *, resumed: bool = False) -> None:
        """The connection to the hub is up; missed events (``resumed``) or a snapshot follow."""
        self._connection = "waiting" if self._call is None else "live"
        if not (resumed and self.catching_up):  # else the connection broke again while catching up
            self._before = frozenset(self._open) if resumed else None

    @property
    def catching_up(self) -> bool:
        """Whether missed events are still arriving; cards that would be over by now are not shown."""
        return self._before is not None

    def caught_up(self) -> None:
        """All missed events have arrived: shows a person's message, and the most serious open alert."""
        if self._before is None:
            return
        before, self._before = self._before, None
        self._ask_gravest([card for name, card in self._open.items() if name not in before])
        self.advance(self._now)

    def _ask_gravest(self, cards: list[Card]) -> None:
        gravest = max(cards, key=lambda card: (RANK[card.kind], card.asked), default=None)
        if gravest:
            self._cards.ask(replace(gravest, asked=self._now))

    def lost(self, *, refused: bool = False) -> None:
        """The connection broke or was ``refused``; the state is unknown until it is up again."""
        self._connection = "refused" if refused else "lost"
        for voice in self._voices.values():
            voice.since, voice.level_db = None, None

    def _restart(self, calls: tuple[OpenCall, ...]) -> None:
        """Starts over from a snapshot: the most recent open call, with its open alerts."""
        before = self._call
        if not calls:
            self._connection = "waiting"
            self._begin(None)
            return
        youngest = min(calls, key=lambda one: one.seconds)
        self._connection = "live"
        self._begin(youngest.call, youngest.seconds)
        self._state = CallState.of(youngest)
        cards = [card_of(alert) for alert in youngest.alerts]
        self._open = {card.alert: card for card in cards if card.alert}
        self._ask_gravest(cards)
        if youngest.call != before:  # a call that this overlay has not shown
            self._ask_gravest([card_of_message(one) for one in youngest.messages[-1:] if self._recent(one)])
        self.advance(youngest.seconds)

    def _recent(self, told: CommandApplied) -> bool:
        return bool(told.text) and self._now - told.at <= MESSAGE_LASTS

    def _hear(self, event: Event) -> None:
        self._state.apply(event)
        match event:
            case SpeechStarted():
                self._voices[event.channel].since = event.at
            case SpeechEnded():
                self._spoke(event)
            case Prosody():
                voice = self._voices[event.channel]
                voice.level_db, voice.heard = event.level_db, event.detected_at
            case AlertClosed():
                self._open.pop(event.alert, None)
                self._cards.close(event)
            case AlertEvent():
                self._alert(event)
            case CommandApplied():
                self._told(event)
            case CallEnded():
                self._begin(None)
                self._connection = "waiting"
            case _:
                pass

    def _spoke(self, event: SpeechEnded) -> None:
        voice = self._voices[event.channel]
        voice.since = None
        voice.stretches.append((event.start, event.end))
        voice.forget(event.detected_at - BAND_SECONDS)

    def _alert(self, event: AlertEvent) -> None:
        if "agent" not in event.to:
            return
        card = card_of(event)
        if event.card:
            self._cards.ask(card)
        if event.card or event.alert in self._open:
            self._open[event.alert] = card

    def _told(self, event: CommandApplied) -> None:
        if event.kind == "message" and event.text:
            self._cards.ask(card_of_message(event))
        elif event.kind == "snooze":
            self._snoozed_until = event.detected_at + (event.seconds or SNOOZE_SECONDS)

    # --- output ---

    @property
    def shown(self) -> Shown:
        """Everything that is drawn now."""
        card = self._cards.shown
        still = max(self._open.values(), key=lambda one: (RANK[one.kind], one.asked), default=None)
        return Shown(
            connection=self._connection,
            call=self._call,
            now=self._now,
            sides={channel: self._side(channel) for channel in CHANNELS},
            share=self._share(),
            card=card,
            why=card is not None and self._now >= self._cards.since + WHY_AFTER,
            open_card=still,
            snoozed=self._now < self._snoozed_until,
        )

    @property
    def talks(self) -> bool:
        """Whether the picture changes with time alone: during a call, and until a card has gone."""
        return self._call is not None and (self._connection == "live" or self._cards.shown is not None)

    def order(self, kind: Literal["acknowledge", "wrong", "snooze"]) -> tuple[str, Command] | None:
        """The command to send for the card that is shown or still open, with its call; null without one."""
        if self._call is None:
            return None
        if kind == "snooze":
            return self._call, Command(kind="snooze", seconds=SNOOZE_SECONDS)
        shown = self.shown
        card = shown.card if shown.card and shown.card.alert else shown.open_card
        return (self._call, Command(kind=kind, alert=card.alert)) if card else None

    def put_away(self) -> None:
        """Removes the message on the screen, which the agent has read."""
        if self._cards.shown and self._cards.shown.kind == "message":
            self._cards.shown = None

    def _speaks(self, channel: Channel) -> bool:
        voice = self._voices[channel]
        return voice.since is not None or self._now - voice.heard <= VOICE_LASTS / 2

    def _side(self, channel: Channel) -> ShownSide:
        voice = self._voices[channel]
        speech = [(start, end) for start, end in voice.stretches if end > self._now - BAND_SECONDS]
        if voice.since is not None:
            speech.append((voice.since, self._now))
        fresh = self._now - voice.heard <= VOICE_LASTS
        return ShownSide(self._speaks(channel), tuple(speech), voice.level_db if fresh else None)

    def _share(self) -> float | None:
        talked = {
            side: self._state.talk.get(side, 0.0)
            + (self._now - voice.since if voice.since is not None else 0.0)
            for side, voice in self._voices.items()
        }
        both = sum(talked.values())
        return talked["agent"] / both if both >= SHARE_FROM else None
