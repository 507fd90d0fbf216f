"""A call on its way to a hub: breaks of the line, dead hubs, dead monitors. Real sockets, real files."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from monitor import clock
from monitor.client.address import HubAddress, parse_hub
from monitor.client.spool import Spool, path_of
from monitor.client.uplink import Uplink
from monitor.errors import BadInput
from monitor.events import Command, Event
from monitor.hub.access import mint
from monitor.hub.log import EventLog
from monitor.sinks import CommandSource, Line
from monitor.wire.addresses import Address
from monitor.wire.messages import CallIdentity
from tests.hub.hubs import (
    SECRET,
    a_hub,
    alert,
    alerts_in,
    arrivals,
    ended,
    level,
    next_line,
    next_lines,
    said,
    started,
    true,
    until,
)

ANNA = CallIdentity(call="c1", agent="anna", team="north")


def numbered(*events: Event, first: int = 1) -> list[Line]:
    return [Line("c1", number, event) for number, event in enumerate(events, first)]


def long_ago(path: Path) -> None:
    """As if it had been written a minute ago."""
    at = clock.unix() - 60
    os.utime(path, (at, at))


def there(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def stored(log: EventLog) -> list[tuple[str, int]]:
    """(call, the publisher's number) of everything in a log."""
    return [
        (call, int(json.loads(line)["id"].rpartition("/")[2])) for _, call, line in log.since(0, 10_000_000)
    ]


async def test_a_call_arrives_whole_and_its_buffer_goes(tmp_path: Path):
    async with a_hub() as place:
        uplink = Uplink(HubAddress(place.url), ANNA, tmp_path)
        uplink.take(numbered(started("c1"), level(1.0), alert(1), said(1, "half", final=False), alert(2)))
        uplink.take(numbered(ended(), first=6))
        await asyncio.to_thread(uplink.close)
        assert stored(place.hub.log) == [("c1", n) for n in (1, 3, 5, 6)]
        assert place.hub.log.whose("c1") == ("anna", "north")
    assert uplink.left == 0
    assert there(tmp_path) == []


async def test_a_listener_sees_levels_while_the_line_stands(tmp_path: Path):
    async with a_hub() as place, place.listener("?kind=prosody") as listener:
        await next_line(listener)
        uplink = Uplink(HubAddress(place.url), ANNA, tmp_path)
        uplink.take(numbered(started("c1")))
        await true(lambda: place.hub.log.last == 1)
        uplink.take(numbered(level(1.0), first=2))
        assert (await next_line(listener))["data"]["at"] == 1.0
        await asyncio.to_thread(uplink.close)


async def test_what_is_private_to_the_agent_is_neither_sent_nor_written(tmp_path: Path):
    secret = alert(7, private=True, to=("agent",), summary="secret of the agent")
    async with a_hub() as place, place.listener("?role=agent") as agent:
        await next_line(agent)
        uplink = Uplink(HubAddress(place.url), ANNA, tmp_path)
        uplink.take(numbered(started("c1"), secret, alert(1)))
        on_disk = b"".join(path.read_bytes() for path in there(tmp_path))
        assert b"secret of the agent" not in on_disk
        assert alerts_in(await next_lines(agent, 2)) == ["a1"]
        await asyncio.to_thread(uplink.close)


async def test_a_hub_that_was_away_gets_everything_once_in_order(tmp_path: Path):
    kept = tmp_path / "hub.db"
    async with a_hub(EventLog(kept)) as place:
        port = place.address.port
        uplink = Uplink(HubAddress(place.url), ANNA, tmp_path / "up")
        uplink.take(numbered(started("c1"), *[alert(n) for n in range(100)]))
        await true(lambda: place.hub.log.last == 101)
        place.hub.log.close()
    uplink.take(numbered(*[alert(n) for n in range(100, 3100)], first=102))
    async with a_hub(EventLog(kept), address=Address("127.0.0.1", port)) as place:
        await true(lambda: place.hub.log.last == 3101)
        uplink.take(numbered(ended(), first=3102))
        await asyncio.to_thread(uplink.close)
        assert stored(place.hub.log) == [("c1", n) for n in range(1, 3103)]


async def test_a_hub_that_never_answers_keeps_nobody_waiting_and_nothing_is_lost(tmp_path: Path):
    away = HubAddress("ws://127.0.0.1:1")
    uplink = Uplink(away, ANNA, tmp_path, patience=0.2)
    uplink.take(numbered(started("c1"), alert(1)))
    await asyncio.to_thread(uplink.close)
    for path in there(tmp_path):
        long_ago(path)
    assert uplink.left == 2
    assert uplink.trouble
    async with a_hub() as place:
        later = Uplink(HubAddress(place.url), CallIdentity(call="c2"), tmp_path)
        await asyncio.to_thread(later.close)
        assert stored(place.hub.log) == [], "what is for one hub is not sent to another"
    assert len(there(tmp_path)) == 1, "and what was empty is not kept"


async def test_what_a_killed_monitor_left_is_sent_by_the_next_and_its_call_ends_with_the_reason(
    tmp_path: Path,
):
    async with a_hub() as place:
        hub = HubAddress(place.url)
        left = Spool(path_of(tmp_path, "c1"))
        left.begin(hub.url, ANNA)
        left.put([(line.sequence, line.json) for line in numbered(started("c1"), alert(1, at=7.5))])
        left.close()
        long_ago(left.path)
        uplink = Uplink(hub, CallIdentity(call="c2", agent="anna", team="north"), tmp_path)
        async with place.listener("?since=0&call=c1") as listener:
            got = await until(listener, "call.ended")
        await asyncio.to_thread(uplink.close)
        assert alerts_in(got) == ["a1"]
        assert "stopped before the call ended" in got[-1]["data"]["notice"]
        assert got[-1]["data"]["seconds"] == 7.5


async def test_what_an_earlier_version_left_is_neither_sent_nor_lost_and_stops_nobody(tmp_path: Path):
    """Its events have other names of fields; they would arrive without their times."""
    former = (
        b'{"specversion":"1.0","id":"c1/1","source":"/calls/c1","type":"monitor.gap","sequence":"1",'
        b'"partitionkey":"c1","data":{"known":3.5,"channel":"caller","at":3.0,"seconds":0.5}}'
    )
    async with a_hub() as place:
        hub = HubAddress(place.url)
        for name in ("c1", "c3"):
            left = Spool(path_of(tmp_path, name))
            left.begin(hub.url, CallIdentity(call=name, agent="anna", team="north"))
            lines = [(1, former)] if name == "c1" else [(1, Line(name, 1, started(name)).json)]
            left.put(lines)
            left.close()
        os.utime(path_of(tmp_path, "c1"), (clock.unix() - 90, clock.unix() - 90))  # the first in line
        long_ago(path_of(tmp_path, "c3"))
        uplink = Uplink(hub, CallIdentity(call="c2", agent="anna", team="north"), tmp_path)
        await true(lambda: ("c3", 2) in stored(place.hub.log))
        await asyncio.to_thread(uplink.close)
        assert {call for call, _ in stored(place.hub.log)} == {"c3"}
    assert there(tmp_path) == [path_of(tmp_path, "c1")]


async def test_a_buffer_that_another_monitor_fills_is_left_alone(tmp_path: Path):
    async with a_hub() as place:
        hub = HubAddress(place.url)
        first = Uplink(hub, ANNA, tmp_path)
        second = Uplink(hub, CallIdentity(call="c2"), tmp_path)
        first.take(numbered(started("c1")))
        await asyncio.to_thread(second.close)
        first.take(numbered(alert(1), ended(), first=2))
        await asyncio.to_thread(first.close)
        assert [number for call, number in stored(place.hub.log) if call == "c1"] == [1, 2, 3]


async def test_orders_of_people_come_back_to_the_call(tmp_path: Path):
    orders: list[Command] = []
    async with a_hub() as place, place.listener() as listener:
        uplink = Uplink(HubAddress(place.url), ANNA, tmp_path)
        assert isinstance(uplink, CommandSource)
        uplink.take_commands("c1", orders.append)
        uplink.take(numbered(started("c1")))
        await true(lambda: place.hub.log.last == 1)
        await listener.send(json.dumps({"call": "c1", "order": {"kind": "message", "text": "well done"}}))
        await true(lambda: orders)
        await asyncio.to_thread(uplink.close)
    assert orders[0].text == "well done"


async def test_a_hub_that_holds_another_call_of_this_name_is_not_written_to(tmp_path: Path):
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), *[alert(n) for n in range(9)]]))
        told: list[str] = []
        uplink = Uplink(HubAddress(place.url), ANNA, tmp_path, tell=told.append)
        uplink.take(numbered(started("c1")))
        await asyncio.to_thread(uplink.close)
        assert told == ["the hub already holds another call of this name"]
        assert place.hub.log.last == 10
        assert "another call" in (uplink.trouble or "")


