"""The hub's event log: an append-only SQLite file in which each event has a sequence of its own.

A publisher numbers the events of its call; the log remembers the last number it holds of each call and leaves
out what it has already, so a publisher may send again after a broken connection without anything being stored
twice. Listeners are given the log's own sequence, which only grows. One hub writes to a log: two would give
the same sequence to different events.

Ephemeral events (levels, partial words) are passed on but not stored, and bear the sequence of the event
before them. Events that are private to an agent have a sequence of their own but are never written.
Write-ahead logging keeps what was committed when the process is killed.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor import clock
from monitor.errors import BadInput
from monitor.events import CallEnded, CallStarted, Event
from monitor.hub.entry import Arrival, LogEntry, numbered
from monitor.wire.messages import is_ephemeral, is_private


@contextlib.contextmanager
def sole_writer(log: Path) -> Iterator[None]:
    """While inside, no other hub may write to ``log``. Raises ``BadInput`` where one does already.

    The lock is SQLite's, on an empty file beside the log: it works alike on every system, and is gone with
    the process that held it, however that ended.
    """
    lock = log.with_name(log.name + ".lock")
    lock.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(lock, isolation_level=None, timeout=0)) as held:
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise BadInput(
                f"Another hub writes to the event log {log} already; end it first, or name another with --db."
            ) from None
        yield


SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    call TEXT PRIMARY KEY, agent TEXT, team TEXT, stored REAL NOT NULL,
    last INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, call TEXT NOT NULL, stored REAL NOT NULL, line BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO marks VALUES
    ('last', 0), ('forgotten', 0), ('bytes', 0), ('name', abs(random() / 2));
CREATE INDEX IF NOT EXISTS events_of_call ON events (call, sequence);
CREATE INDEX IF NOT EXISTS events_by_age ON events (stored);
"""
VERSION = 2
"""Of the file: its tables and the form of its events. It goes up whenever an older file, or an older reader,
would be misunderstood. A log of another version is refused and left as it is."""
ERASED = 2
"""In ``calls.ended``: it ended by being erased (1: with a ``call.ended``)."""
FAILED_SECONDS = 60.0
"""How long the log counts as not writable after an event could not be stored."""
BUSY_SECONDS = 5.0
"""How long another process (an erasure) may hold the file."""


