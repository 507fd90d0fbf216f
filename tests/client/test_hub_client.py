"""Coming back to a hub: to another log than before, and to what people said meanwhile."""

from itertools import islice
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from monitor import clock
from monitor.client.address import HubAddress
from monitor.client.hub_client import (
    FIRST_DELAY,
    LONGEST_DELAY,
    Connected,
    Disconnected,
    HubClient,
    HubEvent,
)
from monitor.events import CommandApplied as Message
from monitor.events import Snapshot
from monitor.hub.access import mint
from monitor.hub.log import EventLog
from monitor.wire.addresses import Address
from tests.hub.hubs import SECRET, a_hub, alert, alerts_in, arrivals, lines, next_line, next_lines, started


async def test_a_sequence_of_another_log_starts_afresh_however_far_this_one_has_come():
    """A hub that keeps its log in memory was restarted, and has said more since than the page had heard."""
    async with a_hub() as place, place.listener() as listener:
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1)]))
        before = (await next_line(listener))["data"]
        assert before["notice"] is None
    async with a_hub() as place:
        place.hub.publish("c2", arrivals("c2", [started("c2"), *[alert(n) for n in range(50)]]))
        async with place.listener(f"?since=2&log={before['log']}") as listener:
            line = await next_line(listener)
            assert line["type"] == "monitor.snapshot"
            assert "another log" in line["data"]["notice"]
            assert [call["call"] for call in line["data"]["calls"]] == ["c2"]
            ours = line["data"]["log"]
        async with place.listener(f"?since=2&log={ours}") as listener:
            assert alerts_in(await next_lines(listener, 1)) == ["a1"]


async def test_a_log_on_disk_keeps_its_name(tmp_path: Path):
    names = set()
    for _ in range(2):
        log = EventLog(tmp_path / "hub.db")
        names.add(log.name)
        log.close()
    assert len(names) == 1
    assert EventLog().name not in names


async def test_a_follower_of_a_hub_that_lost_its_log_begins_anew():
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), *[alert(n) for n in range(50)]]))
        client = HubClient(HubAddress(place.url))
        news = client.follow()
        port = place.address.port
        assert isinstance(await anext(news), Connected)
        await anext(news)
        assert client.since == 51
    async with a_hub(address=Address("127.0.0.1", port)) as place:
        place.hub.publish("c2", arrivals("c2", [started("c2"), *[alert(n) for n in range(80)]]))
        while not isinstance(told := await anext(news), HubEvent):
            pass
        assert isinstance(told.event, Snapshot)
        assert (client.since, client.log) == (81, place.hub.log.name)
        await news.aclose()


async def test_a_message_that_came_while_nobody_listened_is_in_the_snapshot_and_in_what_was_missed():
    """A supervisor's word to an agent whose overlay was away just then."""
    words = [
        Message(detected_at=2.0 + n, at=2.0 + n, kind="message", text=f"word {n}", by="dana")
        for n in range(7)
    ]
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        place.hub.publish("c1", arrivals("c1", words, first=2))
        async with place.listener("?role=agent") as overlay:
            (call,) = (await next_line(overlay))["data"]["calls"]
            assert [message["text"] for message in call["messages"]] == [f"word {n}" for n in range(2, 7)]
            assert call["messages"][0]["by"] == "dana"
        async with place.listener("?role=agent&since=1") as back:
            assert [line["data"]["text"] for line in await next_lines(back, 7)] == [w.text for w in words]


async def test_messages_outlive_a_restart_of_a_hub_with_a_file(tmp_path: Path):
    log = EventLog(tmp_path / "hub.db")
    async with a_hub(log) as place:
        told = Message(detected_at=2.0, at=2.0, kind="message", text="Refund is fine.", by="dana")
        place.hub.publish("c1", arrivals("c1", [started("c1"), told]))
    log.close()
    async with a_hub(EventLog(tmp_path / "hub.db")) as place, place.listener() as listener:
        (call,) = (await next_line(listener))["data"]["calls"]
        assert [message["text"] for message in call["messages"]] == ["Refund is fine."]


async def test_a_hub_that_closes_every_connection_at_once_is_not_asked_without_a_pause():
    came: list[float] = []

    async def close(connection: ServerConnection) -> None:
        came.append(clock.monotonic())
        await connection.close(1008, "not for you")

    async with serve(close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        news = HubClient(HubAddress(f"ws://127.0.0.1:{port}")).follow()
        got = [await anext(news) for _ in range(6)]
        await news.aclose()
    refused = Disconnected("the hub closed the connection: not for you", refused=True)
    assert got == [Connected(resumed=False), refused] * 3
    assert came[2] - came[1] >= FIRST_DELAY * 0.9


def test_a_client_never_waits_longer_than_it_says():
    delays = list(islice(HubClient(HubAddress("ws://127.0.0.1:1"))._delays(), 30))
    assert max(delays) == LONGEST_DELAY
    assert delays[-1] == LONGEST_DELAY
    short = HubClient(HubAddress("ws://127.0.0.1:1"), longest_delay=0.1)
    assert max(islice(short._delays(), 30)) <= 0.1


async def test_a_token_is_read_again_for_each_attempt():
    old, new = (
        mint(SECRET, role="supervisor", agent=None, teams=("*",), seconds=seconds) for seconds in (-5, 600)
    )
    tokens = [old, new]
    async with a_hub(secret=SECRET) as place:
        address = HubAddress(place.url, lambda: tokens.pop(0) if len(tokens) > 1 else tokens[0])
        news = HubClient(address).follow()
        first = await anext(news)
        assert isinstance(first, Disconnected)
        assert first.refused
        assert "expired" in first.reason
        assert await anext(news) == Connected(resumed=False)
        await news.aclose()


async def test_a_kind_of_event_from_a_newer_hub_is_left_out():
    async def tell(connection: ServerConnection) -> None:
        await connection.send('{"specversion":"1.0","type":"monitor.mood","sequence":"1"}')
        await connection.send(lines("c1", [started("c1")], first=7).decode())
        await connection.wait_closed()

    async with serve(tell, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = HubClient(HubAddress(f"ws://127.0.0.1:{port}"))
        news = client.follow()
        got = [await anext(news) for _ in range(2)]
        assert isinstance(got[1], HubEvent)
        assert (got[1].call, client.since) == ("c1", 7)
        await news.aclose()
