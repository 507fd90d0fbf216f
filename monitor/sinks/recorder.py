"""Records the audio of a live call as the core received it, so that a replay is the same, sample for sample.

Written only when asked for (``monitor live --record``), since it is the call itself. Recordings older than
``days`` are removed when a new one is begun in the same folder.
"""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from monitor.errors import BadInput
from monitor.events import CHANNELS, Block
from monitor.sinks.journal import KEEP_DAYS, expire

SUFFIX = ".wav"
_LEFT_TO_RIGHT = [CHANNELS.index("caller"), CHANNELS.index("agent")]
_FLOAT, _BYTES = 3, 4
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_UNKNOWN = 0xFFFFFFFF
"""The length in the header until the call is over; readers then read to the end of the file."""


def folder_for(path: Path) -> Path:
    """Makes the folder where it is missing. Raises ``BadInput``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise BadInput(
            f"Calls cannot be recorded in {path}: {wrong.strerror}; name another folder."
        ) from None
    return path


class Recorder:
    """Appends blocks to ``folder/CALL.wav``: float32, caller left and agent right, at the call's ``rate``.

    A disk that is full ends the recording and not the call; ``wrong`` then says so.
    """

    def __init__(self, folder: Path, call: str, rate: int, *, keep_days: float = KEEP_DAYS) -> None:
        self.path = folder / f"{call}{SUFFIX}"
        self.wrong: str | None = None
        self._rate = rate
        self._keep = keep_days
        self._bytes = 0
        self._file: BinaryIO | None = None

    def write(self, block: Block) -> None:
        """Appends the next block; its samples are float32, shape (2, n), agent first."""
        if self.wrong or not block.pcm.size:
            return
        try:
            file = self._file or self._open()
            self._bytes += file.write(np.ascontiguousarray(block.pcm[_LEFT_TO_RIGHT].T, "<f4").tobytes())
        except OSError as wrong:
            self.wrong = f"The call is no longer recorded: {wrong.strerror}."

    def close(self) -> None:
        """Ends the file: writes its length into the header."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with file:
                file.seek(0)
                file.write(self._header(self._bytes))
        except OSError as wrong:
            self.wrong = f"The recording of the call is cut short: {wrong.strerror}."

    def _open(self) -> BinaryIO:
        expire(self.path.parent, self._keep, SUFFIX)
        # Nobody else on this machine needs to hear what was said.
        self.path.touch(mode=0o600)
        self._file = self.path.open("wb")
        self._file.write(self._header(_UNKNOWN))
        return self._file

    def _header(self, size: int) -> bytes:
        size = min(size, _UNKNOWN)
        align = len(CHANNELS) * _BYTES
        return _HEADER.pack(b"RIFF", min(size + _HEADER.size - 8, _UNKNOWN), b"WAVE", b"fmt ", 16, _FLOAT,
                            len(CHANNELS), self._rate, self._rate * align, align, 8 * _BYTES,
                            b"data", size)  # fmt: skip