async def test_a_wrong_token_is_told_without_repeating_it(tmp_path: Path):
    async with a_hub(secret=SECRET) as place:
        wrong = mint("x" * 40, role="agent", agent="anna", teams=("north",), seconds=60)
        uplink = Uplink(HubAddress(place.url, lambda: wrong), ANNA, tmp_path, patience=0.5)
        uplink.take(numbered(started("c1")))
        await true(lambda: uplink.trouble)
        await asyncio.to_thread(uplink.close)
        assert "not valid here" in (uplink.trouble or "")
        assert wrong not in (uplink.trouble or "")
        assert wrong not in repr(HubAddress(place.url, lambda: wrong))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ws://127.0.0.1:8765", "ws://127.0.0.1:8765"),
        ("localhost:9000", "ws://localhost:9000"),
        ("http://127.0.0.1:8765/", "ws://127.0.0.1:8765"),
        ("ws://[::1]:8765/publish", "ws://[::1]:8765"),
        ("wss://hub.example", "wss://hub.example:443"),
        ("https://hub.example/monitor/", "wss://hub.example:443/monitor"),
    ],
)
def test_addresses_that_people_write(text: str, url: str):
    assert parse_hub(text, lambda: "a token").url == url


@pytest.mark.parametrize(
    "text",
    ["", "ws://", "ftp://127.0.0.1", "ws://127.0.0.1:port", "ws://a:b@127.0.0.1", "ws://[::1", "ws://10.0.0.1",
     "http://hub.example", "ws://127.0.0.1:99999"],
)  # fmt: skip
def test_addresses_that_lead_nowhere_or_in_the_clear_are_refused(text: str):
    with pytest.raises(BadInput):
        parse_hub(text, lambda: "a token")


def test_another_machine_wants_a_token():
    with pytest.raises(BadInput, match="token"):
        parse_hub("wss://hub.example")
