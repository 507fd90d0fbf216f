"""The overlay's connection to the hub: a thread that runs a ``HubClient`` and passes on its events.

The first connection begins with a snapshot. A later one resumes, so that a supervisor's message sent
meanwhile still arrives; if the hub cannot resume (it was restarted), it sends a snapshot again.
Events and changes of the connection are passed to ``tell`` in this thread; a Qt signal moves them to the
window's thread.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from typing import Literal

from monitor.client.address import HubAddress
from monitor.client.hub_client import Connected, ConnectionStatus, Disconnected, HubClient
from monitor.events import Command, Event

KINDS = ("call", "speech", "prosody", "alert", "told", "snapshot", "refused")
"""The events that the overlay subscribes to; it needs no transcripts."""

SEND_SECONDS = 1.0
"""Time-out in seconds for sending a command."""

STOP_SECONDS = 2.0

State = Literal["up", "back", "down", "refused"]
"""Connected, reconnected with missed events to follow, disconnected, or refused by the hub."""

Tell = Callable[[str, Event | State], None]
"""A callback that takes the call and the event, or the new state of the connection."""


class Link:
    """Follows the calls of ``agent``; of any agent if it is null."""

    def __init__(
        self,
        hub: HubAddress,
        tell: Tell,
        agent: str | None = None,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``say`` gets each reason for a missing connection once, as a sentence for people."""
        self.trouble: str | None = None
        """Why there is no connection, for people."""
        self._client = HubClient(hub)
        self._filters = {"role": ["agent"], "kind": list(KINDS), "agent": [agent] if agent else []}
        self._tell = tell
        self._say = say
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="overlay-link", daemon=True)
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(RuntimeError):  # the loop has already ended
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(STOP_SECONDS)

    def send(self, call: str, command: Command) -> bool:
        """Sends an order of the agent; returns False without a connection."""
        sending = asyncio.run_coroutine_threadsafe(self._client.send_command(call, command), self._loop)
        try:
            return sending.result(SEND_SECONDS)
        except (TimeoutError, concurrent.futures.CancelledError):
            return False

    # --- in the thread ---

    def _run(self) -> None:
        with (
            asyncio.Runner(loop_factory=lambda: self._loop) as runner,
            contextlib.suppress(asyncio.CancelledError),
        ):
            runner.run(self._follow())

    def _cancel(self) -> None:
        if self._following:
            self._following.cancel()

    async def _follow(self) -> None:
        self._following = asyncio.current_task()
        status = ConnectionStatus(self._changed)
        async with contextlib.aclosing(self._client.follow(self._filters)) as news:
            async for one in news:
                match one:
                    case Connected():
                        status.stands()
                        self._tell("", "back" if one.resumed else "up")
                    case Disconnected():
                        status.lost(one.reason)
                        self.trouble = one.reason
                        self._tell("", "refused" if one.refused else "down")
                    case _:
                        self._tell(one.call, one.event)

    def _changed(self, trouble: str | None) -> None:
        self.trouble = trouble
        if trouble:
            self._say(f"No connection to the hub: {trouble}.")
