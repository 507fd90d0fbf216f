"""Real hubs on loopback for the tests, and the small words that fill them."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from monitor.events import (
    AlertClosed,
    AlertOpened,
    CallEnded,
    CallStarted,
    Difficulty,
    Event,
    Prosody,
    Utterance,
    Word,
)
from monitor.hub.entry import Arrival
from monitor.hub.hub import Hub
from monitor.hub.limits import Limits
from monitor.hub.log import EventLog
from monitor.hub.server import HubServer, listening
from monitor.wire import envelope as wire
from monitor.wire.addresses import Address
from tests.alerts import made

SECRET = "a secret of tests that is long enough to sign with"  # noqa: S105 - signs nothing outside the tests
SOON = 60.0
"""Seconds after which something that should have happened has not, on a busy machine."""


@dataclass
class Place:
    """A hub that listens, and how to reach it."""

    hub: Hub
    address: Address
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.address.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.address.port}"

    def listener(self, query: str = "", **options: Any) -> connect:
        return connect(f"{self.url}/events{query}", ssl=self.tls, proxy=None, **options)

    def publisher(self, **options: Any) -> connect:
        return connect(f"{self.url}/publish", ssl=self.tls, proxy=None, **options)

    @contextlib.asynccontextmanager
    async def standing(self, agent: str) -> AsyncIterator[ClientConnection]:
        """A monitor that stands by, and says nothing of its own."""
        async with connect(f"{self.url}/standby", ssl=self.tls, proxy=None) as connection:
            await connection.send(json.dumps({"agent": agent}))
            yield connection


@contextlib.asynccontextmanager
async def a_hub(
    log: EventLog | None = None, *, secret: str | None = None, limits: Limits | None = None, **door: Any
) -> AsyncIterator[Place]:
    """A hub on a free port of loopback while inside."""
    hub = Hub(log or EventLog())
    door.setdefault("address", Address("127.0.0.1", 0))
    opened = HubServer(secret=secret, limits=limits or Limits(), **door)
    async with listening(hub, opened) as address:
        yield Place(hub, address)


def started(call: str, agent: str | None = "anna", team: str | None = "north") -> CallStarted:
    return CallStarted(
        call=call, sources=("test",), rate=8000, band="narrow", model="none", rules_hash="0",
        profile="default", agent=agent, team=team,
    )  # fmt: skip


def ended(at: float = 60.0) -> CallEnded:
    return CallEnded(
        detected_at=at,
        seconds=at,
        talk={"agent": 1.0, "caller": 2.0},
        overlap=0.0,
        silence=0.0,
        interruptions={},
        alerts={},
    )


def alert(number: int, at: float = 1.0, **fields: Any) -> AlertOpened:
    return made(AlertOpened, at, **{"alert": f"a{number}", **fields})


def closed(number: int, at: float = 2.0, **fields: Any) -> AlertClosed:
    opened = alert(number, at, **fields)
    return AlertClosed(**{name: getattr(opened, name) for name in opened.__struct_fields__}, reason="cleared")


def level(at: float, channel: str = "caller") -> Prosody:
    return Prosody(detected_at=at, channel=channel, at=at, level_dbfs=-30.0)


def said(utterance: int, text: str, *, final: bool = True, revision: int = 1) -> Utterance:
    return Utterance(
        detected_at=1.0,
        channel="caller",
        utterance=utterance,
        revision=revision,
        start=0.0,
        end=1.0,
        text=text,
        words=(Word(text, 0.0, 1.0),),
        final=final,
    )


def difficulty(at: float, score: float) -> Difficulty:
    return Difficulty(detected_at=at, at=at, score=score, parts={})


def arrivals(call: str, events: Iterable[Event], first: int = 1) -> list[Arrival]:
    """Events as they come from a publisher, numbered from ``first``."""
    return [
        Arrival(number, *wire.decode(wire.encode(event, call=call, sequence=number)))
        for number, event in enumerate(events, first)
    ]


def lines(call: str, events: Iterable[Event], first: int = 1) -> bytes:
    """The same as one message to the hub."""
    return b"\n".join(
        wire.encode(event, call=call, sequence=number) for number, event in enumerate(events, first)
    )


async def next_line(connection: ClientConnection) -> dict[str, Any]:
    """The next line that a listener gets."""
    async with asyncio.timeout(SOON):
        return json.loads(await connection.recv())


async def next_lines(connection: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [await next_line(connection) for _ in range(count)]


async def until(connection: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Lines up to the first of a kind, with it."""
    got: list[dict[str, Any]] = []
    while not got or got[-1]["type"] != f"monitor.{kind}":
        got.append(await next_line(connection))
    return got


def kinds(got: Iterable[dict[str, Any]]) -> list[str]:
    return [line["type"].removeprefix("monitor.") for line in got]


def alerts_in(got: Iterable[dict[str, Any]]) -> list[str]:
    return [line["data"]["alert"] for line in got if line["type"].startswith("monitor.alert.opened")]


async def publish(connection: ClientConnection, call: str, agent: str = "anna", team: str = "north") -> int:
    """Announces a call; where the hub says to go on."""
    await connection.send(json.dumps({"call": call, "agent": agent, "team": team}))
    return int((await next_line(connection))["resume"])


async def true(condition: Any) -> None:
    """Waits until a condition of the event loop's own state holds."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 - the hub rings no bell for what a test wants to know
            await asyncio.sleep(0.01)


async def ask(place: Place, path: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of a GET."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.address.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{place.address.port}\r\n\r\n".encode())
    async with asyncio.timeout(SOON):
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    first, *rest = head.split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body
