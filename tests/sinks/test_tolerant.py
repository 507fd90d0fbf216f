"""A disk that is full: told once, in one sentence, and the call goes on. Real files."""

from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.client.address import HubAddress
from monitor.client.spool import Spool
from monitor.client.uplink import Uplink
from monitor.errors import BadInput
from monitor.sinks.journal import JournalSink
from monitor.sinks.tolerant import FaultTolerantSink
from tests.client.test_uplink import ANNA, numbered
from tests.hub.hubs import alert, started


def full(folder: Path) -> JournalSink:
    """A journal on a disk without room."""
    (folder / "c1.jsonl").symlink_to("/dev/full")
    return JournalSink(folder)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
def test_a_live_call_goes_on_without_its_journal_and_says_so_once(tmp_path: Path):
    said: list[str] = []
    sink = FaultTolerantSink(full(tmp_path), said.append)
    for _ in range(3):
        sink.take(numbered(started("c1"), alert(1)))
    sink.close()
    assert len(said) == 1
    assert "No space left on device. The call is monitored all the same." in said[0]


def test_a_buffer_that_has_no_room_keeps_what_it_had(tmp_path: Path):
    spool = Spool(tmp_path / "c1.spool")
    spool.begin("ws://127.0.0.1:1", ANNA)
    spool.put([(1, b"first")])
    spool._db.execute("PRAGMA max_page_count=1")
    with pytest.raises(BadInput, match="cannot be used: database or disk is full"):
        spool.put([(2, b"x" * 100_000)])
    assert spool.after(0) == [(1, b"first")]
    spool.close()


def test_an_uplink_without_room_does_not_end_the_call(tmp_path: Path):
    said: list[str] = []
    uplink = Uplink(HubAddress("ws://127.0.0.1:1"), ANNA, tmp_path, patience=0.1)
    uplink._spool._db.execute("PRAGMA max_page_count=1")
    sink = FaultTolerantSink(uplink, said.append)
    for number in range(3):
        sink.take(numbered(started("c1"), alert(1, summary="y" * 50_000), first=1 + 2 * number))
    sink.close()
    assert len(said) == 1
    assert "y" * 10 not in said[0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
@pytest.mark.parametrize("speed", ["max", "100"])
def test_a_replay_whose_journal_has_no_room_ends_with_one_sentence(
    tmp_path: Path, speed: str, project: Path, capsys: pytest.CaptureFixture[str]
):
    calm = str(project / "fixtures" / "audio" / "calm.wav")
    words = ["replay", calm, "--model", "none", "--json", "--speed", speed, "--journal"]
    assert main([*words, str(tmp_path / "room")]) == 0
    (journal,) = (tmp_path / "room").iterdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / journal.name).symlink_to("/dev/full")
    capsys.readouterr()
    assert main([*words, str(tmp_path / "full")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("monitor: The journal ")
    assert said.count("\n") == 1
