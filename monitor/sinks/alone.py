"""One hub a log: two that write to the same file would give the same sequence to different events."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from monitor.errors import BadInput


@contextlib.contextmanager
def alone(log: Path) -> Iterator[None]:
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