class EventLog:
    """The log in the file ``path`` (None: in memory). Raises ``BadInput`` where it cannot be used."""

    def __init__(self, path: Path | None = None) -> None:
        where = str(path) if path else ":memory:"
        self._failed: float | None = None
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            self._db = sqlite3.connect(where, isolation_level=None, timeout=BUSY_SECONDS)
            self._check_version(where)
            self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.executescript(SCHEMA)
            self._db.execute(f"PRAGMA user_version={VERSION}")
        except (sqlite3.Error, OSError) as wrong:
            raise BadInput(f"The event log {where} cannot be used: {wrong}.") from None
        self.last = self._one("SELECT value FROM marks WHERE name = 'last'")
        self.forgotten = self._one("SELECT value FROM marks WHERE name = 'forgotten'")
        """The last sequence that retention has deleted; a listener cannot resume from before it."""
        self.name = format(self._one("SELECT value FROM marks WHERE name = 'name'"), "x")
        """Identifies this log: a sequence is valid only in the log that gave it out."""

    def begin(self, call: str, agent: str | None, team: str | None) -> None:
        """Records a call with its agent and team; those of a known call stay as they were."""
        self._db.execute(
            "INSERT OR IGNORE INTO calls (call, agent, team, stored) VALUES (?, ?, ?, ?)",
            (call, agent, team, clock.unix()),
        )

    def append(self, call: str, arrivals: Sequence[Arrival]) -> list[LogEntry]:
        """Stores what is new of ``arrivals`` (one call's events in order); the entries for the listeners."""
        if all(is_ephemeral(arrival.event) for arrival in arrivals) and not self.is_erased(call):
            return [numbered(self.last, call, arrival, durable=False) for arrival in arrivals]
        try:
            entries = self._kept(call, arrivals)
        except sqlite3.Error:
            self._failed = clock.monotonic()
            raise
        self._failed = None
        self.last = entries[-1].sequence if entries else self.last
        return entries

    def _kept(self, call: str, arrivals: Sequence[Arrival]) -> list[LogEntry]:
        """Stores all of them, or none."""
        with self._transaction():
            return self._append(call, arrivals)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction: committed at the end, rolled back by an exception."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise

    def last_of(self, call: str) -> int:
        """The last number of ``call`` that is stored, from which its publisher resumes."""
        row = self._db.execute("SELECT last FROM calls WHERE call = ?", (call,)).fetchone()
        return int(row[0]) if row else 0

    def has_ended(self, call: str) -> bool:
        """Whether ``call`` has ended."""
        row = self._db.execute("SELECT ended FROM calls WHERE call = ?", (call,)).fetchone()
        return bool(row and row[0])

    def is_erased(self, call: str) -> bool:
        """Whether ``call`` was erased, by this process or another."""
        row = self._db.execute("SELECT ended FROM calls WHERE call = ?", (call,)).fetchone()
        return bool(row and row[0] == ERASED)

    def is_writable(self) -> bool:
        """Whether an event can be stored: a write is tried, and none failed in ``FAILED_SECONDS``."""
        try:
            self._db.execute("UPDATE marks SET value = value WHERE name = 'last'")
        except sqlite3.Error:
            return False
        return self._failed is None or clock.monotonic() - self._failed > FAILED_SECONDS

    def whose(self, call: str) -> tuple[str | None, str | None]:
        """The agent and the team of a call."""
        row = self._db.execute("SELECT agent, team FROM calls WHERE call = ?", (call,)).fetchone()
        return (row[0], row[1]) if row else (None, None)

    PAGE = 1000
    """Entries that are read in one query."""

    def since(self, sequence: int, limit: int = PAGE) -> list[tuple[int, str, bytes]]:
        """Up to ``limit`` entries after ``sequence``: (sequence, call, line)."""
        rows = self._db.execute(
            "SELECT sequence, call, line FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (sequence, limit),
        )
        return [(int(number), str(call), bytes(line)) for number, call, line in rows]

    def open_calls(self) -> Iterator[tuple[str, str | None, str | None]]:
        """(call, agent, team) of the calls that have not ended."""
        yield from self._db.execute(
            "SELECT call, agent, team FROM calls WHERE NOT ended ORDER BY stored, call"
        )

    def lines_of(self, call: str) -> list[bytes]:
        """Every stored line of one call, in order."""
        rows = self._db.execute("SELECT line FROM events WHERE call = ? ORDER BY sequence", (call,))
        return [bytes(line) for (line,) in rows]

    def erase(self, call: str) -> int:
        """Deletes the events of ``call``; how many. Its numbers are not used again.

        Nothing more is stored of a call under way: what its monitor still sends is acknowledged, no more.
        """
        with self._transaction():
            size = self._one("SELECT coalesce(sum(length(line)), 0) FROM events WHERE call = ?", call)
            gone = self._db.execute("DELETE FROM events WHERE call = ?", (call,)).rowcount
            self._db.execute(
                "UPDATE calls SET agent = NULL, team = NULL, ended = ? WHERE call = ?", (ERASED, call)
            )
            self._add_bytes(-size)
        self._shrink()
        return gone

    def retain(self, *, days: float, megabytes: float) -> int:
        """Deletes events older than ``days``, then the oldest beyond ``megabytes``; how many."""
        old = clock.unix() - days * 86400
        with self._transaction():
            too_old = self._one("SELECT coalesce(max(sequence), 0) FROM events WHERE stored < ?", old)
            cut = max(too_old, self._beyond(megabytes * 1e6))
            size = self._one("SELECT coalesce(sum(length(line)), 0) FROM events WHERE sequence <= ?", cut)
            gone = self._db.execute("DELETE FROM events WHERE sequence <= ?", (cut,)).rowcount
            if gone:
                self.forgotten = cut
                self._db.execute("UPDATE marks SET value = ? WHERE name = 'forgotten'", (cut,))
                self._add_bytes(-size)
            self._db.execute(
                "DELETE FROM calls WHERE ended AND stored < ? AND call NOT IN (SELECT call FROM events)",
                (old,),
            )
        self._shrink()
        return gone

    def _beyond(self, limit: float) -> int:
        """The last sequence to delete so that at most ``limit`` bytes stay. Reads only what is deleted."""
        excess = self._one("SELECT value FROM marks WHERE name = 'bytes'") - limit
        cut = 0
        if excess > 0:
            for sequence, size in self._db.execute(
                "SELECT sequence, length(line) FROM events ORDER BY sequence"
            ):
                cut, excess = int(sequence), excess - int(size)
                if excess <= 0:
                    break
        return cut

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _shrink(self) -> None:
        """Gives the free pages of the file, and of its write-ahead log, back to the disk."""
        # The pragma frees one page a step and returns no rows: ``execute`` would make a single step.
        self._db.executescript("PRAGMA incremental_vacuum")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _add_bytes(self, size: int) -> None:
        self._db.execute("UPDATE marks SET value = value + ? WHERE name = 'bytes'", (size,))

    def _append(self, call: str, arrivals: Sequence[Arrival]) -> list[LogEntry]:
        self._db.execute("INSERT OR IGNORE INTO calls (call, stored) VALUES (?, ?)", (call, clock.unix()))
        last, erased = self.last_of(call), self.is_erased(call)
        sequence, entries, now, size = self.last, [], clock.unix(), 0
        for arrival in arrivals:
            if erased:
                last = max(last, 0 if is_ephemeral(arrival.event) else arrival.number)
                continue
            if is_ephemeral(arrival.event):
                entries.append(numbered(sequence, call, arrival, durable=False))
                continue
            if arrival.number <= last:
                continue
            last = arrival.number
            sequence += 1
            entry = numbered(sequence, call, arrival, durable=True)
            if not is_private(arrival.event):
                self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (sequence, call, now, entry.line))
                size += len(entry.line)
            self._note(call, arrival.event)
            entries.append(entry)
        self._db.execute("UPDATE calls SET last = ?, stored = ? WHERE call = ?", (last, now, call))
        self._db.execute("UPDATE marks SET value = ? WHERE name = 'last'", (sequence,))
        self._add_bytes(size)
        return entries

    def _note(self, call: str, event: Event) -> None:
        if isinstance(event, CallStarted):
            self._db.execute(
                "UPDATE calls SET agent = coalesce(?, agent), team = coalesce(?, team) WHERE call = ?",
                (event.agent, event.team, call),
            )
        elif isinstance(event, CallEnded):
            self._db.execute("UPDATE calls SET ended = 1 WHERE call = ?", (call,))

    def _check_version(self, where: str) -> None:
        found = int(self._one("PRAGMA user_version"))
        if found not in (0, VERSION):
            raise BadInput(
                f"The event log {where} was written by another version of the monitor (format {found}, "
                f"this one reads {VERSION}); move it away, or name another with --db."
            )

    def _one(self, query: str, *values: float | str) -> int:
        return int(self._db.execute(query, values).fetchone()[0])
