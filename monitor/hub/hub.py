"""The hub: receives the events of all calls and streams them to those who may see them.

Monitors publish the calls of their agents (``/publish``), or a call runs in the same process and gives its
events to ``Hub.take``. Listeners connect to ``/events``: a new one gets a snapshot of the open calls and then
every event in the order of the log; one that resumes with ``?since=SEQUENCE&log=NAME`` gets what it missed
instead of the snapshot. Commands of listeners (acknowledge, snooze, wrong, message) are passed on to the
call's core, which applies them and reports them as events.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from websockets.asyncio.server import ServerConnection

from monitor import clock
from monitor.errors import BadInput
from monitor.events import (
    AlertOpened,
    CallControlAnswer,
    CallControlReply,
    CallEnded,
    Command,
    Dropped,
    Event,
    Refused,
    Snapshot,
)
from monitor.hub.access import Identity, StreamFilter, Viewer, may_publish
from monitor.hub.call_control import CallControlRelay
from monitor.hub.commands import check_command
from monitor.hub.entry import Arrival, LogEntry
from monitor.hub.listener import BatchedDelivery, FellBehind, Listener
from monitor.hub.log import EventLog
from monitor.hub.metrics import Metrics
from monitor.hub.publishing import CommandSender, arrivals, encoded, receive_claim
from monitor.sinks import Line
from monitor.wire import envelope as wire
from monitor.wire.call_state import CallState, ended_without_sums
from monitor.wire.messages import Answer, CallControlMessage, CallIdentity, CommandMessage, is_private

HUB = "hub"
"""The partition of the hub's own events."""

PRIVATE_ENTRIES = 1000
"""Private events held in memory for an agent whose connection breaks."""

SILENT_SECONDS = 3600.0
"""A call whose monitor has been silent for so many seconds is closed."""


@dataclass
class LiveCall(CallState):
    """An open call at the hub."""

    last_seen: float = 0.0
    """When its monitor last sent something, in monotonic seconds of the hub."""
    on_command: Callable[[Command], None] | None = None
    """Takes commands for the call, while its monitor is connected."""


