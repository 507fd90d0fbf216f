"""A flood of connections: bounded, and those inside get every alert (`benchmarks/fanout.py`: how soon)."""

import asyncio
import contextlib
import errno
import multiprocessing
import socket
import struct
import time
from multiprocessing.connection import Connection

import pytest

from monitor.hub.limits import AT_A_TIME, AcceptLimiter, ConnectionLimiter, Limits, connection_limiters
from tests.hub.hubs import SOON, Place, a_hub, alert, alerts_in, arrivals, ask, next_line, started

RATE = 10_000
"""Connections a second that are begun at most; a slow machine begins fewer, and takes longer."""
KNOCKING, WAITING = 15_000, 2_000
"""Connections in all."""

forks = multiprocessing.get_context("spawn")


def flood(port: int, pipe: Connection, waits: bool) -> None:
    """Connects and goes away, again and again; tells how often.

    Who waits holds out until the hub has a place in its queue, and begins the next one then.
    """
    gone_at_once = struct.pack("ii", 1, 0)  # a reset: no port of ours is left waiting
    began, made, wanted = time.monotonic(), 0, WAITING if waits else KNOCKING
    while made < wanted:
        while made < min(wanted, (time.monotonic() - began) * RATE):
            with socket.socket() as one:
                one.settimeout(0.2 if waits else 0.0)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone_at_once)
                made += one.connect_ex(("127.0.0.1", port)) in (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
        time.sleep(0.001)
    pipe.send(made)


async def turned_away(place: Place) -> float:
    """How many connections the hub counts as turned away, once it lets us in to ask."""
    async with asyncio.timeout(SOON):
        answer = (503, {}, "")
        while answer[0] == 503:
            with contextlib.suppress(
                ConnectionError
            ):  # refused before our request was read: a reset, not a 503
                answer = await ask(place, "/metrics")
            await asyncio.sleep(0.1)
    (line,) = (line for line in answer[2].splitlines() if line.startswith("monitor_turned_away_total "))
    return float(line.split()[1])


@pytest.mark.parametrize("waits", [False, True], ids=["knocking", "waiting to be let in"])
async def test_a_flood_changes_nothing_for_those_who_are_inside(waits: bool):
    limits = Limits(per_source=50, new_at_once=60, new_per_second=5.0)
    async with a_hub(limits=limits) as place, place.listener() as listener:
        await next_line(listener)
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        await next_line(listener)
        ours, theirs = forks.Pipe()
        flooding = forks.Process(target=flood, args=(place.address.port, theirs, waits), daemon=True)
        flooding.start()
        number = 1
        while not ours.poll():
            number += 1
            place.hub.publish("c1", arrivals("c1", [alert(number)], first=number))
            assert alerts_in([await next_line(listener)]) == [f"a{number}"]
            await asyncio.sleep(0.02)
        made = ours.recv()
        flooding.join(SOON)
        assert len(place.hub.log.since(0)) == number, "every alert is in the log, and nothing else"
        assert await turned_away(place) > 0.5 * made, "they came as far as the hub, and no further"


def test_a_listening_socket_refuses_before_anything_is_made_for_anybody_and_lets_others_run():
    limiter = AcceptLimiter(Limits(per_source=3, new_at_once=3, new_per_second=0.001))
    (listening,) = connection_limiters(limiter, "127.0.0.1", 0)
    there = [socket.create_connection(listening.getsockname()[:2]) for _ in range(AT_A_TIME + 10)]
    let_in, breaths = [], 0
    for _ in range(4):
        try:
            while True:
                connection, _ = ConnectionLimiter.accept(listening)
                assert limiter.enter("127.0.0.1")
                let_in.append(connection)
        except BlockingIOError:
            breaths += 1
    assert len(let_in) == 3
    assert limiter.refused == AT_A_TIME + 7
    assert b"503" in there[-1].recv(4096)
    for one in (*there, *let_in, listening):
        one.close()


def test_a_name_with_several_addresses_is_listened_to_at_each_of_them():
    found = connection_limiters(AcceptLimiter(Limits()), "localhost", 0)
    assert len({listening.getsockname()[1] for listening in found}) == 1
    assert len({listening.getsockname()[0] for listening in found}) == len(found)
    for listening in found:
        listening.close()
