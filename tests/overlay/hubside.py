"""A real hub beside an overlay: in a thread of its own, so that it can be stopped and started again."""

import asyncio
import threading
from collections.abc import Iterable

from monitor.events import Command, Event
from monitor.hub.hub import Hub
from monitor.hub.log import EventLog
from monitor.hub.server import HubServer, listening
from monitor.wire.addresses import Address
from tests.hub.hubs import arrivals


class HubThread:
    """A hub on loopback. ``orders`` are what listeners asked of its call."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.orders: list[Command] = []
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._hub: Hub | None = None
        self._said = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def listeners(self) -> int:
        assert self._hub
        return self._hub.listeners

    def say(self, call: str, events: Iterable[Event]) -> None:
        """Publishes the call's next events."""
        wired = arrivals(call, events, self._said + 1)
        self._said += len(wired)
        assert self._loop
        asyncio.run_coroutine_threadsafe(self._publish(call, wired), self._loop).result(30)

    def stop(self) -> None:
        if self._loop and self._stop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _publish(self, call: str, wired: list) -> None:
        assert self._hub
        self._hub.publish(call, wired)
        self._hub.take_commands(call, self.orders.append)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._hub = Hub(EventLog())
        async with listening(self._hub, HubServer(address=Address("127.0.0.1", self.port))) as address:
            self.port = address.port
            self._ready.set()
            await self._stop.wait()
