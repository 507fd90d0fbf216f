"""A listener that is slow, stuck or gone: alerts wait for it, looks do not, and nobody else waits at all."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from websockets.exceptions import ConnectionClosed

from monitor.hub import listener as listening
from monitor.hub.entry import LogEntry
from monitor.hub.limits import Bucket
from monitor.hub.listener import EPHEMERAL_BYTES, EPHEMERAL_SECONDS, BatchedDelivery
from monitor.hub.log import EventLog
from tests.hub.hubs import (
    SOON,
    Place,
    a_hub,
    alert,
    alerts_in,
    arrivals,
    kinds,
    level,
    next_line,
    next_lines,
    started,
    true,
)


async def stuck_listener(place: Place, query: str = ""):
    """A listener who has read the snapshot and then reads nothing more."""
    connection = await place.listener(query, max_queue=1)
    await next_line(connection)
    connection.transport.pause_reading()
    return connection


def flood(place: Place, first: int, count: int) -> int:
    """So many alerts with long reasons; the next number."""
    events = [alert(n, summary="because " * 2500) for n in range(first, first + count)]
    place.hub.publish("c1", arrivals("c1", events, first=first))
    return first + count


async def test_a_stuck_listener_changes_nothing_for_the_others_and_is_let_go_with_the_way_back(monkeypatch):
    monkeypatch.setattr(listening, "MOST_WAITING", 500)
    async with a_hub() as place, place.listener(max_queue=None) as brisk:
        await next_line(brisk)
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        stuck = await stuck_listener(place)
        got = [await next_line(brisk)]
        number = 2
        while not place.hub.metrics.value("monitor_let_go_total"):
            number = flood(place, number, 50)
            got += await next_lines(brisk, 50)
        assert alerts_in(got) == [f"a{n}" for n in range(2, number)]
        stuck.transport.resume_reading()
        had: list[str] = []
        with pytest.raises(ConnectionClosed) as gone:
            await collect(stuck, had)
        assert gone.value.rcvd
        assert gone.value.rcvd.code == 1013
        since = int(gone.value.rcvd.reason.rpartition("=")[2])
        async with place.listener(f"?since={since}") as back:
            while len(had) < number - 2:
                had += alerts_in([await next_line(back)])
        assert had == [f"a{n}" for n in range(2, number)], "what it had and what it resumed are the whole"


async def collect(connection, had: list[str]) -> None:
    async with asyncio.timeout(SOON):
        while True:
            had += alerts_in([json.loads(await connection.recv())])


async def test_for_a_slow_listener_looks_are_left_out_and_told_and_alerts_wait(monkeypatch):
    monkeypatch.setattr(listening, "MOST_WAITING", 100_000)
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        slow = await stuck_listener(place)
        number = flood(place, 2, 1000)
        for at in range(5):
            place.hub.publish("c1", arrivals("c1", [level(float(at))], first=number))
            await asyncio.sleep(EPHEMERAL_SECONDS * 1.5)
        slow.transport.resume_reading()
        got = []
        while "dropped" not in kinds(got):
            got.append(await next_line(slow))
        assert alerts_in(got) == [f"a{n}" for n in range(2, number)]
        looks = [line["data"]["at"] for line in got if line["type"] == "monitor.prosody"]
        assert looks == [4.0]
        assert got[-1]["data"]["lines"] == 4
        await slow.close()


async def test_a_listener_that_vanishes_is_forgotten():
    async with a_hub() as place:
        vanishing = await place.listener()
        await next_line(vanishing)
        assert place.hub.listeners == 1
        vanishing.transport.abort()
        await true(lambda: place.hub.listeners == 0)
        place.hub.publish("c1", arrivals("c1", [started("c1")]))


async def test_listeners_with_the_same_eyes_are_asked_once():
    async with a_hub() as place:
        many = [await place.listener("?team=north") for _ in range(20)]
        for connection in many:
            await next_line(connection)
        assert len(place.hub._audiences) == 1
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        for connection in many:
            assert (await next_line(connection))["type"] == "monitor.call.started"
            await connection.close()
        await true(lambda: not place.hub._audiences)


def looks(count: int) -> list[LogEntry]:
    log = EventLog()
    return [
        log.append("c", arrivals("c", [level(n / 10, side)]))[0]
        for n in range(count)
        for side in ("agent", "caller")
    ]


async def test_looks_are_handed_out_in_beats_the_newest_of_each_subject():
    batches: list[Sequence[LogEntry]] = []
    delivery = BatchedDelivery(lambda batch: batches.append(batch) or 0)
    for entry in looks(30):
        delivery.put(entry)
    await true(lambda: batches)
    assert [(entry.event.channel, entry.event.at) for entry in batches[0]] == [
        ("agent", 2.9),
        ("caller", 2.9),
    ]
    assert delivery.coalesced == 58


async def test_what_must_arrive_does_not_wait_for_the_next_look():
    batches: list[Sequence[LogEntry]] = []
    delivery = BatchedDelivery(lambda batch: batches.append(batch) or 0)
    log = EventLog()
    delivery.put(looks(1)[0])
    await true(lambda: len(batches) == 1)
    delivery.put(looks(1)[0])
    for entry in log.append("c", arrivals("c", [started("c"), alert(1)])):
        delivery.put(entry)
    await true(lambda: len(batches) == 3)
    assert kinds_of(batches) == [["prosody"], ["call.started", "alert.opened"], ["prosody"]]


async def test_looks_come_less_often_when_they_fill_the_line():
    batches: list[Sequence[LogEntry]] = []
    delivery = BatchedDelivery(lambda batch: batches.append(batch) or int(EPHEMERAL_BYTES * 3600))
    delivery.put(looks(1)[0])
    await true(lambda: len(batches) == 1)
    delivery.put(looks(1)[0])
    for entry in EventLog().append("c", arrivals("c", [started("c")])):
        delivery.put(entry)
    await true(lambda: len(batches) == 2)
    assert kinds_of(batches) == [["prosody"], ["call.started"]]
    delivery.drop_ephemeral("c")


def kinds_of(batches: list[Sequence[LogEntry]]) -> list[list[str]]:
    return [[entry.event.name for entry in batch] for batch in batches]


async def test_a_listener_that_comes_while_lines_wait_for_their_beat_gets_none_of_them_twice():
    async with a_hub() as place, place.listener() as early:
        await next_line(early)
        place.hub._delivery._not_before = asyncio.get_running_loop().time() + 0.5
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1)]))
        async with place.listener() as fresh, place.listener("?since=1") as back:
            (call,) = (await next_line(fresh))["data"]["calls"]
            assert [a["alert"] for a in call["alerts"]] == ["a1"]
            assert alerts_in([await next_line(back)]) == ["a1"]
            place.hub.publish("c1", arrivals("c1", [alert(2)], first=3))
            assert alerts_in([await next_line(fresh)]) == ["a2"]
            assert alerts_in([await next_line(back)]) == ["a2"]
        assert alerts_in([await next_line(early) for _ in range(3)]) == ["a1", "a2"]


def test_a_bucket_lets_a_burst_through_and_then_a_pace(monkeypatch):
    from monitor import clock

    now = [100.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    bucket = Bucket(rate=10.0, burst=5)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    now[0] += 0.25
    assert [bucket.take() for _ in range(4)] == [True, True, False, False]
    now[0] += 60
    assert sum(bucket.take() for _ in range(20)) == 5
