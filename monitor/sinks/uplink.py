"""A call's way to a hub: lines wait on disk until the hub holds them, through every break of the line.

What is only looked at is sent while the line stands and is not kept. What is private to the agent is not
sent at all. Orders of people come back the same way. What a killed monitor left is sent by the next one.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor import wire
from monitor.events import CallEnded, Order
from monitor.sinks import Line
from monitor.sinks.access import Claimed
from monitor.sinks.conversation import PATIENCE, Conversation
from monitor.sinks.hub_address import HubAddress
from monitor.sinks.spool import Held, Spool, claim, left_behind

IN_A_HURRY = 0.25
"""Seconds that the end of a call waits for a hub that does not answer, when a person wants to leave."""


class Uplink:
    """Sends one call to a hub, and what earlier monitors left behind. A sink."""

    def __init__(
        self,
        hub: HubAddress,
        claimed: Claimed,
        folder: Path,
        *,
        patience: float = PATIENCE,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._patience = patience
        self.folder = folder
        self._spool = claim(folder, claimed.call)
        self._spool.begin(hub.url, claimed)
        self._leftovers = Leftovers(hub, folder)
        self._conversation = Conversation(hub, claimed, self._spool, tell)
        self._conversation.start()
        self.left: int = 0
        """After the end: lines that wait on disk for the next time."""

    @property
    def trouble(self) -> str | None:
        """Why the line to the hub does not stand just now, for people."""
        return self._conversation.trouble

    def take(self, lines: Sequence[Line]) -> None:
        """The next lines, in order."""
        self._conversation.give(lines)

    def answer_orders(self, call: str, order: Callable[[Order], None]) -> None:
        """Says who takes the orders that people give through the hub."""
        self._conversation.order = order

    def hurry(self) -> None:
        """A person wants to leave: what the hub does not hold by then waits on disk for the next time."""
        self._patience = min(self._patience, IN_A_HURRY)

    def close(self) -> None:
        """Waits, with bounded patience, until the hub holds the call; what it does not hold stays on disk."""
        arrived = self._conversation.finish(self._patience)
        self.left = self._spool.waiting
        self._spool.close(remove=arrived and (self._spool.ended or not self._spool.last))
        if arrived:
            self._leftovers.finish(self._patience)


class Leftovers:
    """Sends on what monitors that are gone have left on disk, beside the call of now."""

    def __init__(self, hub: HubAddress, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self._thread = threading.Thread(target=self._send_all, name="leftovers", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it is still at it."""
        return self._thread.is_alive()

    def finish(self, patience: float) -> None:
        """Waits so many seconds; what is not sent then is sent the next time."""
        self._thread.join(patience)

    def _send_all(self) -> None:
        for path in left_behind(self._folder):
            try:
                spool = Spool(path)
            except Held:
                continue
            about = spool.about()
            if about is None:
                spool.close(remove=True)
            elif about[0] != self._hub.url or not self._send(spool, about[1]):
                spool.close()
            else:
                spool.close(remove=True)

    def _send(self, spool: Spool, claimed: Claimed) -> bool:
        if spool.last == 0:
            return True
        if not spool.ended:
            _end(spool, claimed)
        conversation = Conversation(self._hub, claimed, spool)
        conversation.start()
        return conversation.finish()


def _end(spool: Spool, claimed: Claimed) -> None:
    """Ends a call whose monitor was killed: how far it is known, and why there are no sums."""
    stored = spool.after(0, limit=1_000_000)
    known = max((wire.decode(line)[1].known for _, line in stored), default=0.0)
    ended = CallEnded(
        known=known, seconds=known, talk={}, overlap=0.0, silence=0.0, interruptions={}, alerts={},
        notice="The monitor of this call stopped before the call ended.",
    )  # fmt: skip
    number = spool.last + 1
    spool.put([(number, wire.encode(ended, call=claimed.call, sequence=number))], ended=True)