class Hub:
    """All calls, all listeners, one log. Not thread-safe: for the event loop's thread."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.metrics = Metrics()
        self.calls: dict[str, LiveCall] = {}
        self.call_control = CallControlRelay()
        self._audiences: defaultdict[Viewer, set[Listener]] = defaultdict(set)
        self._private: deque[LogEntry] = deque(maxlen=PRIVATE_ENTRIES)
        self._delivery = BatchedDelivery(self._send_to_all)
        for name, read in (
            ("monitor_listeners", lambda: self.listeners),
            ("monitor_calls_open", lambda: len(self.calls)),
            ("monitor_standing_by", lambda: self.call_control.standing),
            ("monitor_lag_seconds", lambda: max((one.lag_s for one in self.calls.values()), default=0.0)),
            ("monitor_sequence", lambda: self.log.last),
            ("monitor_coalesced_total", lambda: self._delivery.coalesced),
        ):
            self.metrics.follow(name, read)
        for call, agent, team in log.open_calls():
            state = self.calls[call] = LiveCall(agent=agent, team=team, last_seen=clock.monotonic())
            for line in log.lines_of(call):
                state.apply(wire.decode(line)[1])

    @property
    def listeners(self) -> int:
        """How many listeners are connected."""
        return sum(map(len, self._audiences.values()))

    # --- what comes in ---

    def publish(self, call: str, arrived: Sequence[Arrival]) -> None:
        """Stores one call's next events and sends them to listeners; what is stored already is left out."""
        began = clock.stopwatch()
        entries = self.log.append(call, arrived)
        self.metrics.observe("monitor_stage_seconds", clock.stopwatch() - began, stage="log")
        if not entries:
            self.forget_erased_calls([call] if call in self.calls else [])
            return
        state = self.calls.get(call) or self.calls.setdefault(call, self._new_call(call))
        state.last_seen = clock.monotonic()
        for entry in entries:
            state.apply(entry.event)
            self._pass_on(entry)
        if any(isinstance(entry.event, CallEnded) for entry in entries):
            self._forget(call)

    def take(self, lines: Sequence[Line]) -> None:
        """The next events of a call that runs in this process (this makes the hub a sink)."""
        arrived = [Arrival(line.sequence, line.envelope, line.event) for line in lines]
        self.publish(lines[0].call, arrived)

    def take_commands(self, call: str, handler: Callable[[Command], None]) -> None:
        """Says who takes the commands for a call that runs in this process."""
        self.calls.setdefault(call, LiveCall()).on_command = handler

    def close(self) -> None:
        """The local call is over; the hub goes on for its listeners."""

    def flush(self) -> None:
        """Sends everything that waits, before the hub ends."""
        self._delivery.flush()

    def forget_erased_calls(self, calls: Sequence[str] | None = None) -> None:
        """Tells listeners of open calls that were erased that they are over, and forgets them."""
        for call in filter(self.log.is_erased, list(self.calls) if calls is None else calls):
            ended, last = ended_without_sums(self.calls[call].seconds, "This call was erased."), self.log.last
            line = wire.encode(ended, call=call, sequence=last)
            self._delivery.put(LogEntry(last, call, ended, line, durable=False))
            self._delivery.flush()
            self._forget(call)

    def give_up_on_silent_calls(self) -> None:
        """Closes calls whose monitor has been silent for ``SILENT_SECONDS``."""
        now = clock.monotonic()
        for call, state in list(self.calls.items()):
            if state.on_command is None and now - state.last_seen > SILENT_SECONDS:
                ended = ended_without_sums(state.seconds, "Its monitor went away and did not come back.")
                number = self.log.last_of(call) + 1
                envelope = wire.wrap(ended, call=call, sequence=number, time=clock.stamp())
                self.publish(call, [Arrival(number, envelope, ended)])

    def send_command(self, viewer: Viewer, ask: CommandMessage) -> None:
        """Passes a command on to the call's core. Raises ``BadInput`` where it is not allowed or possible."""
        state = self.calls.get(ask.call)
        if state is None or not viewer.may_enter(ask.call, state.agent, state.team):
            raise BadInput("There is no such open call for you.")
        command = check_command(viewer, ask.command)
        if state.on_command is None:
            raise BadInput("The monitor of this call is not connected just now.")
        self.metrics.count("monitor_orders_total", kind=command.kind)
        state.on_command(command)

    async def control(self, viewer: Viewer, asked: CallControlMessage) -> bytes:
        """Passes call control on to the agent's monitor; the line that answers the softphone."""
        reply: CallControlAnswer = await self.call_control.ask(viewer, asked)
        self.metrics.count("monitor_hooks_total", kind=asked.control.kind)
        return self._own(CallControlReply(done=reply.done, say=reply.say, call=reply.call))

    # --- a publisher ---

    async def attend_publisher(self, connection: ServerConnection, who: Identity) -> None:
        """Receives a monitor's events until it goes; each batch is acknowledged once it is stored."""
        claimed = await receive_claim(connection)
        if not (may_publish(who, claimed) and self._may_go_on(who, claimed)):
            raise BadInput("This call is not yours to publish.")
        self.log.begin(claimed.call, claimed.agent, claimed.team)
        outgoing = CommandSender([connection])
        if not self.log.has_ended(claimed.call):
            self._connected(claimed).on_command = outgoing.send
        await connection.send(encoded(Answer(resume=self.log.last_of(claimed.call))), text=True)
        try:
            async for message in connection:
                arrived = arrivals(message, claimed, who)
                if arrived:
                    self.publish(claimed.call, arrived)
                    await connection.send(encoded(Answer(ack=arrived[-1].number)), text=True)
        finally:
            state = self.calls.get(claimed.call)
            if state and state.on_command == outgoing.send:
                state.on_command = None

    def _new_call(self, call: str) -> LiveCall:
        agent, team = self.log.whose(call)
        return LiveCall(agent=agent, team=team)

    def _connected(self, claimed: CallIdentity) -> LiveCall:
        state = self.calls.setdefault(claimed.call, LiveCall(agent=claimed.agent, team=claimed.team))
        state.last_seen = clock.monotonic()
        return state

    def _may_go_on(self, who: Identity, claimed: CallIdentity) -> bool:
        """Whether a publisher may continue a call that is known: only with the same agent and team."""
        known = self.log.whose(claimed.call)
        return who.local or known in ((None, None), (claimed.agent, claimed.team))

    # --- a listener ---

    async def attend_listener(self, connection: ServerConnection, viewer: Viewer) -> None:
        """Sends one listener what it may see until it goes. Raises ``FellBehind`` where it is too slow."""
        listener = Listener(viewer, connection, lambda lines: self._own(self._dropped(lines)))
        audience = viewer.audience
        sending = asyncio.create_task(self._catch_up_and_go_on(listener))
        try:
            await asyncio.wait((sending, listener.overflowed), return_when=asyncio.FIRST_COMPLETED)
            if listener.overflowed.done():
                self.metrics.count("monitor_let_go_total")
                raise FellBehind(f"fell behind; resume with ?since={listener.after}")
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            self._audiences[audience].discard(listener)
            if not self._audiences[audience]:
                del self._audiences[audience]

    def refusal(self, reason: str) -> bytes:
        """The line for a listener whose message cannot be acted on."""
        return self._own(Refused(reason=reason))

    async def _catch_up_and_go_on(self, listener: Listener) -> None:
        """Sends what the listener missed, or a snapshot, and then what comes.

        There is no await between the last read of the log and the registration of the listener, so nothing is
        lost between the two.
        """
        viewer, connection = listener.viewer, listener.connection
        lost = self._lost(viewer.wants)
        if viewer.wants.since is None or lost:
            listener.after = self.log.last
            self._audiences[viewer.audience].add(listener)
            await connection.send(self._own(self.snapshot(viewer, lost)), text=True)
        else:
            listener.after = viewer.wants.since
            while missed := self._missed(listener.after):
                for entry in missed:
                    if self._may_have(viewer, entry):
                        await connection.send(entry.line, text=True)
                    listener.after = entry.sequence
                await asyncio.sleep(0)
            self._audiences[viewer.audience].add(listener)
        await listener.run()

    def _lost(self, wants: StreamFilter) -> str | None:
        """Why a listener cannot resume from the sequence it names; None where it can."""
        if wants.since is None:
            return None
        if wants.log not in (None, self.log.name) or wants.since > self.log.last:
            return "This is another log than the one you heard before; begin anew from here."
        if wants.since < self.log.forgotten:
            return "What you missed is no longer kept; begin anew from here."
        return None

    def _missed(self, after: int) -> list[LogEntry]:
        """The next entries after a sequence: those in the log, and private ones, which are only in memory."""
        rows = self.log.since(after)
        last = rows[-1][0] if len(rows) == self.log.PAGE else self.log.last
        kept = [
            LogEntry(number, call, wire.decode(line)[1], line, durable=True) for number, call, line in rows
        ]
        private = [entry for entry in self._private if after < entry.sequence <= last]
        return sorted([*kept, *private], key=lambda entry: entry.sequence)

    # --- sending ---

    def _pass_on(self, entry: LogEntry) -> None:
        self.metrics.count("monitor_events_total", kind=entry.event.name)
        if is_private(entry.event):
            self._private.append(entry)
        if isinstance(entry.event, AlertOpened):
            alert = entry.event
            self.metrics.count("monitor_alerts_total", rule=alert.rule, level=alert.level)
            self.metrics.observe("monitor_detector_delay_seconds", max(0.0, alert.detected_at - alert.at))
        self._delivery.put(entry)

    def _send_to_all(self, batch: Sequence[LogEntry]) -> int:
        """Sends a batch to everybody; those with the same view get the same bytes. How many bytes in all."""
        began, size = clock.stopwatch(), 0
        for viewer, audience in self._audiences.items():
            seen = [entry for entry in batch if self._may_have(viewer, entry)]
            if not seen:
                continue
            first = min((entry.sequence for entry in seen if entry.durable), default=self.log.last + 1)
            frames = b"".join(entry.frame for entry in seen)
            for listener in audience:
                listener.offer(seen, first, frames)
            size += len(frames) * len(audience)
            self.metrics.count("monitor_sent_total", by=len(seen) * len(audience))
        self.metrics.observe("monitor_stage_seconds", clock.stopwatch() - began, stage="send")
        return size

    def _may_have(self, viewer: Viewer, entry: LogEntry) -> bool:
        state = self.calls.get(entry.call)
        agent, team = (state.agent, state.team) if state else self.log.whose(entry.call)
        return viewer.may_enter(entry.call, agent, team) and viewer.may_see(entry.event)

    def _forget(self, call: str) -> None:
        """Forgets a call that has ended; the log keeps it."""
        self._delivery.drop_ephemeral(call)
        self._private = deque((e for e in self._private if e.call != call), PRIVATE_ENTRIES)
        self.calls.pop(call, None)

    def snapshot(self, viewer: Viewer, notice: str | None = None) -> Snapshot:
        """The open calls and alerts that a viewer may see."""
        calls = [
            state.open_call(call, viewer.may_see)
            for call, state in self.calls.items()
            if viewer.may_enter(call, state.agent, state.team)
        ]
        return Snapshot(sequence=self.log.last, calls=tuple(calls), log=self.log.name, notice=notice)

    def _dropped(self, lines: int) -> Dropped:
        self.metrics.count("monitor_dropped_total", by=lines)
        return Dropped(lines=lines)

    def _own(self, event: Event) -> bytes:
        return wire.encode(event, call=HUB, sequence=self.log.last)
