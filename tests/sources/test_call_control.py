"""The softphone's hook over loopback: who may say what, and what is answered."""

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.events import CallControl, CallControlAnswer
from monitor.sources.call_control import control_file, send_call_control, serve_call_control


class Phone:
    """What the monitor was told."""

    def __init__(self) -> None:
        self.heard: list[CallControl] = []

    def answer(self, hook: CallControl) -> CallControlAnswer:
        self.heard.append(hook)
        return CallControlAnswer(done=True, say=f"{hook.kind}.", call="call-1")


async def test_a_hook_reaches_the_monitor_with_its_metadata(tmp_path: Path):
    phone, where = Phone(), tmp_path / "deep" / "live.json"
    async with serve_call_control(phone.answer, where):
        start = CallControl(kind="start", call="a-1", meta={"issue": "refund"})
        reply = await asyncio.to_thread(send_call_control, start, where)
    assert reply == CallControlAnswer(done=True, say="start.", call="call-1")
    assert phone.heard == [CallControl(kind="start", call="a-1", meta={"issue": "refund"})]
    assert not where.exists()


async def test_only_the_owner_can_read_the_secret(tmp_path: Path):
    where = tmp_path / "live.json"
    async with serve_call_control(Phone().answer, where):
        if os.name == "posix":
            assert stat.S_IMODE(where.stat().st_mode) == 0o600


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"not json\n", b'{"secret":"x","hook":{"kind":"burn"}}\n'])
async def test_nonsense_is_answered_and_changes_nothing(tmp_path: Path, line: bytes):
    phone, where = Phone(), tmp_path / "live.json"
    async with serve_call_control(phone.answer, where):
        said = await _say(where, line)
    assert json.loads(said)["done"] is False
    assert phone.heard == []


async def test_a_wrong_secret_is_refused(tmp_path: Path):
    phone, where = Phone(), tmp_path / "live.json"
    async with serve_call_control(phone.answer, where):
        said = await _say(where, b'{"secret":"guess","hook":{"kind":"end"}}\n')
    assert b"secret is wrong" in said
    assert phone.heard == []


async def test_a_second_monitor_on_the_machine_is_refused(tmp_path: Path):
    where = tmp_path / "live.json"
    async with serve_call_control(Phone().answer, where):
        refused = asyncio.to_thread(asyncio.run, _enter(where))
        with pytest.raises(BadInput, match="already running on this machine"):
            await refused
        assert where.exists()


async def test_what_a_killed_monitor_left_is_no_obstacle(tmp_path: Path):
    where = tmp_path / "live.json"
    where.write_text('{"port": 9, "secret": "old"}')
    async with serve_call_control(Phone().answer, where):
        reply = await asyncio.to_thread(send_call_control, CallControl(kind="status"), where)
    assert reply.done


def test_without_a_monitor_one_sentence_says_so(tmp_path: Path):
    with pytest.raises(BadInput, match="start `monitor live` first"):
        send_call_control(CallControl(kind="end"), tmp_path / "live.json")


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MONITOR_CONTROL", str(tmp_path / "mine.json"))
    assert control_file() == tmp_path / "mine.json"


async def _say(where: Path, line: bytes) -> bytes:
    port = json.loads(where.read_text())["port"]  # noqa: ASYNC240 - a file of thirty bytes, in a test
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    answer = await reader.readline()
    writer.close()
    return answer


async def _enter(where: Path) -> None:
    async with serve_call_control(Phone().answer, where):
        pass
