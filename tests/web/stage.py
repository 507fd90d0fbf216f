"""A real hub on a real port, in a thread of its own, fed with calls by the tests and the picture maker."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from monitor.events import CallStarted, Command, CommandApplied, Event
from monitor.hub.hub import Hub
from monitor.hub.log import EventLog
from monitor.hub.server import HubServer, listening
from monitor.sinks import Line
from monitor.wire.addresses import Address

TIME = "2026-01-05T09:00:00.000Z"


def started(call: str, agent: str | None = None, team: str | None = None) -> CallStarted:
    """The beginning of a call."""
    return CallStarted(
        call=call, sources=("test",), rate=8000, band="narrow", model="script", rules_hash="0" * 12,
        profile="default", agent=agent, team=team,
    )  # fmt: skip


class Stage:
    """A hub that can be killed and started again on its port, with its log."""

    def __init__(self, log: Path | None = None, secret: str | None = None) -> None:
        self._log = log
        self._secret = secret
        self._numbers: dict[str, int] = {}
        self._port = 0
        self.orders: list[tuple[str, Command]] = []
        self.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Opens the door; returns when it is open."""
        opened = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(opened)))
        self._thread.start()
        assert opened.wait(30), "the hub did not open"

    def stop(self) -> None:
        """Ends the hub; its listeners lose their connections."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(30)
        self._loop.close()

    def say(self, call: str, *events: Event) -> None:
        """Publishes the next events of a call; returns when the hub has taken them."""
        self._do(lambda: self.say_inside(call, *events))

    def say_inside(self, call: str, *events: Event) -> None:
        """The same, from within the hub's own loop."""
        self.hub.take(list(self._numbered(call, events)))

    def run_inside(self, act: Callable[[], Coroutine[Any, Any, None]]) -> "Future[None]":
        """Starts something in the hub's own loop."""
        return asyncio.run_coroutine_threadsafe(act(), self._loop)

    def answer(self, call: str, *, echo: bool = True) -> None:
        """Takes the orders for a call; ``echo`` says each of them again, as a call's core does."""

        def take(order: Command) -> None:
            self.orders.append((call, order))
            if echo:
                self._loop.call_soon(self.hub.take, list(self._numbered(call, [told(order)])))

        self._do(lambda: self.hub.take_commands(call, take))

    def _numbered(self, call: str, events: Iterable[Event]) -> Iterable[Line]:
        for event in events:
            self._numbers[call] = self._numbers.get(call, 0) + 1
            yield Line(call, self._numbers[call], event, TIME)

    def _do(self, action: Callable[[], Any]) -> None:
        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result(30)

    async def _serve(self, opened: threading.Event) -> None:
        log = EventLog(self._log)
        self.hub = Hub(log)
        door = HubServer(address=Address("127.0.0.1", self._port), secret=self._secret)
        with contextlib.closing(log):
            async with listening(self.hub, door) as address:
                self._port = address.port
                opened.set()
                await self._stopping.wait()


def told(order: Command) -> CommandApplied:
    """What the core says when an order reached it."""
    return CommandApplied(
        detected_at=12.5, at=12.5, kind=order.kind, alert=order.alert, text=order.text, by=order.by
    )
