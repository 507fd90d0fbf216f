"""Coming back to a hub: to another log than before, and to what people said meanwhile."""

from pathlib import Path

from monitor.client.address import HubAddress
from monitor.client.follower import Back, EventFollower, RefusedByHub
from monitor.events import CommandApplied as Message
from monitor.events import Snapshot
from monitor.hub.log import EventLog
from monitor.wire.addresses import Address
from tests.hub.hubs import a_hub, alert, alerts_in, arrivals, next_line, next_lines, started


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
        follower = EventFollower(HubAddress(place.url))
        news = follower.news()
        port = place.address.port
        assert isinstance(await anext(news), Back)
        await anext(news)
        assert follower.since == 51
    async with a_hub(address=Address("127.0.0.1", port)) as place:
        place.hub.publish("c2", arrivals("c2", [started("c2"), *[alert(n) for n in range(80)]]))
        while not isinstance(told := await anext(news), RefusedByHub):
            pass
        assert isinstance(told.event, Snapshot)
        assert (follower.since, follower.log) == (81, place.hub.log.name)
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
