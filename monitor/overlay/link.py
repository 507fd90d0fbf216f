"""The overlay's line to the hub: a thread that listens, and comes back after every break.

The first line begins with a snapshot. A later one asks by ``?since=`` for what was missed, so that a
supervisor's words said meanwhile still come; where the hub cannot tell (it began anew), a snapshot comes
again, which is all that an overlay needs to go on.
Events and the state of the line are handed to ``tell`` from this thread; whoever draws takes them over
into its own (a Qt signal does that).
"""

import random
import threading
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlencode

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection

from monitor import wire
from monitor.errors import BadInput
from monitor.events import Event, Order, Snapshot

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between attempts to connect: doubled each time, and shortened by up to half at random."""

KINDS = ("call", "speech", "prosody", "alert", "told", "snapshot", "refused")
"""What an overlay draws; transcripts stay where they are."""

HUB = "hub"
"""The partition of what the hub itself says; it has no place in the log."""

Connect = Callable[[str], ClientConnection]
State = Literal["up", "back", "down"]
"""The line stands, stands again with what was missed to come, or broke."""
Tell = Callable[[str, Event | State], None]
"""Takes the call and the event, or what became of the line."""


class Link:
    """Listens to the calls of one agent (or, on one's own machine, to whichever call there is)."""

    def __init__(self, connect: Connect, tell: Tell, agent: str | None = None) -> None:
        self.trouble: str | None = None
        """Why the line does not stand, for people."""
        self._connect = connect
        self._tell = tell
        self._agent = agent
        self._since: int | None = None
        self._log: str | None = None
        self._line: ClientConnection | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_listening, name="overlay-link", daemon=True)

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the line."""
        self._stopped.set()
        if line := self._line:
            line.close()
        self._thread.join(2.0)

    def send(self, call: str, order: Order) -> bool:
        """Sends what the agent asked for; False where the line does not stand."""
        plain = {name: value for name, value in msgspec.to_builtins(order).items() if value is not None}
        line = self._line
        if line is None:
            return False
        try:
            line.send(msgspec.json.encode({"call": call, "order": plain}), text=True)
        except (OSError, WebSocketException):
            return False
        return True

    # --- the thread ---

    def _path(self) -> str:
        asked = {"role": "agent", "kind": ",".join(KINDS)}
        if self._agent:
            asked["agent"] = self._agent
        if self._since is not None:
            asked |= {"since": str(self._since)} | ({"log": self._log} if self._log else {})
        return f"/events?{urlencode(asked)}"

    def _keep_listening(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                with self._connect(self._path()) as line:
                    self._line = line
                    self.trouble, pause = None, FIRST_PAUSE
                    self._tell("", "up" if self._since is None else "back")
                    self._listen(line)
            except (OSError, WebSocketException, TimeoutError) as wrong:
                self.trouble = _reason(wrong)
            finally:
                self._line = None
            if not self._stopped.is_set():
                self._tell("", "down")
            self._stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            pause = min(LONGEST_PAUSE, pause * 2)

    def _listen(self, line: ClientConnection) -> None:
        for message in line:
            for one in message.splitlines():
                try:
                    envelope, event = wire.decode(one)
                except BadInput:
                    continue  # a newer hub may say more than this overlay knows
                if isinstance(event, Snapshot):
                    self._since, self._log = event.sequence, event.log or None
                elif envelope.partitionkey != HUB:
                    self._since = max(self._since or 0, int(envelope.sequence))
                self._tell(envelope.partitionkey, event)


def _reason(wrong: Exception) -> str:
    if isinstance(wrong, InvalidStatus):
        return f"the hub refused the line ({wrong.response.status_code})"
    if isinstance(wrong, ConnectionClosed):
        return "the line broke"
    return "the hub does not answer"
