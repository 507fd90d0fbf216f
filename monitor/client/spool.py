"""The events that a monitor still has to send to its hub, on disk: one small SQLite file per call.

A line stands here until the hub has acknowledged it, so nothing is lost when the hub is away or the
monitor is killed. The file is locked by the process that fills it; one that nobody holds was left by a
monitor that is gone, and the next monitor sends it on.
"""

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor import clock
from monitor.errors import BadInput
from monitor.wire.messages import CallIdentity

SUFFIX = ".spool"
KEEP_DAYS = 7.0
"""Events that could not be sent in this time are deleted: they hold what was said."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS lines (number INTEGER PRIMARY KEY, line BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS about (hub TEXT, call TEXT, agent TEXT, team TEXT, last INTEGER, ended INTEGER);
"""


NEW_SECONDS = 5.0
"""A younger file may be one that another monitor is just creating."""

HELD_SECONDS = 3.0
"""How long another monitor may hold a file while it checks whether it was left behind."""


class SpoolInUse(Exception):
    """Another process holds this file."""


class Spool:
    """The lines of one call that the hub has not acknowledged. Safe from any thread.

    Raises ``SpoolInUse`` when the file belongs to another process, ``BadInput`` when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.executescript(SCHEMA)
        except sqlite3.OperationalError as wrong:
            if "locked" in str(wrong):
                raise SpoolInUse from None
            raise BadInput(f"The buffer {path} for the hub cannot be used: {wrong}.") from None
        except (sqlite3.Error, OSError) as wrong:
            raise BadInput(f"The buffer {path} for the hub cannot be used: {wrong}.") from None

    def begin(self, hub: str, claimed: CallIdentity) -> None:
        """Records the call and the hub that the events are for."""
        with self._using():
            self._db.execute("DELETE FROM about")
            about = (hub, claimed.call, claimed.agent, claimed.team, 0, 0)
            self._db.execute("INSERT INTO about VALUES (?, ?, ?, ?, ?, ?)", about)

    def about(self) -> tuple[str, CallIdentity] | None:
        """The hub and the call; None if the monitor was killed before they were recorded."""
        with self._using():
            row = self._db.execute("SELECT hub, call, agent, team FROM about").fetchone()
        return (str(row[0]), CallIdentity(call=row[1], agent=row[2], team=row[3])) if row else None

    def put(self, lines: Sequence[tuple[int, bytes]], *, ended: bool = False) -> None:
        """Stores events until the hub acknowledges them; ``ended``: the call's last is among them."""
        if not lines:
            return
        with self._using():
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO lines VALUES (?, ?)", lines)
            self._db.execute("UPDATE about SET last = ?, ended = max(ended, ?)", (lines[-1][0], ended))
            self._db.execute("COMMIT")

    def after(self, number: int, limit: int = 200) -> list[tuple[int, bytes]]:
        """The next events after a number, in order."""
        query = "SELECT number, line FROM lines WHERE number > ? ORDER BY number LIMIT ?"
        with self._using():
            return [(int(n), bytes(line)) for n, line in self._db.execute(query, (number, limit))]

    def acknowledged(self, number: int) -> None:
        """Deletes everything up to a number, which the hub holds."""
        with self._using():
            self._db.execute("DELETE FROM lines WHERE number <= ?", (number,))

    @property
    def last(self) -> int:
        """The last number that was ever put here."""
        with self._using():
            row = self._db.execute("SELECT last FROM about").fetchone()
        return int(row[0]) if row else 0

    @property
    def ended(self) -> bool:
        """Whether the call's last line was put here."""
        with self._using():
            row = self._db.execute("SELECT ended FROM about").fetchone()
        return bool(row and row[0])

    @property
    def waiting(self) -> int:
        """How many events the hub has not acknowledged."""
        with self._using():
            return int(self._db.execute("SELECT count(*) FROM lines").fetchone()[0])

    @contextlib.contextmanager
    def _using(self) -> Iterator[None]:
        """One thread at a time; an error of the database is rolled back and raised as ``BadInput``."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as wrong:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise BadInput(f"The buffer {self.path} for the hub cannot be used: {wrong}.") from None

    def close(self, *, remove: bool = False) -> None:
        """Closes the file; ``remove`` deletes it."""
        with self._lock, contextlib.suppress(sqlite3.Error):  # a full disk was told before
            self._db.close()
        if remove:
            for end in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)


def path_of(folder: Path, call: str) -> Path:
    """The file of a call; hashed, since a call's name may hold what a file's may not."""
    return folder / (hashlib.sha256(call.encode()).hexdigest()[:32] + SUFFIX)


def left_behind(folder: Path) -> list[Path]:
    """The files in a folder that are not just being made, oldest first; those too old to send are removed."""
    now = clock.unix()
    ages = {path: now - path.stat().st_mtime for path in folder.glob(f"*{SUFFIX}")}
    for path, age in ages.items():
        if age > KEEP_DAYS * 86400:
            path.unlink(missing_ok=True)
    ours = [path for path, age in ages.items() if NEW_SECONDS < age <= KEEP_DAYS * 86400]
    return sorted(ours, key=lambda path: -ages[path])


def claim(folder: Path, call: str) -> Spool:
    """The file of a call that begins; raises ``BadInput`` if another process sends that call."""
    path, until = path_of(folder, call), clock.monotonic() + HELD_SECONDS
    while True:
        try:
            return Spool(path)
        except SpoolInUse:
            if clock.monotonic() > until:
                raise BadInput(f"Another monitor is sending the call {call} already.") from None
            clock.sleep(0.01)
