"""Call control over a hub: a real hub, the real day of a live monitor, calls from the recordings."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from monitor.client.address import HubAddress
from monitor.client.hub_client import HubClient
from monitor.events import CallEnded, CallStarted, CommandApplied
from monitor.hub import call_control as hooks
from monitor.hub.access import Role, mint
from monitor.live import LiveMonitor
from monitor.wire.messages import StandbyClaim
from tests.hub.hubs import SECRET, SOON, Place, a_hub, next_line, true
from tests.test_live import RATE, Kept, Tape, day


def shows(role: str, agent: str | None, *teams: str) -> dict[str, str]:
    token = mint(SECRET, role=role, agent=agent, teams=teams, seconds=600)  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {token}"}


class Day:
    """A monitor that lives through a day of silence and does what it is told over the hub."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.said: list[str] = []
        self.troubles: list[str] = []
        tape = Tape(np.zeros((2, RATE)), silence=1e6)
        self.live = LiveMonitor(day(self.kept, self.said, by_itself=False, end_after=1e6), tape, None)

    def _line(self, trouble: str | None) -> None:
        if trouble:
            self.troubles.append(trouble)

    @contextlib.asynccontextmanager
    async def at(
        self, place: Place, *, agent: str = "anna", token: str | None = None
    ) -> AsyncIterator["Day"]:
        hub = HubAddress(place.url, lambda: token)
        waits = HubClient(hub).stand_by(
            StandbyClaim(agent=agent, team="north"), self.live.control, self._line
        )
        tasks = [asyncio.create_task(self.live.run()), asyncio.create_task(waits)]
        try:
            await true(lambda: place.hub.call_control.standing or self.troubles)
            yield self
        finally:
            self.live.stop()
            await tasks[0]
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def asks(phone: Any, kind: str, **more: Any) -> dict[str, Any]:
    """Says a hook; the line that answers it."""
    beside = {"agent": more.pop("agent")} if "agent" in more else {}
    await phone.send(json.dumps({"hook": {"kind": kind, **more}, **beside}))
    while (line := await next_line(phone))["type"] not in ("monitor.hooked", "monitor.refused"):
        pass
    return line


async def test_a_softphone_begins_and_ends_a_call_through_the_hub():
    token = mint(SECRET, role="agent", agent="anna", teams=("north",), seconds=600)
    async with (
        a_hub(secret=SECRET) as place,
        Day().at(place, token=token) as monitor,
        place.listener(additional_headers={"Authorization": f"Bearer {token}"}) as phone,
    ):
        begun = await asks(phone, "start", call="sp-1", meta={"issue": "refund"})
        assert begun["data"] | {"detected_at": 0} == {
            "detected_at": 0,
            "done": True,
            "say": "sp-1 begins.",
            "call": "sp-1",
        }
        await true(lambda: monitor.kept.calls.get("sp-1"))
        assert (await asks(phone, "hold"))["data"]["done"]
        assert (await asks(phone, "status"))["data"]["call"] == "sp-1"
        assert not (await asks(phone, "start", call="sp-2"))["data"]["done"]
        assert (await asks(phone, "end"))["data"]["done"]
        await true(lambda: isinstance(monitor.kept.calls["sp-1"][-1], CallEnded))
        assert not (await asks(phone, "end"))["data"]["done"], "there is none under way"
    started = monitor.kept.calls["sp-1"][0]
    assert isinstance(started, CallStarted)
    assert started.meta == {"issue": "refund"}
    assert [event.kind for event in monitor.kept.calls["sp-1"] if isinstance(event, CommandApplied)] == [
        "hold"
    ]


async def test_nobody_else_is_told_what_a_monitor_answered():
    async with a_hub() as place, Day().at(place), place.listener() as other, place.listener() as phone:
        await next_line(other)
        await asks(phone, "status")
        place.hub.flush()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await other.recv()


async def test_on_loopback_a_softphone_says_whose_monitor_it_means():
    async with a_hub() as place, Day().at(place, agent="anna") as anna, Day().at(place, agent="ben") as ben:
        await true(lambda: place.hub.call_control.standing == 2)
        async with place.listener() as phone:
            assert (await asks(phone, "start", call="b-1", agent="ben"))["data"]["done"]
            await true(lambda: ben.kept.calls.get("b-1"))
            assert anna.kept.calls == {}
            assert "No monitor stands by" in (await asks(phone, "status"))["data"]["reason"]


