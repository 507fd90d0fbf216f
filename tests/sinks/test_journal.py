import os
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.errors import BadInput
from monitor.events import CallStarted, Event, SpeechEnded, SpeechStarted
from monitor.sinks import Line
from monitor.sinks.journal import JournalSink, expire
from monitor.sources.journal import is_journal, read_journal
from monitor.wire import envelope as wire

STARTED = CallStarted(
    call="c-1", sources=("a.wav",), rate=8000, band="narrow", model="none", rules_hash="0", profile="default"
)
EVENTS = [
    STARTED,
    SpeechStarted(detected_at=1.2, channel="caller", at=1.0),
    SpeechEnded(detected_at=3.0, channel="caller", start=1.0, end=2.6),
]


def journal(folder: Path) -> Path:
    sink = JournalSink(folder)
    for number, event in enumerate(EVENTS, 1):
        sink.take([Line("c-1", number, event)])
    sink.close()
    assert sink.path
    return sink.path


def test_what_was_written_is_read_back(tmp_path: Path):
    read = read_journal(journal(tmp_path))
    assert list(read.events) == EVENTS
    assert read.call == "c-1"
    assert read.end == 3.0
    assert read.ended is None


def test_nothing_is_made_before_the_first_event(tmp_path: Path):
    sink = JournalSink(tmp_path / "journals")
    sink.take([])
    sink.close()
    assert not (tmp_path / "journals").exists()


def test_a_journal_is_on_disk_while_the_call_goes_on(tmp_path: Path):
    sink = JournalSink(tmp_path)
    sink.take([Line("c-1", 1, STARTED)])
    assert read_journal(tmp_path / "c-1.jsonl").started == STARTED
    sink.close()


def test_a_cut_off_last_line_is_left_out_and_told(tmp_path: Path):
    path = journal(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    read = read_journal(path)
    assert list(read.events) == EVENTS[:-1]
    assert read.notice
    assert "line 3" in read.notice


def test_a_wrong_line_in_the_middle_is_named(tmp_path: Path):
    path = journal(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"{my secret words}\n" + lines[2])
    with pytest.raises(BadInput, match="line 2") as wrong:
        read_journal(path)
    assert "secret" not in str(wrong.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{}"])
def test_what_does_not_begin_with_a_call_is_no_journal(tmp_path: Path, content: bytes):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        read_journal(path)


def test_old_journals_expire_and_young_ones_stay(tmp_path: Path):
    old, young = tmp_path / "old.jsonl", tmp_path / "young.jsonl"
    for path in (old, young):
        path.touch()
    month = 31 * 86400
    os.utime(old, (old.stat().st_atime - month, old.stat().st_mtime - month))
    assert expire(tmp_path, 30) == [old]
    assert young.exists()


def test_journals_are_known_by_their_ending():
    assert is_journal(Path("c.jsonl"))
    assert not is_journal(Path("c.wav"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="journal"):
        JournalSink(tmp_path / "file" / "below").take([Line("c-1", 1, STARTED)])


@pytest.mark.parametrize(
    ("event", "call", "told"),
    [
        (STARTED, "c-1", "a second call begins here"),
        (SpeechStarted(detected_at=4.0, channel="agent", at=3.9), "c-2", "of another call"),
        (SpeechStarted(detected_at=1.9, channel="agent", at=1.8), "c-1", "earlier than the one before"),
        (SpeechStarted(detected_at=1e300, channel="agent", at=3.9), "c-1", "no call is as long"),
    ],
)
def test_a_line_that_cannot_follow_is_refused_with_its_number(
    tmp_path: Path, event: Event, call: str, told: str
):
    path = journal(tmp_path)
    after = wire.encode(SpeechStarted(detected_at=5.0, channel="caller", at=4.9), call="c-1", sequence=5)
    path.write_bytes(path.read_bytes() + wire.encode(event, call=call, sequence=4) + b"\n" + after + b"\n")
    with pytest.raises(BadInput, match=rf"c-1\.jsonl, line 4: .*{told}"):
        read_journal(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told_once(tmp_path: Path):
    (tmp_path / "c-1.jsonl").symlink_to("/dev/full")
    sink = JournalSink(tmp_path)
    with pytest.raises(BadInput, match=r"c-1\.jsonl ends early: No space left on device"):
        sink.take([Line("c-1", 1, STARTED)])
    sink.close()


def test_a_file_is_no_folder_for_journals(tmp_path: Path):
    (tmp_path / "journals").touch()
    with pytest.raises(BadInput, match="journals is no folder"):
        JournalSink(tmp_path / "journals").take([Line("c-1", 1, STARTED)])


def test_a_call_whose_name_leads_out_of_the_folder_is_not_written(tmp_path: Path):
    with pytest.raises(BadInput, match="no name for a file"):
        JournalSink(tmp_path / "journals").take([Line("../c-1", 1, STARTED)])
    assert list(tmp_path.iterdir()) == []


FORMER = (
    '{"specversion":"1.0","id":"c/1","source":"/calls/c","type":"monitor.call.started","sequence":"1",'
    '"partitionkey":"c","data":{"known":0.0,"call":"c","sources":["x"],"rate":8000,"band":"narrow",'
    '"model":"none","rules_hash":"0","profile":"default"}}',
    '{"specversion":"1.0","id":"c/2","source":"/calls/c","type":"monitor.utterance","sequence":"2",'
    '"partitionkey":"c","data":{"known":3.5,"channel":"caller","utterance":1,"revision":1,"start":1.0,'
    '"end":3.0,"text":" hello","words":[{"text":" hello","start":1.0,"end":1.5,"p":0.9}],"final":true}}',
)
"""What the version before wrote: ``known`` is now ``detected_at``, ``p`` is ``confidence``."""


def test_a_journal_of_the_version_before_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    journal = tmp_path / "former.jsonl"
    journal.write_text("\n".join(FORMER) + "\n")
    assert main(["replay", str(journal)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"monitor: {journal}, line 1: ")
    assert "earlier version" in said
    assert said.count("\n") == 1
    assert "hello" not in said
