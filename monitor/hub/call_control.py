"""Call control over the hub: from an agent's softphone to the agent's monitor, and its answer back.

A live monitor keeps one connection to the hub (``/standby``) on which it sends nothing of its own. Call
control from a softphone (a listener with the agent's token: ``{hook: {kind: start, ...}}``) is passed on to
it; its answer goes to the softphone that asked, and to nobody else.
"""

import asyncio
import itertools

import msgspec
from websockets.asyncio.server import ServerConnection

from monitor.errors import BadInput
from monitor.events import CallControlAnswer
from monitor.hub.access import Identity, Viewer, why_not_publish
from monitor.hub.publishing import receive_first
from monitor.wire.messages import (
    CallControlMessage,
    CallIdentity,
    ForwardedCallControl,
    ForwardedReply,
    StandbyClaim,
)

PATIENCE = 5.0
"""Seconds that a monitor may take to answer."""
LONGEST_META = 16 * 1024
"""Bytes of metadata that a dialler may send with a call."""


_standing = msgspec.json.Decoder(StandbyClaim)
_replied = msgspec.json.Decoder(ForwardedReply)
_encode = msgspec.json.Encoder().encode


class CallControlRelay:
    """The monitors that stand by, by agent; of two for one agent the newest is asked."""

    def __init__(self) -> None:
        self._monitors: dict[str | None, ServerConnection] = {}
        self._open: dict[int, tuple[ServerConnection, asyncio.Future[CallControlAnswer]]] = {}
        self._numbers = itertools.count(1)

    @property
    def standing(self) -> int:
        """How many monitors stand by."""
        return len(self._monitors)

    async def stand_by(self, connection: ServerConnection, who: Identity) -> None:
        """Serves a monitor until it goes. Raises ``BadInput`` where it may not stand by for the agent."""
        agent = await _receive_standby_claim(connection, who)
        self._monitors[agent] = connection
        try:
            async for message in connection:
                self._receive_reply(connection, message)
        finally:
            if self._monitors.get(agent) is connection:
                del self._monitors[agent]
            for asked, answer in self._open.values():
                if asked is connection and not answer.done():
                    answer.set_exception(BadInput("The monitor of this agent went away without an answer."))

    async def ask(self, viewer: Viewer, asked: CallControlMessage) -> CallControlAnswer:
        """The monitor's answer to call control. Raises ``BadInput`` where that is not allowed or possible."""
        if asked.control.kind != "start" and (asked.control.call or asked.control.meta):
            raise BadInput("A call's name and its metadata belong to the kind start.")
        if asked.control.meta and len(_encode(asked.control.meta)) > LONGEST_META:
            raise BadInput(f"The metadata of a call has at most {LONGEST_META // 1024} kilobytes.")
        monitor = self._monitor_of(viewer, asked.agent)
        number, answer = next(self._numbers), asyncio.get_running_loop().create_future()
        self._open[number] = (monitor, answer)
        try:
            async with asyncio.timeout(PATIENCE):
                await monitor.send(
                    _encode(ForwardedCallControl(number=number, control=asked.control)), text=True
                )
                reply: CallControlAnswer = await answer
                return reply
        except TimeoutError:
            raise BadInput("The monitor of this agent does not answer.") from None
        finally:
            del self._open[number]

    def _monitor_of(self, viewer: Viewer, agent: str | None) -> ServerConnection:
        who = viewer.who
        if not who.local:
            if who.role != "agent" or agent not in (None, who.agent):
                raise BadInput("Only an agent's own softphone may say when calls begin and end.")
            agent = who.agent
        elif agent is None and len(self._monitors) == 1:
            return next(iter(self._monitors.values()))
        if agent not in self._monitors:
            raise BadInput("No monitor stands by for this agent: start `monitor live --uplink` there.")
        return self._monitors[agent]

    def _receive_reply(self, connection: ServerConnection, message: str | bytes) -> None:
        try:
            replied = _replied.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadInput("A monitor that stands by says {number, reply} and nothing else.") from None
        asked, answer = self._open.get(replied.number, (None, None))
        if asked is connection and answer and not answer.done():
            answer.set_result(replied.reply)


async def _receive_standby_claim(connection: ServerConnection, who: Identity) -> str | None:
    """The agent for whom a monitor stands by. Raises ``BadInput``."""
    late = "A monitor that stands by first says for whom"
    standing = await receive_first(connection, _standing, "{agent, team}", late)
    if why := why_not_publish(who, CallIdentity(call="", agent=standing.agent, team=standing.team)):
        raise BadInput(f"This agent is not yours to stand by for: {why}.")
    return standing.agent
