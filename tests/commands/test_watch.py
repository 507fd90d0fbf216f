"""``monitor watch`` as a supervisor starts it, against a real hub; and the board behind it."""

import asyncio
import io
import os
import pty
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from rich.console import Console

from monitor.commands.watch_view import CallBoard, styled, table
from monitor.events import Dropped, OpenCall, Snapshot
from monitor.hub.access import mint
from monitor.hub.log import EventLog
from monitor.wire.addresses import Address
from tests.hub.hubs import SECRET, SOON, a_hub, alert, arrivals, closed, difficulty, ended, started, true

Watching = Callable[..., Awaitable[Process]]
WATCH = (sys.executable, "-m", "monitor", "watch")


@pytest.fixture
async def watching() -> AsyncIterator[Watching]:
    """Starts ``monitor watch``; what still runs when the test is over is ended."""
    begun: list[Process] = []

    async def watch(url: str, *words: str) -> Process:
        begun.append(
            await asyncio.create_subprocess_exec(*WATCH, "--url", url, *words, stdout=PIPE, stderr=PIPE)
        )
        return begun[-1]

    yield watch
    for running in begun:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def line_of(running: Process) -> str:
    assert running.stdout
    line = await asyncio.wait_for(running.stdout.readline(), SOON)
    return line.decode().rstrip("\n")


async def test_in_a_pipe_each_thing_that_happens_is_one_line(watching: Watching):
    async with a_hub() as place:
        running = await watching(place.url, "--team", "north", "--level", "warn")
        assert await line_of(running) == "# listening"
        events = [
            started("c1"),
            alert(1, at=61.0, summary="Two interruptions."),
            alert(2, level="info"),
            ended(90.0),
        ]
        place.hub.publish("c0", arrivals("c0", [started("c0", "zoe", "south"), alert(9)]))
        place.hub.publish("c1", arrivals("c1", events))
        assert await line_of(running) == "00:00\tc1\tanna\t-\tthe call began"
        assert await line_of(running) == "01:01\tc1\tanna\twarn\tAgent interrupts: Two interruptions."
        assert await line_of(running) == "01:30\tc1\tanna\t-\tthe call ended"
        running.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.wait(), SOON) == 130


async def test_it_comes_back_and_catches_up(watching: Watching, tmp_path: Path):
    kept = tmp_path / "hub.db"
    async with a_hub(EventLog(kept)) as place:
        place.hub.publish("c1", arrivals("c1", [started("c1")]))
        running = await watching(place.url)
        assert await line_of(running) == "# listening"
        port = place.address.port
        await true(lambda: place.hub.listeners == 1)
        place.hub.log.close()
    assert "trying again" in await line_of(running)
    log = EventLog(kept)
    log.append("c1", arrivals("c1", [alert(1, summary="Said while the line was down.")], first=2))
    async with a_hub(log, address=Address("127.0.0.1", port)):
        told = await line_of(running)
        while "trying again" in told:
            told = await line_of(running)
        assert told == "# catching up"
        assert (await line_of(running)).endswith("Said while the line was down.")
    running.terminate()
    assert await asyncio.wait_for(running.wait(), SOON) == 0


async def test_a_hub_that_will_not_have_it_is_one_sentence_and_the_token_is_in_it_nowhere(
    watching: Watching, tmp_path: Path
):
    token = tmp_path / "token"
    token.write_text(mint("y" * 40, role="supervisor", agent=None, teams=("*",), seconds=60))
    token.chmod(0o600)
    async with a_hub(secret=SECRET) as place:
        running = await watching(place.url, "--token-file", str(token))
        out, err = await asyncio.wait_for(running.communicate(), SOON)
    assert running.returncode == 2
    assert out == b""
    assert err.decode() == "monitor: The hub refused: This token is not valid here.\n"


async def test_on_a_terminal_the_calls_stand_in_a_table():
    leader, follower = pty.openpty()
    async with a_hub() as place:
        place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1), difficulty(5.0, 62.0)]))
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "30"}
        running = await asyncio.create_subprocess_exec(
            *WATCH, "--url", place.url, stdin=follower, stdout=follower, stderr=follower, env=environment
        )
        os.close(follower)
        seen = ""
        async with asyncio.timeout(SOON):
            while not all(
                words in seen for words in ("1 open call", "anna", "north", "62", "Agent interrupts")
            ):
                seen += (await asyncio.to_thread(os.read, leader, 65_536)).decode(errors="replace")
        running.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.wait(), SOON) == 130
    os.close(leader)


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_who_and_how_long_is_read_however_many_alerts_are_open_and_however_narrow_it_is(width: int):
    board = CallBoard()
    board.take("c1", started("c1", "Bartholomew Featherstonehaugh"))
    for n in range(12):
        board.take("c1", alert(n, level="critical" if n == 11 else "info", title=f"Rule {n}"))
    board.take("c1", difficulty(61.0, 80.0))
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table(board.in_order(), width))
    heads, row = console.export_text().rstrip().splitlines()
    assert max(len(heads), len(row)) <= width
    for head, cell in (("agent", "Bartholomew Fea"), ("length", "01:01"), ("hard", "80"),
                       ("open alerts", "▲ Rule 11")):  # fmt: skip
        assert head in heads
        assert cell in row
    assert ("north" in row) == (width >= 80)


def test_the_board_puts_calls_that_need_somebody_first():
    board = CallBoard()
    calls = [OpenCall(call=f"c{n}", agent=f"agent {n}", team="north", seconds=10.0) for n in range(4)]
    board.take("hub", Snapshot(sequence=7, calls=tuple(calls)))
    board.take("c2", alert(1, level="warn"))
    board.take("c3", alert(1, level="critical"))
    board.take("c1", difficulty(11.0, 80.0))
    assert [row.call for row in board.in_order()] == ["c3", "c2", "c1", "c0"]
    board.take("c3", closed(1))
    board.take("c2", ended())
    assert [row.call for row in board.in_order()] == ["c1", "c0", "c3"]


def test_an_alert_is_told_when_it_opens_and_when_it_becomes_more_serious():
    board = CallBoard()
    assert len(board.take("c1", alert(1, level="info"))) == 1
    assert board.take("c1", alert(1, level="info")) == []
    assert len(board.take("c1", alert(1, level="warn"))) == 1
    assert board.take("c1", closed(1)) == []
    assert "too slow" in board.take("hub", Dropped(lines=3))[0].text


def test_what_others_wrote_does_not_steer_the_terminal():
    board = CallBoard()
    (news,) = board.take("c1", alert(1, summary="\x1b[2Jgone\x07"))
    assert not re.search(r"[\x00-\x1f]", styled(news).plain)


@pytest.mark.parametrize(
    "words", [("--url", "ftp://x"), ("--level", "loud"), ("--url", "ws://10.0.0.1:8765")]
)
async def test_words_that_make_no_sense_end_with_code_2(words: tuple[str, ...]):
    running = await asyncio.create_subprocess_exec(*WATCH, *words, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(running.communicate(), SOON)
    assert (running.returncode, out) == (2, b"")
    assert b"Traceback" not in err