async def test_a_line_that_broke_is_made_again():
    async with a_hub() as place, Day().at(place):
        await place.hub.call_control._monitors["anna"].close()
        await true(lambda: place.hub.call_control.standing == 0)
        await true(lambda: place.hub.call_control.standing == 1)
        async with place.listener() as phone:
            assert (await asks(phone, "status"))["data"]["done"]


REFUSED = [
    ("supervisor", None, {"hook": {"kind": "start"}}, "own softphone"),
    ("agent", "ben", {"hook": {"kind": "start"}, "agent": "anna"}, "own softphone"),
    ("agent", "ben", {"hook": {"kind": "start"}}, "No monitor stands by"),
    ("agent", "anna", {"hook": {"kind": "dance"}}, "not call control"),
    ("agent", "anna", {"hook": {"kind": "start", "call": "../../etc/passwd"}}, "not call control"),
    ("agent", "anna", {"hook": {"kind": "start", "colour": "red"}}, "not call control"),
    ("agent", "anna", {"hook": "start"}, "not call control"),
    ("agent", "anna", {"hook": {"kind": "end", "call": "sp-1"}}, "belong to the kind start"),
    ("agent", "anna", {"hook": {"kind": "start", "meta": {"x": "y" * 20_000}}}, "kilobytes"),
]


@pytest.mark.parametrize(("role", "agent", "words", "why"), REFUSED)
async def test_call_control_that_may_not_be(role: str, agent: str | None, words: dict[str, Any], why: str):
    token = mint(SECRET, role="agent", agent="anna", teams=("north",), seconds=600)
    async with (
        a_hub(secret=SECRET) as place,
        Day().at(place, token=token) as monitor,
        place.listener(additional_headers=shows(role, agent, "north")) as client,
    ):
        await client.send(json.dumps(words))
        while (line := await next_line(client))["type"] != "monitor.refused":
            pass
        assert why in line["data"]["reason"]
        assert "passwd" not in line["data"]["reason"]
        assert monitor.kept.calls == {}


async def test_nobody_stands_by_for_an_agent_but_that_agent():
    token = mint(SECRET, role="agent", agent="ben", teams=("north",), seconds=600)
    async with a_hub(secret=SECRET) as place, Day().at(place, agent="anna", token=token) as monitor:
        assert place.hub.call_control.standing == 0
        assert any("not yours to stand by for" in trouble for trouble in monitor.troubles)


async def test_a_monitor_that_does_not_answer_or_goes_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hooks, "PATIENCE", 0.2)
    async with a_hub() as place, place.listener() as phone:
        async with place.standing("anna") as dumb:
            await true(lambda: place.hub.call_control.standing)
            assert "does not answer" in (await asks(phone, "status"))["data"]["reason"]
            monkeypatch.setattr(hooks, "PATIENCE", SOON)
            asked = asyncio.create_task(asks(phone, "status"))
            async with asyncio.timeout(SOON):
                await dumb.recv()
                await dumb.recv()
        assert "went away" in (await asked)["data"]["reason"]


async def test_a_monitor_that_says_something_else_is_ended():
    async with a_hub() as place, place.standing("anna") as odd:
        await true(lambda: place.hub.call_control.standing)
        await odd.send('{"number": -1}')
        async with asyncio.timeout(SOON):
            await odd.wait_closed()
        assert odd.close_code == 1008
        assert "number, reply" in (odd.close_reason or "")


@pytest.mark.parametrize(
    ("role", "agent", "teams", "why"),
    [
        ("supervisor", None, ("north",), "the token is a supervisor's"),
        ("agent", "ben", ("north",), "the token is agent ben's; say so with --agent"),
        ("agent", "anna", ("south",), "the token is not for the team of --team"),
    ],
)
async def test_a_monitor_with_the_wrong_token_is_told_what_does_not_fit(
    role: Role, agent: str | None, teams: tuple[str, ...], why: str
):
    token = mint(SECRET, role=role, agent=agent, teams=teams, seconds=600)
    async with a_hub(secret=SECRET) as place, Day().at(place, agent="anna", token=token) as monitor:
        await true(lambda: monitor.troubles)
        assert why in monitor.troubles[0]
