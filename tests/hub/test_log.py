"""The hub's memory: what is kept, what is not, what is forgotten, and that a killed process loses nothing."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import clock
from monitor.errors import BadInput
from monitor.hub.log import EventLog
from monitor.wire import envelope as wire
from tests.hub.hubs import alert, arrivals, ended, level, said, started


def numbers(log: EventLog) -> list[int]:
    return [sequence for sequence, _, _ in log.since(0)]


def test_what_must_arrive_is_kept_in_order_and_what_is_looked_at_is_not():
    log = EventLog()
    events = [started("c"), level(0.1), said(1, "half", final=False), said(1, "half and whole"), alert(1)]
    entries = log.append("c", arrivals("c", events))
    assert [entry.durable for entry in entries] == [True, False, False, True, True]
    assert [entry.sequence for entry in entries] == [1, 1, 1, 2, 3]
    kept = [wire.decode(line) for _, _, line in log.since(0)]
    assert [event.name for _, event in kept] == ["call.started", "utterance", "alert.opened"]
    assert [int(envelope.sequence) for envelope, _ in kept] == [1, 2, 3]


def test_what_is_private_has_a_sequence_that_nobody_else_gets_and_is_never_written(tmp_path: Path):
    path = tmp_path / "hub.db"
    log = EventLog(path)
    log.append("c", arrivals("c", [started("c"), alert(1, private=True, summary="between us")]))
    log.close()
    again = EventLog(path)
    assert again.last == 2
    again.append("c", arrivals("c", [alert(2)], first=3))
    assert numbers(again) == [1, 3]
    again.close()
    assert b"between us" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_what_is_sent_again_is_left_out_also_after_a_restart(tmp_path: Path):
    log = EventLog(tmp_path / "hub.db")
    log.append("c", arrivals("c", [started("c"), alert(1)]))
    log.close()
    log = EventLog(tmp_path / "hub.db")
    assert log.last_of("c") == 2
    entries = log.append("c", arrivals("c", [started("c"), alert(1), alert(2)]))
    assert [entry.event.alert for entry in entries] == ["a2"]
    assert log.append("c", arrivals("c", [alert(2)], first=3)) == []
    assert log.last == 3


def test_two_calls_share_the_sequence_and_keep_their_own_numbers():
    log = EventLog()
    log.append("c1", arrivals("c1", [started("c1")]))
    log.append("c2", arrivals("c2", [started("c2", "bert", "south"), alert(1)]))
    log.append("c1", arrivals("c1", [ended()], first=2))
    assert [(sequence, call) for sequence, call, _ in log.since(0)] == [
        (1, "c1"),
        (2, "c2"),
        (3, "c2"),
        (4, "c1"),
    ]
    assert (log.last_of("c1"), log.last_of("c2"), log.last_of("c3")) == (2, 2, 0)
    assert log.whose("c2") == ("bert", "south")
    assert [call for call, _, _ in log.open_calls()] == ["c2"]


def test_a_batch_with_a_bad_line_leaves_nothing_behind():
    log = EventLog()
    good = arrivals("c", [started("c"), alert(1)])
    with pytest.raises(AttributeError):
        log.append("c", [*good, None])
    assert log.last == 0
    assert numbers(log) == []
    assert len(log.append("c", good)) == 2


def test_an_erased_call_is_gone_from_the_file_and_its_numbers_stay_spent(tmp_path: Path):
    path = tmp_path / "hub.db"
    log = EventLog(path)
    log.append("c1", arrivals("c1", [started("c1"), said(1, "my mother's maiden name is Archer"), ended()]))
    log.append("c2", arrivals("c2", [started("c2")]))
    assert log.erase("c1") == 3
    assert numbers(log) == [4]
    assert log.whose("c1") == (None, None)
    assert log.append("c1", arrivals("c1", [said(1, "my mother's maiden name is Archer")], first=2)) == []
    assert log.last == 4
    log.close()
    assert b"Archer" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_the_file_shrinks_when_something_is_forgotten(tmp_path: Path):
    path = tmp_path / "hub.db"
    log = EventLog(path)
    for call in ("c1", "c2"):
        log.append(call, arrivals(call, [started(call), *[alert(n, summary="w" * 2000) for n in range(300)]]))
    log._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = path.stat().st_size
    log.erase("c1")
    assert log._one("PRAGMA freelist_count") == 0
    assert path.stat().st_size < 0.7 * before
    log.retain(days=30, megabytes=0.01)
    assert log._one("PRAGMA freelist_count") == 0
    assert path.stat().st_size < 0.2 * before
    log.close()


def test_the_bytes_that_are_kept_are_known_without_reading_them(tmp_path: Path):
    def known(log: EventLog) -> int:
        return log._one("SELECT value FROM marks WHERE name = 'bytes'")

    def stored(log: EventLog) -> int:
        return sum(len(line) for _, _, line in log.since(0))

    log = EventLog(tmp_path / "hub.db")
    for call in ("c1", "c2", "c3"):
        log.append(call, arrivals(call, [started(call), level(0.1), *[alert(n) for n in range(50)]]))
    log.append("c1", arrivals("c1", [alert(7)], first=2))  # sent again
    log.append("c1", arrivals("c1", [alert(99, private=True)], first=60))
    assert known(log) == stored(log) > 0
    log.erase("c2")
    assert known(log) == stored(log)
    log.retain(days=30, megabytes=stored(log) / 2e6)
    assert known(log) == stored(log) > 0
    log.close()
    assert known(EventLog(tmp_path / "hub.db")) == stored(EventLog(tmp_path / "hub.db"))


def test_a_log_of_the_former_format_is_refused_in_one_sentence_and_left_as_it_is(tmp_path: Path):
    """Its events have other names of fields (``known``, ``p``): none may be read as one of ours."""
    path = tmp_path / "hub.db"
    former = sqlite3.connect(path, isolation_level=None)
    former.execute("PRAGMA user_version=1")
    former.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, line BLOB)")
    former.execute("INSERT INTO events VALUES (1, ?)", (b'{"data":{"known":1.0}}',))
    former.close()
    with pytest.raises(BadInput) as refused:
        EventLog(path)
    assert str(refused.value).count(".") == str(path).count(".") + 1
    assert "another version" in str(refused.value)
    assert str(path) in str(refused.value)
    again = sqlite3.connect(path)
    assert again.execute("SELECT count(*) FROM events").fetchone() == (1,)
    assert again.execute("PRAGMA user_version").fetchone() == (1,)
    again.close()


def test_a_call_can_be_erased_while_a_hub_writes(tmp_path: Path):
    path = tmp_path / "hub.db"
    hub, other = EventLog(path), EventLog(path)
    hub.append("c1", arrivals("c1", [started("c1"), ended()]))
    assert other.erase("c1") == 2
    assert [entry.sequence for entry in hub.append("c2", arrivals("c2", [started("c2")]))] == [3]
    assert numbers(hub) == [3]


def test_what_is_old_or_too_much_is_forgotten_and_remembered_as_forgotten(tmp_path, monkeypatch):
    log = EventLog(tmp_path / "hub.db")
    log.append("old", arrivals("old", [started("old"), alert(1), ended()]))
    later = clock.unix() + 20 * 86400
    monkeypatch.setattr(clock, "unix", lambda: later)
    log.append("new", arrivals("new", [started("new"), *[alert(n) for n in range(100)]]))
    assert log.retain(days=30, megabytes=10) == 0
    assert log.retain(days=10, megabytes=10) == 3
    assert log.forgotten == 3
    assert log.whose("old") == (None, None)
    size = sum(len(line) for _, _, line in log.since(0))
    gone = log.retain(days=10, megabytes=size / 2 / 1e6)
    assert 50 <= gone <= 52
    assert numbers(log) == list(range(4 + gone, 105))
    assert log.last == 104
    log.close()
    assert EventLog(tmp_path / "hub.db").forgotten == 3 + gone


def test_the_file_is_for_its_owner_alone(tmp_path: Path):
    EventLog(tmp_path / "deep" / "hub.db").close()
    assert stat.S_IMODE((tmp_path / "deep" / "hub.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("what", ["not a database", "another version", "a folder"])
def test_a_file_that_is_no_event_log_is_refused_with_its_name(tmp_path: Path, what: str):
    path = tmp_path / "hub.db"
    if what == "not a database":
        path.write_bytes(b"this is a shopping list, not a database\n" * 100)
    elif what == "another version":
        sqlite3.connect(path).execute("PRAGMA user_version=99").connection.close()
    else:
        path.mkdir()
    with pytest.raises(BadInput, match=r"hub\.db"):
        EventLog(path)


KILLED = """
import os, sys
from pathlib import Path
from monitor.hub.log import EventLog
from tests.hub.hubs import alert, arrivals, started
log = EventLog(Path(sys.argv[1]))
log.append("c", arrivals("c", [started("c"), *[alert(n) for n in range(500)]]))
os.kill(os.getpid(), 9)
"""


def test_what_was_kept_survives_a_kill(tmp_path: Path, project: Path):
    path = tmp_path / "hub.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, path], cwd=project, check=False)
    assert killed.returncode == -9
    log = EventLog(path)
    assert log.last_of("c") == 501
    assert len(log.since(0)) == 501


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path):
    path = tmp_path / "hub.db"
    log, other = EventLog(path), sqlite3.connect(path, isolation_level=None)
    assert log.is_writable()
    log._db.execute("PRAGMA busy_timeout=10")
    other.execute("BEGIN IMMEDIATE")
    assert not log.is_writable()
    other.execute("ROLLBACK")
    assert log.is_writable()


def test_a_disk_without_room_is_told_until_an_event_is_kept_again(tmp_path: Path):
    log = EventLog(tmp_path / "hub.db")
    log.append("c", arrivals("c", [started("c")]))
    log._db.execute("PRAGMA max_page_count=1")
    with pytest.raises(sqlite3.Error):
        log.append("c", arrivals("c", [alert(1, summary="x" * 100_000)], first=2))
    assert not log.is_writable()
    assert (log.last, log.last_of("c")) == (1, 1), "all of it is kept, or nothing"
    log._db.execute("PRAGMA max_page_count=1000000")
    assert len(log.append("c", arrivals("c", [alert(1)], first=2))) == 1
    assert log.is_writable()
