"""The hub's memory: an append-only log of events in SQLite, each with a sequence of its own.

A publisher numbers its lines per call; the log remembers the last number it holds of each call and
leaves out what it has already, so a publisher may send again after a broken connection without anything
standing twice. Listeners are given the log's own sequence, which only grows.

What is only looked at (levels, partial words) is passed on but not kept, and neither is what is private
to an agent. Write-ahead logging keeps what was committed when the process is killed.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from monitor import clock
from monitor.errors import BadInput
from monitor.events import AlertEvent, CallEnded, CallStarted, Event, OverlapStarted, Prosody, Utterance
from monitor.wire import SEQUENCE_DIGITS, Envelope

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    call TEXT PRIMARY KEY, agent TEXT, team TEXT, stored REAL NOT NULL,
    last INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, call TEXT NOT NULL, stored REAL NOT NULL, line BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_call ON events (call, sequence);
CREATE INDEX IF NOT EXISTS events_by_age ON events (stored);
"""
VERSION = 1

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with the hub's sequence, as listeners get it. ``kept`` is false for what only passes by."""

    sequence: int
    call: str
    event: Event
    line: bytes
    kept: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """A line from a publisher: its own number in its call, its envelope and its event."""

    number: int
    envelope: Envelope
    event: Event


def passes_by(event: Event) -> bool:
    """Whether an event is only looked at, or private, and so never kept."""
    if isinstance(event, Utterance):
        return not event.final
    if isinstance(event, AlertEvent):
        return event.private
    return isinstance(event, Prosody | OverlapStarted)


class EventLog:
    """One file, one writer. Raises ``BadInput`` when ``path`` cannot be used."""

    def __init__(self, path: Path | None = None) -> None:
        where = str(path) if path else ":memory:"
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
            self._db = sqlite3.connect(where, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA secure_delete=ON")
            self._check_version(where)
            self._db.executescript(SCHEMA)
        except (sqlite3.DatabaseError, OSError) as wrong:
            raise BadInput(f"The event log {where} cannot be used: {wrong}.") from None
        self.last = int(self._one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'"))

    def append(self, call: str, arrivals: Sequence[Arrival]) -> list[Entry]:
        """Keeps what is new of ``arrivals`` (one call's lines in order); the entries for the listeners."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            entries = self._append(call, arrivals)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self.last = next((entry.sequence for entry in reversed(entries) if entry.kept), self.last)
        return entries

    def last_of(self, call: str) -> int:
        """The last number of ``call`` that is kept; where its publisher goes on."""
        row = self._db.execute("SELECT last FROM calls WHERE call = ?", (call,)).fetchone()
        return int(row[0]) if row else 0

    def whose(self, call: str) -> tuple[str | None, str | None]:
        """The agent and the team of a call."""
        row = self._db.execute("SELECT agent, team FROM calls WHERE call = ?", (call,)).fetchone()
        return (row[0], row[1]) if row else (None, None)

    def since(self, sequence: int, limit: int = 1000) -> list[tuple[int, str, bytes]]:
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
        """Every kept line of one call, in order."""
        rows = self._db.execute("SELECT line FROM events WHERE call = ? ORDER BY sequence", (call,))
        return [bytes(line) for (line,) in rows]

    def erase(self, call: str) -> int:
        """Forgets all that was said in ``call``; how many events. Its numbers stay spent."""
        gone = self._db.execute("DELETE FROM events WHERE call = ?", (call,)).rowcount
        self._db.execute("UPDATE calls SET agent = NULL, team = NULL, ended = 1 WHERE call = ?", (call,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def retain(self, *, days: float, megabytes: float) -> int:
        """Forgets what is older than ``days``, then the oldest beyond ``megabytes``; how many events."""
        gone = self._db.execute(
            "DELETE FROM events WHERE stored < ?", (clock.unix() - days * 86400,)
        ).rowcount
        size = int(self._one("SELECT coalesce(sum(length(line)), 0) FROM events"))
        while size > megabytes * 1e6:
            cut = int(
                self._one(
                    "SELECT max(sequence) FROM (SELECT sequence FROM events ORDER BY sequence LIMIT 1000)"
                )
            )
            gone += self._db.execute("DELETE FROM events WHERE sequence <= ?", (cut,)).rowcount
            size = int(self._one("SELECT coalesce(sum(length(line)), 0) FROM events"))
        self._db.execute("DELETE FROM calls WHERE ended AND stored < ?", (clock.unix() - days * 86400,))
        return gone

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _append(self, call: str, arrivals: Sequence[Arrival]) -> list[Entry]:
        self._db.execute("INSERT OR IGNORE INTO calls (call, stored) VALUES (?, ?)", (call, clock.unix()))
        last = self.last_of(call)
        sequence, entries, now = self.last, [], clock.unix()
        for arrival in arrivals:
            if passes_by(arrival.event):
                entries.append(_entry(sequence, call, arrival, kept=False))
                continue
            if arrival.number <= last:
                continue
            last = arrival.number
            sequence += 1
            entry = _entry(sequence, call, arrival, kept=True)
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (sequence, call, now, entry.line))
            self._note(call, arrival.event)
            entries.append(entry)
        self._db.execute("UPDATE calls SET last = ? WHERE call = ?", (last, call))
        return entries

    def _note(self, call: str, event: Event) -> None:
        if isinstance(event, CallStarted):
            self._db.execute(
                "UPDATE calls SET agent = ?, team = ? WHERE call = ?", (event.agent, event.team, call)
            )
        elif isinstance(event, CallEnded):
            self._db.execute("UPDATE calls SET ended = 1 WHERE call = ?", (call,))

    def _check_version(self, where: str) -> None:
        found = int(self._one("PRAGMA user_version"))
        if found not in (0, VERSION):
            raise BadInput(
                f"The event log {where} was written by another version of the monitor; move it away."
            )
        self._db.execute(f"PRAGMA user_version={VERSION}")

    def _one(self, query: str) -> int:
        return self._db.execute(query).fetchone()[0]  # type: ignore[no-any-return]  # sqlite3 rows are untyped


def _entry(sequence: int, call: str, arrival: Arrival, *, kept: bool) -> Entry:
    envelope = msgspec.structs.replace(arrival.envelope, sequence=f"{sequence:0{SEQUENCE_DIGITS}d}")
    return Entry(sequence, call, arrival.event, _encoder.encode(envelope), kept)
