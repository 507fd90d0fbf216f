"""The hub: where the events of all calls meet those who may hear them.

A websocket server. Monitors publish the calls of their agents (``/publish``), or a call runs in the
same process and gives its lines to ``Hub.take``. Listeners connect to ``/events``: a new one gets a
snapshot of the open calls and then every event in the order of the log; one that comes back with
``?since=SEQUENCE`` gets what it missed instead of the snapshot. What listeners say (acknowledge,
snooze, wrong, message) travels to the call's core, which says it again as an event.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
from websockets.asyncio.server import ServerConnection, broadcast

from monitor import wire
from monitor.errors import BadInput
from monitor.events import (
    AlertClosed,
    AlertEvent,
    AlertOpened,
    CallEnded,
    CallStarted,
    Difficulty,
    Dropped,
    Event,
    OpenCall,
    Order,
    Refused,
    Snapshot,
)
from monitor.sinks import Line
from monitor.sinks.access import Claimed, Identity, Viewer, may_publish
from monitor.sinks.listener import FellBehind, Listener
from monitor.sinks.log import Arrival, Entry, EventLog

HUB = "hub"
"""The partition of what the hub itself says."""

TRY_AGAIN_LATER = 1013
POLICY_VIOLATION = 1008


@dataclass
class CallState:
    """What the hub knows of an open call; enough for a snapshot."""

    agent: str | None
    team: str | None
    started: CallStarted | None = None
    difficulty: Difficulty | None = None
    seconds: float = 0.0
    alerts: dict[str, AlertEvent] = field(default_factory=dict)
    order: Callable[[Order], None] | None = None

    def note(self, event: Event) -> None:
        """Follows one event of the call."""
        self.seconds = max(self.seconds, event.known)
        if isinstance(event, CallStarted):
            self.started, self.agent, self.team = event, event.agent, event.team
        elif isinstance(event, Difficulty):
            self.difficulty = event
        elif isinstance(event, AlertClosed):
            self.alerts.pop(event.alert, None)
        elif isinstance(event, AlertEvent):
            self.alerts[event.alert] = event


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a listener sends: an order for a call."""

    call: str
    order: Order


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub sends a publisher: where to go on, what is kept, an order for its core, or a refusal."""

    resume: int | None = None
    ack: int | None = None
    order: Order | None = None
    refused: str | None = None


MAY_ORDER = {
    "agent": frozenset({"acknowledge", "snooze", "wrong"}),
    "supervisor": frozenset({"acknowledge", "wrong", "message"}),
}
LONGEST_MESSAGE = 200

_ask = msgspec.json.Decoder(Ask)
_claimed = msgspec.json.Decoder(Claimed)
_encoder = msgspec.json.Encoder()


class Hub:
    """All calls, all listeners, one log. Only the event loop's thread may touch it."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.calls: dict[str, CallState] = {}
        self.listeners: set[Listener] = set()
        for call, agent, team in log.open_calls():
            state = self.calls[call] = CallState(agent, team)
            for line in log.lines_of(call):
                state.note(wire.decode(line)[1])

    # --- what comes in ---

    def publish(self, call: str, arrivals: Sequence[Arrival]) -> None:
        """Keeps one call's next lines and passes them on; what was kept before is left out."""
        entries = self.log.append(call, arrivals)
        state = self.calls.get(call) or self.calls.setdefault(call, CallState(*self.log.whose(call)))
        for entry in entries:
            state.note(entry.event)
            self._spread(entry, state)
        if entries and isinstance(entries[-1].event, CallEnded):
            del self.calls[call]

    def take(self, lines: Sequence[Line]) -> None:
        """The lines of a call that runs in this process (this makes the hub a sink)."""
        arrivals = [Arrival(line.sequence, *wire.decode(line.json)) for line in lines]
        self.publish(lines[0].call, arrivals)

    def answer_orders(self, call: str, order: Callable[[Order], None]) -> None:
        """Says who takes the orders for a call that runs in this process."""
        self.calls.setdefault(call, CallState(None, None)).order = order

    def close(self) -> None:
        """The local call is over; the hub goes on for its listeners."""

    def _spread(self, entry: Entry, state: CallState) -> None:
        for listener in self.listeners:
            viewer = listener.viewer
            if viewer.may_enter(entry.call, state.agent, state.team) and viewer.may_see(entry.event):
                listener.offer(entry)

    def order(self, viewer: Viewer, ask: Ask) -> None:
        """Passes an order on to the call's core. Raises ``BadInput`` when it may not, or cannot, be."""
        state = self.calls.get(ask.call)
        if state is None or not viewer.may_enter(ask.call, state.agent, state.team):
            raise BadInput("There is no such open call for you.")
        if not viewer.who.local and ask.order.kind not in MAY_ORDER[viewer.role]:
            raise BadInput(f"The role {viewer.role} may not {ask.order.kind}.")
        if len(ask.order.text or "") > LONGEST_MESSAGE:
            raise BadInput(f"A message has at most {LONGEST_MESSAGE} characters.")
        if state.order is None:
            raise BadInput("The monitor of this call is not connected just now.")
        by = ask.order.by if viewer.who.local else viewer.who.agent or viewer.role
        state.order(msgspec.structs.replace(ask.order, by=by or viewer.role))

    # --- a publisher ---

    async def attend_publisher(self, connection: ServerConnection, who: Identity) -> None:
        """Takes a monitor's lines until it goes; each batch is answered once it is kept."""
        claimed = _claimed.decode(await connection.recv())
        if not may_publish(who, claimed):
            await connection.close(POLICY_VIOLATION, "this call is not yours to publish")
            return
        state = self.calls.setdefault(claimed.call, CallState(claimed.agent, claimed.team))
        outgoing = _Orders(connection)
        state.order = outgoing.send
        await connection.send(_encoder.encode(Answer(resume=self.log.last_of(claimed.call))), text=True)
        try:
            async for message in connection:
                arrivals = [_checked(line, claimed, who) for line in _lines(message)]
                self.publish(claimed.call, arrivals)
                if arrivals:
                    await connection.send(_encoder.encode(Answer(ack=arrivals[-1].number)), text=True)
        finally:
            if state.order == outgoing.send:
                state.order = None

    # --- a listener ---

    async def attend_listener(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Sends one listener what it may see until it goes or falls behind."""
        listener = Listener(viewer)
        try:
            await self._catch_up(connection, listener)
            await self._stream(connection, listener)
        except FellBehind:
            await connection.close(TRY_AGAIN_LATER, f"fell behind; resume with ?since={listener.after}")
        finally:
            self.listeners.discard(listener)

    async def hear_listener(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Takes what a listener says until it goes; what cannot be done is answered with a reason."""
        async for message in connection:
            try:
                self.order(viewer, _ask.decode(message))
            except BadInput as wrong:
                await connection.send(self._own(Refused(reason=str(wrong))), text=True)
            except (msgspec.DecodeError, UnicodeDecodeError):
                reason = "This is not an order: send {call, order: {kind, ...}} as JSON."
                await connection.send(self._own(Refused(reason=reason)), text=True)

    async def _catch_up(self, connection: ServerConnection, listener: Listener) -> None:
        """What the listener missed, or a snapshot; it is registered in the step that finds nothing more.

        There is no await between the last look into the log and the registration, so nothing falls
        between the two.
        """
        since = listener.viewer.wants.since
        if since is None or since > self.log.last:
            self.listeners.add(listener)
            listener.after = self.log.last
            await connection.send(self._own(self.snapshot(listener.viewer)), text=True)
            return
        listener.after = since
        while rows := self.log.since(listener.after):
            for sequence, call, line in rows:
                listener.after = sequence
                if listener.viewer.may_enter(call, *self.log.whose(call)):
                    event = wire.decode(line)[1]
                    if listener.viewer.may_see(event):
                        await connection.send(line, text=True)
        self.listeners.add(listener)

    async def _stream(self, connection: ServerConnection, listener: Listener) -> None:
        while True:
            for entry in await listener.take():
                await connection.send(entry.line, text=True)
                listener.after = entry.sequence
            if dropped := listener.count_dropped():
                await connection.send(self._own(Dropped(lines=dropped)), text=True)

    def snapshot(self, viewer: Viewer) -> Snapshot:
        """The open calls and alerts that a viewer may see."""
        calls = [
            OpenCall(
                call=call, agent=state.agent, team=state.team, seconds=state.seconds, started=state.started,
                difficulty=state.difficulty,
                alerts=tuple(_opened(alert) for alert in state.alerts.values() if viewer.may_see(alert)),
            )
            for call, state in self.calls.items()
            if viewer.may_enter(call, state.agent, state.team)
        ]  # fmt: skip
        return Snapshot(sequence=self.log.last, calls=tuple(calls))

    def _own(self, event: Event) -> bytes:
        return wire.encode(event, call=HUB, sequence=self.log.last)


class _Orders:
    """Hands orders to a publisher without waiting for it."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    def send(self, order: Order) -> None:
        """Sends ``order`` to the monitor of the call."""
        broadcast([self._connection], _encoder.encode(Answer(order=order)).decode())


def _lines(message: str | bytes) -> Iterable[bytes]:
    raw = message.encode() if isinstance(message, str) else message
    return (line for line in raw.split(b"\n") if line)


def _checked(line: bytes, claimed: Claimed, who: Identity) -> Arrival:
    """A publisher's line, if it is of the call that it said, and of no other agent."""
    envelope, event = wire.decode(line)
    if envelope.partitionkey != claimed.call:
        raise BadInput("A line belongs to another call than the one that was announced.")
    if (
        isinstance(event, CallStarted)
        and not who.local
        and (event.agent, event.team) != (claimed.agent, claimed.team)
    ):
        raise BadInput("A line names another agent or team than the one that was announced.")
    if not envelope.sequence.isdecimal():
        raise BadInput("A line has no number.")
    return Arrival(int(envelope.sequence), envelope, event)


def _opened(alert: AlertEvent) -> AlertOpened:
    fields = {name: getattr(alert, name) for name in AlertOpened.__struct_fields__}
    return AlertOpened(**fields)
