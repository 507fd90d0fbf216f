"""Ten thousand connections as fast as one program can make them: bounded, and those inside notice nothing."""

import asyncio
import multiprocessing
import socket
import time
from multiprocessing.connection import Connection

import numpy as np

from monitor.sinks.limits import AT_A_TIME, Gate, Limits, Turnstile, gates
from tests.sinks.hubs import SOON, a_hub, alert, alerts_in, arrivals, next_line, started

CONNECTIONS = 10_000
SECONDS = 4.0
"""The flood ends after so many connections, or after so long on a machine that is busy."""
LATE = 0.5
"""Seconds within which 19 of 20 alerts are in the hands of somebody who was there before."""

forks = multiprocessing.get_context("spawn")


def flood(port: int, pipe: Connection) -> None:
    """Connects and goes away, again and again; tells how often and how long that took."""
    began, made = time.monotonic(), 0
    while made < CONNECTIONS and time.monotonic() - began < SECONDS:
        with socket.socket() as one:
            one.settimeout(0.2)
            try:
                one.connect(("127.0.0.1", port))
            except OSError:
                continue
            made += 1
    pipe.send((made, time.monotonic() - began))


async def test_a_flood_changes_nothing_for_those_who_are_inside():
    limits = Limits(per_source=50, new_at_once=60, new_per_second=5.0)
    async with a_hub(limits=limits) as place, place.listener() as listener:
        await next_line(listener)
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        await next_line(listener)
        ours, theirs = forks.Pipe()
        flooding = forks.Process(target=flood, args=(place.address.port, theirs), daemon=True)
        flooding.start()
        late = []
        number = 1
        while not ours.poll():
            number += 1
            sent = time.monotonic()
            place.hub.publish("c1", arrivals("c1", [alert(number)], first=number))
            assert alerts_in([await next_line(listener)]) == [f"a{number}"]
            late.append(time.monotonic() - sent)
            await asyncio.sleep(0.02)
        made, seconds = ours.recv()
        flooding.join(SOON)
        assert made > 500, f"this was no flood: {made} connections in {seconds:.1f} s"
        assert len(place.hub.log.since(0)) == number, "every alert is in the log, and nothing else"
        assert float(np.percentile(late, 95)) < LATE, (made, seconds, sorted(late)[-5:])


def test_a_gate_turns_away_before_anything_is_made_for_anybody_and_takes_a_breath():
    turnstile = Turnstile(Limits(per_source=3, new_at_once=3, new_per_second=0.001))
    (gate,) = gates(turnstile, "127.0.0.1", 0)
    there = [socket.create_connection(gate.getsockname()[:2]) for _ in range(AT_A_TIME + 10)]
    let_in, breaths = [], 0
    for _ in range(4):
        try:
            while True:
                connection, _ = Gate.accept(gate)
                assert turnstile.enter("127.0.0.1")
                let_in.append(connection)
        except BlockingIOError:
            breaths += 1
    assert len(let_in) == 3
    assert turnstile.refused == AT_A_TIME + 7
    assert b"503" in there[-1].recv(4096)
    for one in (*there, *let_in, gate):
        one.close()


def test_a_name_with_several_addresses_is_listened_to_at_each_of_them():
    found = gates(Turnstile(Limits()), "localhost", 0)
    assert len({gate.getsockname()[1] for gate in found}) == 1
    assert len({gate.getsockname()[0] for gate in found}) == len(found)
    for gate in found:
        gate.close()
