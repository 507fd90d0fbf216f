"""What the person at a live monitor is told of the hub, and what waits for it. Real hubs, real files."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from monitor.client.address import HubAddress, why_disconnected
from monitor.client.credentials import read_token
from monitor.client.hub_client import LONGEST_DELAY, HubClient
from monitor.client.spool import Spool, path_of
from monitor.client.uplink import HubConnectionStatus, Uplink
from monitor.events import CallControl, CallControlAnswer
from monitor.hub.access import mint
from monitor.hub.log import EventLog
from monitor.wire.addresses import Address
from monitor.wire.messages import StandbyClaim
from tests.client.test_uplink import ANNA, long_ago, numbered, stored, there
from tests.hub.hubs import SECRET, a_hub, alert, ended, started, true


def no_hooks(_: CallControl) -> CallControlAnswer:
    return CallControlAnswer(done=False, say="")


@contextlib.asynccontextmanager
async def a_day(
    hub: HubAddress, folder: Path, longest_delay: float = LONGEST_DELAY
) -> AsyncIterator[list[str]]:
    """What a monitor of anna would say of its hub while inside."""
    said: list[str] = []
    line = HubConnectionStatus(hub, folder, said.append)
    whose = StandbyClaim(agent="anna", team="north")
    client = HubClient(hub, longest_delay=longest_delay)
    tasks = [
        asyncio.create_task(client.stand_by(whose, no_hooks, line.tell)),
        asyncio.create_task(line.send_what_waits()),
    ]
    try:
        yield said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_hub_that_is_away_is_told_with_the_reason_and_what_waited_arrives_without_another_call(
    tmp_path: Path,
):
    kept, folder = tmp_path / "hub.db", tmp_path / "up"
    async with a_hub(EventLog(kept)) as place:
        port = place.address.port
        place.hub.log.close()
    hub = HubAddress(f"ws://127.0.0.1:{port}")
    uplink = Uplink(hub, ANNA, folder, patience=0.1)
    uplink.take(numbered(started("c1"), alert(1), ended()))
    await asyncio.to_thread(uplink.close)
    assert uplink.left == 3
    long_ago(path_of(folder, "c1"))
    async with a_day(hub, folder) as said:
        await true(lambda: said)
        assert "no hub runs at this address" in said[0]
        assert "waits on this machine" in said[0]
        async with a_hub(EventLog(kept), address=Address("127.0.0.1", port)) as place:
            await true(lambda: len(said) == 2)
            assert said[1] == "Connected to the hub."
            await true(lambda: there(folder) == [])
            assert stored(place.hub.log) == [("c1", 1), ("c1", 2), ("c1", 3)]


async def test_what_a_killed_monitor_left_is_sent_as_soon_as_the_next_one_runs(tmp_path: Path):
    async with a_hub() as place:
        left = Spool(path_of(tmp_path, "c1"))
        left.begin(place.url, ANNA)
        left.put([(line.sequence, line.json) for line in numbered(started("c1"), alert(1))])
        left.close()
        long_ago(left.path)
        async with a_day(HubAddress(place.url), tmp_path) as said:
            await true(lambda: there(tmp_path) == [])
        assert stored(place.hub.log) == [("c1", 1), ("c1", 2), ("c1", 3)]
        assert said == [], "a hub that is there is nothing to talk about"


async def test_an_expired_token_is_told_and_a_new_one_in_its_file_is_taken(tmp_path: Path):
    file = tmp_path / "anna.token"

    def write(seconds: float) -> None:
        token = mint(SECRET, role="agent", agent="anna", teams=("north",), seconds=seconds)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(token)

    write(-5)
    async with (
        a_hub(secret=SECRET) as place,
        a_day(HubAddress(place.url, lambda: read_token(file)), tmp_path / "up", 0.3) as said,
    ):
        await true(lambda: said)
        assert "This token has expired; ask for a new one." in said[0]
        file.unlink()
        await true(lambda: len(said) == 2)
        assert "cannot be read" in said[1]
        write(600)
        await true(lambda: place.hub.call_control.standing == 1 and len(said) == 3)
        assert said[2] == "Connected to the hub."


async def test_an_uplink_whose_token_cannot_be_read_waits_and_goes_on(tmp_path: Path):
    file = tmp_path / "anna.token"
    async with a_hub(secret=SECRET) as place:
        uplink = Uplink(HubAddress(place.url, lambda: read_token(file)), ANNA, tmp_path / "up")
        uplink.take(numbered(started("c1"), ended()))
        await true(lambda: "cannot be read" in (uplink.trouble or ""))
        file.touch(mode=0o600)
        file.write_text(mint(SECRET, role="agent", agent="anna", teams=("north",), seconds=60))
        await true(lambda: place.hub.log.last == 2)
        await asyncio.to_thread(uplink.close)


def test_each_way_of_failing_has_words_of_its_own():
    refused = ssl.SSLCertVerificationError(1, "")
    refused.verify_message = "self-signed certificate"
    assert why_disconnected(refused) == "the hub's certificate is not trusted: self-signed certificate"
    said = {why_disconnected(wrong) for wrong in (ConnectionRefusedError(), ssl.SSLError(), TimeoutError())}
    assert len(said) == 3
