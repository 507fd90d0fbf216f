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

from monitor.errors import BadInput
from monitor.events import Command, Event, Snapshot
from monitor.wire import envelope as wire

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between attempts to connect: doubled each time, and shortened by up to half at random."""

KINDS = ("call", "speech", "prosody", "alert", "told", "snapshot", "refused")
"""What an overlay draws; transcripts stay where they are."""

HUB = "hub"
"""The partition of what the hub itself says; it has no place in the log."""

Connect = Callable[[str], ClientConnection]
State = Literal["up", "back", "down", "refused"]
"""The line stands, stands again with what was missed to come, broke, or is one that the hub will not have."""
REFUSED_FOR_GOOD = (400, 401, 403, 404)
POLICY_VIOLATION = 1008

Tell = Callable[[str, Event | State], None]
"""Takes the call and the event, or what became of the line."""


class Link:
    """Listens to the calls of one agent (or, on one's own machine, to whichever call there is)."""

    def __init__(
        self,
        connect: Connect,
        tell: Tell,
        agent: str | None = None,
        *,
        why: Callable[[Exception], str] = lambda _: "the hub does not answer",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``why`` puts what went wrong into words; ``say`` is given them for people, each trouble once."""
        self.trouble: str | None = None
        """Why the line does not stand, for people."""
        self._connect = connect
        self._why = why
        self._say = say
        self._tell = tell
        self._agent = agent
        self._since: int | None = None
        self._log: str | None = None
        self._line: ClientConnection | None = None
        self._said: set[str] = set()
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

    def send(self, call: str, order: Command) -> bool:
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
            state: State = "down"
            try:
                with self._connect(self._path()) as line:
                    self._line = line
                    self.trouble, pause = None, FIRST_PAUSE
                    self._said.clear()
                    self._tell("", "up" if self._since is None else "back")
                    self._listen(line)
            except (OSError, WebSocketException, TimeoutError, BadInput) as wrong:
                state = self._troubled(wrong)
            finally:
                self._line = None
            if not self._stopped.is_set():
                self._tell("", state)
            self._stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            pause = min(LONGEST_PAUSE, pause * 2)

    def _troubled(self, wrong: Exception) -> State:
        """What became of the line; people are told why, once."""
        plain = isinstance(wrong, BadInput)  # the token's file cannot be read just now
        trouble = str(wrong).rstrip(".") if plain else self._why(wrong)
        if trouble not in self._said:
            self._said.add(trouble)
            self._say(f"No line to the hub: {trouble}.")
        self.trouble = trouble
        return "refused" if plain or _is_refused(wrong) else "down"

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


def _is_refused(wrong: Exception) -> bool:
    """Whether coming back in the same way would end the same way."""
    if isinstance(wrong, InvalidStatus):
        return wrong.response.status_code in REFUSED_FOR_GOOD
    return bool(isinstance(wrong, ConnectionClosed) and wrong.rcvd and wrong.rcvd.code == POLICY_VIOLATION)
