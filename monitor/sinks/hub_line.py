"""A live monitor's hub over the day: who sits there is told how the line stands, and what waits is sent."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from monitor.sinks.hub_address import HubAddress
from monitor.sinks.spool import left_behind
from monitor.sinks.uplink import Leftovers

LOOK = 10.0
"""Seconds between two looks for what earlier calls could not send."""
LONGEST_LOOK = 600.0
"""The same where what waits cannot be sent, for a reason of its own."""
BEAT = 0.2


class HubLine:
    """``say`` takes a sentence for people; ``folder`` holds what waits for the hub."""

    def __init__(self, hub: HubAddress, folder: Path, say: Callable[[str], None]) -> None:
        self._hub = hub
        self._folder = folder
        self._say = say
        self._stands = asyncio.Event()
        self._told = False

    def tell(self, trouble: str | None) -> None:
        """The line stands (None), or does not, and why."""
        if trouble is not None:
            self._stands.clear()
            self._told = True
            self._say(
                f"No line to the hub: {trouble}. Calls are heard all the same; what is for the hub waits on "
                "this machine."
            )
            return
        self._stands.set()
        if self._told:
            self._told = False
            self._say("The line to the hub stands.")

    async def send_what_waits(self) -> None:
        """Whenever the line stands, sends what killed monitors and broken lines left; until cancelled."""
        pause, before = LOOK, 0
        while True:
            await self._stands.wait()
            waiting = len(left_behind(self._folder))
            if waiting:
                leftovers = Leftovers(self._hub, self._folder)
                while leftovers.busy:  # noqa: ASYNC110 - a thread that dies with the process has no event
                    await asyncio.sleep(BEAT)
            pause = min(LONGEST_LOOK, pause * 2) if 0 < before <= waiting else LOOK
            before = waiting
            await asyncio.sleep(pause)
