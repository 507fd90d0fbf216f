"""What commands print on: any encoding, a reader who goes, a disk that is full, no stream at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.events import CallStarted
from monitor.sinks import Line
from monitor.sinks.journal import JournalSink
from monitor.sources.recording import call_id
from tests.sounds import pcm16, talk, wav

MONITOR = [sys.executable, "-m", "monitor"]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of a call of one event: enough for every way of printing."""
    sink = JournalSink(tmp_path)
    started = CallStarted(
        call="c", sources=("a",), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )
    sink.take([Line("c", 1, started)])
    sink.close()
    return tmp_path / "c.jsonl"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_the_terminal_lacks_are_printed_otherwise(journal: Path, encoding: str):
    ended = subprocess.run(
        [*MONITOR, "replay", journal],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"call c " in ended.stdout


@needs_full
@pytest.mark.parametrize("words", [("replay", "JOURNAL"), ("replay", "JOURNAL", "--json"), ("models",)])
def test_a_full_disk_is_one_sentence(journal: Path, words: tuple[str, ...]):
    command = [*MONITOR, *(str(journal) if word == "JOURNAL" else word for word in words)]
    with FULL.open("wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("monitor: There is no room left on the disk")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_reader_who_has_gone_is_no_error(journal: Path, form: tuple[str, ...]):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [*MONITOR, "replay", journal, *form], stdout=pipe, stderr=subprocess.PIPE, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


@needs_full
def test_a_disk_that_fills_while_a_call_is_paced_is_one_sentence(tmp_path: Path):
    sound = wav(tmp_path / "call.wav", pcm16(talk()))
    (tmp_path / f"{call_id([sound])}.jsonl").symlink_to(FULL)
    words = ("replay", sound, "--model", "none", "--speed", "100", "--journal", tmp_path)
    ended = subprocess.run([*MONITOR, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "ends early: No space left on device." in ended.stderr


def test_a_reader_who_goes_while_a_call_is_paced_is_no_error(tmp_path: Path):
    sound = wav(tmp_path / "call.wav", pcm16(talk()))
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(
            [*MONITOR, "replay", sound, "--model", "none", "--speed", "100"],
            stdout=pipe, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_without_a_stdout_the_work_is_done_all_the_same(journal: Path):
    command = f'exec "{sys.executable}" -m monitor replay "{journal}" --journal "{journal.parent}/again" >&-'
    ended = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (journal.parent / "again/c.jsonl").exists()
