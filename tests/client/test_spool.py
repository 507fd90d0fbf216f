"""The buffer of an uplink: what stands in it, whose it is, and who may touch it."""

import os
from pathlib import Path

import pytest

from monitor import clock
from monitor.client import spool as spools
from monitor.client.spool import KEEP_DAYS, Spool, SpoolInUse, claim, left_behind, path_of
from monitor.errors import BadInput
from monitor.wire.messages import CallIdentity

ANNA = CallIdentity(call="c1", agent="anna", team="north")


def test_lines_stand_until_they_are_acknowledged(tmp_path: Path):
    spool = claim(tmp_path, "c1")
    spool.begin("ws://hub", ANNA)
    spool.put([(n, b"line %d" % n) for n in range(1, 501)])
    assert spool.after(0) == [(n, b"line %d" % n) for n in range(1, 201)]
    assert spool.after(499) == [(500, b"line 500")]
    spool.acknowledged(499)
    assert (spool.waiting, spool.last, spool.ended) == (1, 500, False)
    spool.put([(501, b"the end")], ended=True)
    assert (spool.waiting, spool.last, spool.ended) == (2, 501, True)
    spool.close()
    again = Spool(path_of(tmp_path, "c1"))
    assert again.about() == ("ws://hub", ANNA)
    assert (again.waiting, again.last, again.ended) == (2, 501, True)
    again.close(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_a_buffer_belongs_to_one_monitor(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(spools, "HELD_SECONDS", 0.05)
    spool = claim(tmp_path, "c1")
    with pytest.raises(SpoolInUse):
        Spool(spool.path)
    with pytest.raises(BadInput, match="Another monitor"):
        claim(tmp_path, "c1")
    spool.close()
    claim(tmp_path, "c1").close()


def test_what_was_said_is_for_its_owner_alone(tmp_path: Path):
    spool = claim(tmp_path / "deep", "c1")
    assert spool.path.stat().st_mode & 0o077 == 0
    assert spool.path.parent.stat().st_mode & 0o077 == 0
    spool.close()


@pytest.mark.parametrize("call", ["../../etc/passwd", "a" * 1000, "line\nbreak", "ünï", ""])
def test_any_name_of_a_call_is_a_file_in_the_folder(call: str, tmp_path: Path):
    assert path_of(tmp_path, call).parent == tmp_path
    claim(tmp_path, call).close()


def test_what_could_not_be_sent_for_a_week_is_forgotten(tmp_path: Path):
    for call, days in (
        ("being made", 0.0),
        ("new", 0.1),
        ("older", KEEP_DAYS - 1),
        ("too old", KEEP_DAYS + 1),
    ):
        spool = claim(tmp_path, call)
        spool.close()
        at = clock.unix() - days * 86400
        os.utime(spool.path, (at, at))
    assert left_behind(tmp_path) == [path_of(tmp_path, "older"), path_of(tmp_path, "new")]
    assert not path_of(tmp_path, "too old").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be used"):
        claim(tmp_path / "file", "c1")
