"""The examples are programs that run: each hears an alert, survives a break of the line, hears the next."""

import asyncio
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from sys import executable

import pytest

from monitor.hub.access import mint
from monitor.hub.log import EventLog
from monitor.wire.addresses import Address
from tests.hub.hubs import SECRET, SOON, Place, a_hub, alert, arrivals, started, true


def javascript(project: Path) -> list[str]:
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    for flags in ([], ["--experimental-websocket"]):
        asked = [node, *flags, "-p", "typeof WebSocket"]
        if "function" in subprocess.run(asked, capture_output=True, text=True, check=False).stdout:
            return [node, *flags, str(project / "examples" / "listen.mjs")]
    pytest.skip("this node has no WebSocket; version 20.10 or later has")


def python(project: Path) -> list[str]:
    return [executable, str(project / "examples" / "listen.py")]


async def hears(running: Process, place: Place, number: int) -> None:
    """An alert is published as soon as the example listens, and its line is read."""
    await true(lambda: place.hub.listeners == 1)
    call = f"c{number}"
    place.hub.publish(call, arrivals(call, [started(call), alert(number, summary=f"Reason {number}.")]))
    assert running.stdout
    line = await asyncio.wait_for(running.stdout.readline(), SOON)
    assert line.decode() == f"{call}  warn  Reason {number}.\n"


@pytest.mark.parametrize("language", [python, javascript])
async def test_an_example_hears_alerts_and_comes_back_after_a_break(language, project: Path, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text(mint(SECRET, role="supervisor", agent=None, teams=("north",), seconds=600))
    kept = tmp_path / "hub.db"
    async with a_hub(EventLog(kept), secret=SECRET) as place:
        command = [*language(project), place.url, str(token)]
        running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
        await hears(running, place, 1)
        port = place.address.port
        place.hub.log.close()
    log = EventLog(kept)
    missed = [started("c2"), alert(2, summary="Said while the line was down.")]
    log.append("c2", arrivals("c2", missed))
    async with a_hub(log, secret=SECRET, address=Address("127.0.0.1", port)) as place:
        assert running.stdout
        line = await asyncio.wait_for(running.stdout.readline(), SOON)
        assert line.decode() == "c2  warn  Said while the line was down.\n"
        await hears(running, place, 3)
        running.kill()
        await running.communicate()


async def test_the_python_example_ends_with_the_reason_where_the_hub_refuses_it(
    project: Path, tmp_path: Path
):
    token = tmp_path / "token"
    token.write_text(mint(SECRET, role="supervisor", agent=None, teams=("north",), seconds=-5))
    async with a_hub(secret=SECRET) as place:
        for words, why in (([str(token)], "has expired"), ([], "A token is needed")):
            command = [*python(project), place.url, *words]
            running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
            _, said = await asyncio.wait_for(running.communicate(), SOON)
            assert running.returncode == 1
            assert said.decode().startswith("the hub refused: ")
            assert why in said.decode()
            assert said.decode().count("\n") == 1


@pytest.mark.parametrize("language", [python, javascript])
async def test_an_example_that_is_there_before_its_hub_waits_for_it(language, project: Path):
    async with a_hub() as place:
        port = place.address.port
    running = await asyncio.create_subprocess_exec(
        *language(project), f"ws://127.0.0.1:{port}", stdout=PIPE, stderr=PIPE
    )
    assert running.stderr
    told = await asyncio.wait_for(running.stderr.readline(), SOON)
    assert b"coming back" in told
    async with a_hub(address=Address("127.0.0.1", port)) as place:
        await hears(running, place, 1)
        running.kill()
        await running.communicate()
