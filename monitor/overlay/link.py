"""The overlay's line to the hub: a thread that listens, and comes back after every break.

Each new line begins with a snapshot, which is all that an overlay needs to go on. It does not ask for what
it missed by ``?since=``: cards of a minute ago help nobody, and a hub that keeps its log in memory begins
to count anew, so that its numbers would be mistaken for known ones.
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
from monitor.events import Event, Order

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between attempts to connect: doubled each time, and shortened by up to half at random."""

KINDS = ("call", "speech", "prosody", "alert", "told", "snapshot", "refused")
"""What an overlay draws; transcripts stay where they are."""

Connect = Callable[[str], ClientConnection]
State = Literal["up", "down"]
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
        return f"/events?{urlencode(asked)}"

    def _keep_listening(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                with self._connect(self._path()) as line:
                    self._line = line
                    self.trouble, pause = None, FIRST_PAUSE
                    self._tell("", "up")
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
                self._tell(envelope.partitionkey, event)


def _reason(wrong: Exception) -> str:
    if isinstance(wrong, InvalidStatus):
        return f"the hub refused the line ({wrong.response.status_code})"
    if isinstance(wrong, ConnectionClosed):
        return "the line broke"
    return "the hub does not answer"
