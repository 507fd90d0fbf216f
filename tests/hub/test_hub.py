"""What a listener of the hub is given, and who takes what it says. Real websockets on loopback."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from monitor.events import Command, SpeechEnded
from monitor.hub.access import LOCAL, StreamFilter, Viewer, mint
from monitor.hub.log import EventLog
from tests.hub.hubs import (
    SECRET,
    a_hub,
    alert,
    alerts_in,
    arrivals,
    closed,
    difficulty,
    ended,
    kinds,
    level,
    lines,
    next_line,
    next_lines,
    publish,
    said,
    started,
    true,
    until,
)


def bearer(role: str, *, agent: str | None = None, teams: tuple[str, ...] = ()) -> dict[str, str]:
    token = mint(SECRET, role=role, agent=agent, teams=teams, seconds=600)
    return {"Authorization": f"Bearer {token}"}


async def test_a_fresh_listener_gets_the_open_calls_with_their_open_alerts_and_then_the_stream():
    async with a_hub() as place:
        events = [started("c1"), alert(1), alert(2), closed(1), difficulty(5.0, 31.0)]
        place.hub.publish("c1", arrivals("c1", events))
        async with place.listener() as listener:
            first = await next_line(listener)
            assert first["type"] == "monitor.snapshot"
            (call,) = first["data"]["calls"]
            assert (call["call"], call["agent"], call["team"]) == ("c1", "anna", "north")
            assert [a["alert"] for a in call["alerts"]] == ["a2"]
            assert call["difficulty"]["score"] == 31.0
            place.hub.publish("c1", arrivals("c1", [alert(3)], first=6))
            line = await next_line(listener)
            assert line["data"]["alert"] == "a3"
            assert int(line["sequence"]) == first["data"]["sequence"] + 1


async def test_one_that_comes_back_gets_what_it_missed_and_nothing_twice():
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1)]))
        async with place.listener() as listener:
            since = (await next_line(listener))["data"]["sequence"]
        place.hub.publish("c1", arrivals("c1", [alert(n) for n in range(2, 2502)], first=3))
        async with place.listener(f"?since={since}") as listener:
            missed = await next_lines(listener, 2500)
            place.hub.publish("c1", arrivals("c1", [ended()], first=2503))
            last = await next_line(listener)
        assert alerts_in(missed) == [f"a{n}" for n in range(2, 2502)]
        numbers = [int(line["sequence"]) for line in missed]
        assert numbers == list(range(since + 1, since + 2501))
        assert last["type"] == "monitor.call.ended"


async def test_nothing_falls_between_what_was_missed_and_what_comes():
    """Lines are published all the while a listener catches up."""
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1")]))

        async def go_on() -> None:
            for number in range(2, 1502):
                place.hub.publish("c1", arrivals("c1", [alert(number)], first=number))
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            going = tasks.create_task(go_on())
            got: list[str] = []
            since = 1
            while not (going.done() and len(got) == 1500):
                async with place.listener(f"?since={since}") as listener:
                    for line in await next_lines(listener, min(300, 1500 - len(got))):
                        got += alerts_in([line])
                        since = int(line["sequence"])
        assert got == [f"a{n}" for n in range(2, 1502)]


async def test_a_sequence_that_the_log_does_not_have_any_more_starts_afresh():
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), *[alert(n) for n in range(50)]]))
        place.hub.log.retain(days=30, megabytes=0.001)
        for since, why in ((1, "no longer kept"), (10**9, "another log"), (-4, "no longer kept")):
            async with place.listener(f"?since={since}") as listener:
                line = await next_line(listener)
                assert line["type"] == "monitor.snapshot"
                assert why in line["data"]["notice"]


async def test_a_sequence_of_another_log_is_not_taken_for_one_of_this():
    async with a_hub() as before, before.listener() as listener:
        first = await next_line(listener)
        before.hub.publish("c1", arrivals("c1", [started("c1"), alert(1)]))
        names = [first["data"]["log"]]
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1), alert(2)]))
        async with place.listener(f"?since=2&log={names[0]}") as listener:
            snapshot = await next_line(listener)
            assert snapshot["type"] == "monitor.snapshot"
            assert snapshot["data"]["log"] != names[0]
        async with place.listener(f"?since=2&log={snapshot['data']['log']}") as listener:
            assert (await next_line(listener))["data"]["alert"] == "a2"


async def test_a_log_in_a_file_keeps_its_name_and_a_snapshot_tells_who_has_talked_how_long(tmp_path):
    names = []
    for start in (1.0, 5.0):
        log = EventLog(tmp_path / "hub.db")
        async with a_hub(log) as place:
            spoke = SpeechEnded(detected_at=start + 3, channel="caller", start=start, end=start + 2.5)
            place.hub.publish("c1", arrivals("c1", [spoke], first=int(start)))
            async with place.listener() as listener:
                snapshot = (await next_line(listener))["data"]
        log.close()
        names.append(snapshot["log"])
    assert names[0] == names[1]
    assert snapshot["calls"][0]["talk"] == {"caller": 5.0}


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("?team=north", ["a1", "a2"]),
        ("?team=south", ["a3"]),
        ("?team=north&team=south", ["a1", "a2", "a3"]),
        ("?agent=bert", ["a3"]),
        ("?call=c1", ["a1", "a2"]),
        ("?level=critical", ["a2"]),
        ("?kind=alert", ["a1", "a2", "a3"]),
        ("?kind=alert.opened,call", ["a1", "a2", "a3"]),
        ("?kind=utterance", []),
        ("?role=agent", ["a1", "a2", "a3"]),
    ],
)
async def test_filters_let_through_what_was_asked_for(query: str, seen: list[str]):
    async with a_hub() as place, place.listener(query) as listener:
        await next_line(listener)
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1), alert(2, level="critical")]))
        place.hub.publish("c2", arrivals("c2", [started("c2", "bert", "south"), alert(3)]))
        place.hub.publish("c2", arrivals("c2", [said(1, "the end of what we look for")], first=3))
        async with place.listener("?since=0") as everything:
            await until(everything, "utterance")
        await listener.close()
        got = [json.loads(line) async for line in listener]
        assert alerts_in(got) == seen


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ({"role": "agent", "agent": "anna"}, ["a1"]),
        ({"role": "agent", "agent": "bert"}, ["a3"]),
        ({"role": "agent", "agent": "nobody"}, []),
        ({"role": "supervisor", "teams": ("north",)}, ["a2"]),
        ({"role": "supervisor", "teams": ("north", "south")}, ["a2", "a4"]),
        ({"role": "supervisor", "teams": ("*",)}, ["a2", "a4"]),
        ({"role": "supervisor", "teams": ("east",)}, []),
    ],
)
async def test_agents_hear_their_own_calls_and_supervisors_those_of_their_teams(
    who: dict[str, Any], seen: list[str]
):
    async with (
        a_hub(secret=SECRET) as place,
        place.listener(additional_headers=bearer(**who)) as listener,
        place.listener("?role=agent&call=c1", additional_headers=bearer("supervisor", teams=("*",))) as other,
    ):
        await next_line(listener)
        await next_line(other)
        for call, agent, team, first in (("c1", "anna", "north", 1), ("c2", "bert", "south", 3)):
            events = [
                started(call, agent, team),
                alert(first, to=("agent",)),
                alert(first + 1, to=("supervisor",)),
            ]
            place.hub.publish(call, arrivals(call, events))
        assert alerts_in(await until(other, "alert.opened")) == ["a2"], (
            "a token is its role, whatever is asked"
        )
        await listener.close()
        assert alerts_in([json.loads(line) async for line in listener]) == seen


async def test_a_private_alert_reaches_the_agent_alone_and_is_never_written():
    private = alert(1, private=True, to=("agent",), rule="voice.raised.agent")
    async with a_hub() as place, place.listener("?role=agent") as agent, place.listener() as supervisor:
        first = await next_line(agent)
        await next_line(supervisor)
        events = [started("c1"), private, alert(2)]
        place.hub.publish("c1", arrivals("c1", events))
        assert alerts_in(await next_lines(agent, 3)) == ["a1", "a2"]
        assert alerts_in(await next_lines(supervisor, 2)) == ["a2"]
        written = b"".join(line for _, _, line in place.hub.log.since(0))
        assert b"voice.raised.agent" not in written
        async with place.listener("?role=agent") as late:
            (call,) = (await next_line(late))["data"]["calls"]
            assert [a["alert"] for a in call["alerts"]] == ["a1", "a2"]
        async with place.listener() as late:
            (call,) = (await next_line(late))["data"]["calls"]
            assert [a["alert"] for a in call["alerts"]] == ["a2"]
        async with place.listener(f"?role=agent&since={first['data']['sequence']}") as back:
            assert alerts_in(await next_lines(back, 3)) == ["a1", "a2"], "an agent misses nothing either"


async def test_a_line_that_is_sent_again_stands_once():
    async with a_hub() as place, place.listener() as listener, place.publisher() as monitor:
        await next_line(listener)
        assert await publish(monitor, "c1") == 0
        await monitor.send(lines("c1", [started("c1"), alert(1), alert(2)]))
        assert (await next_line(monitor))["ack"] == 3
        await monitor.send(lines("c1", [alert(1), alert(2), alert(3)], first=2))
        assert (await next_line(monitor))["ack"] == 4
        assert alerts_in(await next_lines(listener, 4)) == ["a1", "a2", "a3"]
        async with place.publisher() as again:
            assert await publish(again, "c1") == 4


async def test_an_ended_call_is_open_for_nobody_even_if_its_monitor_comes_back():
    async with a_hub() as place, place.publisher() as monitor:
        await publish(monitor, "c1")
        await monitor.send(lines("c1", [started("c1"), ended()]))
        assert (await next_line(monitor))["ack"] == 2
        async with place.publisher() as again, place.listener() as listener:
            assert await publish(again, "c1") == 2
            await again.send(lines("c1", [started("c1"), ended()]))
            assert (await next_line(again))["ack"] == 2
            assert (await next_line(listener))["data"]["calls"] == []
            assert not place.hub.calls


async def test_what_people_ask_reaches_the_call_and_says_who_asked():
    orders: list[Command] = []
    async with a_hub(secret=SECRET) as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1)]))
        place.hub.take_commands("c1", orders.append)
        anna = place.listener(additional_headers=bearer("agent", agent="anna"))
        boss = place.listener(additional_headers=bearer("supervisor", teams=("north",)))
        async with anna as agent, boss as supervisor:
            await agent.send(json.dumps({"call": "c1", "order": {"kind": "acknowledge", "alert": "a1"}}))
            await true(lambda: len(orders) == 1)
            await supervisor.send(
                json.dumps({"call": "c1", "order": {"kind": "message", "text": "offer a refund", "by": "x"}})
            )
            await true(lambda: len(orders) == 2)
    assert [(order.kind, order.by) for order in orders] == [
        ("acknowledge", "anna"),
        ("message", "supervisor"),
    ]
    assert orders[1].text == "offer a refund"


async def test_an_order_travels_to_the_monitor_that_publishes_the_call():
    async with a_hub() as place, place.publisher() as monitor, place.listener() as listener:
        await publish(monitor, "c1")
        await monitor.send(lines("c1", [started("c1"), alert(1)]))
        assert "ack" in await next_line(monitor)
        await listener.send(json.dumps({"call": "c1", "order": {"kind": "wrong", "alert": "a1"}}))
        order = (await next_line(monitor))["order"]
        assert (order["kind"], order["alert"]) == ("wrong", "a1")


async def test_an_order_for_a_call_whose_monitor_is_gone_is_answered_with_the_reason():
    async with a_hub() as place, place.listener() as listener:
        await next_line(listener)
        async with place.publisher() as monitor:
            await publish(monitor, "c1")
        await true(lambda: place.hub.calls["c1"].on_command is None)
        await listener.send(json.dumps({"call": "c1", "order": {"kind": "wrong", "alert": "a1"}}))
        refused = await next_line(listener)
        assert refused["type"] == "monitor.refused"
        assert "not connected" in refused["data"]["reason"]


async def test_of_what_is_only_looked_at_the_newest_comes_and_never_after_its_final():
    async with a_hub() as place, place.listener() as listener:
        await next_line(listener)
        events = [started("c1"), *[level(n / 10) for n in range(50)], said(1, "half", final=False)]
        place.hub.publish("c1", arrivals("c1", [*events, said(1, "half a sentence")]))
        place.hub.publish("c1", arrivals("c1", [alert(1)], first=100))
        got = await next_lines(listener, 4)
        assert kinds(got) == ["call.started", "utterance", "alert.opened", "prosody"]
        assert got[1]["data"]["text"] == "half a sentence"
        assert got[3]["data"]["at"] == 4.9


async def test_a_restarted_hub_knows_the_open_calls_and_goes_on_counting(tmp_path):
    async with a_hub(EventLog(tmp_path / "hub.db")) as place:
        events = [started("c1"), alert(1, private=True, to=("agent",)), alert(2)]
        place.hub.publish("c1", arrivals("c1", events))
        last = place.hub.log.last
        place.hub.log.close()
    async with a_hub(EventLog(tmp_path / "hub.db")) as place, place.listener(f"?since={last}") as listener:
        assert place.hub.log.last == last
        place.hub.publish("c1", arrivals("c1", [alert(3)], first=4))
        assert int((await next_line(listener))["sequence"]) == last + 1


async def test_a_call_whose_monitor_never_comes_back_is_closed_in_the_end():
    async with a_hub() as place, place.listener() as listener:
        await next_line(listener)
        async with place.publisher() as monitor:
            await publish(monitor, "c1")
            await monitor.send(lines("c1", [started("c1"), alert(1)]))
            await next_line(monitor)
            place.hub.calls["c1"].last_seen -= 7200
            place.hub.give_up_on_silent_calls()
            assert "c1" in place.hub.calls, "its monitor is still there"
        await true(lambda: place.hub.calls["c1"].on_command is None)
        place.hub.give_up_on_silent_calls()
        assert not place.hub.calls
        got = await next_lines(listener, 3)
        assert "did not come back" in got[-1]["data"]["notice"]


async def test_listeners_of_a_hub_that_closes_are_told_that_it_goes():
    async with a_hub() as place:
        listener = await place.listener()
        await next_line(listener)
    with pytest.raises(ConnectionClosed) as gone:
        await next_line(listener)
    assert gone.value.rcvd
    assert gone.value.rcvd.code == 1001


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_call_that_is_erased_while_it_goes_on_is_kept_no_more_and_nothing_of_it_is_shown(
    tmp_path: Path,
):
    """What the dialler knew of the caller would stand in every snapshot until the call's end."""
    kept = tmp_path / "hub.db"
    async with a_hub(EventLog(kept)) as place, place.listener() as listener, place.publisher() as monitor:
        await next_line(listener)
        await publish(monitor, "c1")
        await monitor.send(lines("c1", [started("c1"), alert(1, summary="Zebedee was cut off.")]))
        assert (await next_line(monitor))["ack"] == 2
        await until(listener, "alert.opened")
        erasing = EventLog(kept)
        assert erasing.erase("c1") == 2
        erasing.close()
        await monitor.send(lines("c1", [level(2.0)], first=3))
        await monitor.send(lines("c1", [alert(2, summary="Zebedee again.")], first=4))
        assert (await next_line(monitor))["ack"] == 3
        assert (await next_line(monitor))["ack"] == 4, "the monitor need not keep it, either"
        (over,) = await until(listener, "call.ended")
        assert over["data"]["notice"] == "This call was erased."
        assert place.hub.snapshot(Viewer(who=LOCAL, wants=StreamFilter())).calls == ()
        assert place.hub.log.since(0) == []
        place.hub.publish("c2", arrivals("c2", [started("c2")]))
        assert (await next_line(listener))["partitionkey"] == "c2"
        erasing = EventLog(kept)
        erasing.erase("c2")
        erasing.close()
        place.hub.forget_erased_calls()
        assert place.hub.calls == {}
    assert b"Zebedee" not in everything_in(tmp_path)
