"""The journal: every event of a call as JSON lines, so that rules can be applied again without the audio.

Written only when asked for, since it holds what was said. Journals older than ``days`` are removed when
a new one is begun in the same folder.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from monitor import clock
from monitor.errors import BadInput
from monitor.events import AlertEvent
from monitor.sinks import Line

SUFFIX = ".jsonl"
KEEP_DAYS = 30.0


class JournalSink:
    """Appends each line to ``folder/CALL.jsonl``; the file appears with the first event, never before."""

    def __init__(self, folder: Path, *, keep_days: float = KEEP_DAYS) -> None:
        self.folder = folder
        self.path: Path | None = None
        self._keep = keep_days
        self._file: BinaryIO | None = None

    def take(self, lines: Sequence[Line]) -> None:
        """Takes the next events, in order."""
        kept = [line for line in lines if not _private(line)]
        if not kept:
            return
        file = self._file or self._open(kept[0].call)
        rest = memoryview(b"".join(line.json + b"\n" for line in kept))
        try:
            while rest:  # a disk that is nearly full takes a part
                rest = rest[file.write(rest) :]
        except OSError as wrong:
            raise BadInput(f"The journal {self.path} ends early: {wrong.strerror}.") from None

    def close(self) -> None:
        """Ends the output; called once, after the last event."""
        file, self._file = self._file, None
        if file:
            with contextlib.suppress(OSError):  # what could not be written has been told
                file.close()

    def _open(self, call: str) -> BinaryIO:
        if self.folder.exists() and not self.folder.is_dir():
            raise BadInput(f"{self.folder} is no folder; name the folder that the journal shall go to.")
        if Path(call).name != call:
            raise BadInput(f"The name of the call, {call[:80]!r}, is no name for a file in {self.folder}.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            expire(self.folder, self._keep)
            self.path = self.folder / f"{call}{SUFFIX}"
            # Nobody else on this machine needs to read what was said.
            self.path.touch(mode=0o600)
            # Without a buffer: what a full disk did not take is not tried again when the file is closed.
            self._file = self.path.open("wb", buffering=0)
        except OSError as wrong:
            raise BadInput(f"The journal cannot be written to {self.folder}: {wrong.strerror}.") from None
        return self._file


def _private(line: Line) -> bool:
    """Whether an event is for the agent alone, and so is never stored."""
    return isinstance(line.event, AlertEvent) and line.event.private


def expire(folder: Path, days: float, suffix: str = SUFFIX) -> list[Path]:
    """Removes files of that kind in ``folder`` that were last written more than ``days`` ago; which ones."""
    old = clock.unix() - days * 86400
    gone = [path for path in folder.glob(f"*{suffix}") if path.stat().st_mtime < old]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone
