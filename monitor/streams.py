"""What a command prints on: ready for every letter, and given up in order when nobody takes it."""

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The reasons for which a disk takes nothing more."""


def make_ready() -> None:
    """A letter that the terminal's encoding lacks is printed as "?", and a closed stream swallows all."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def give_up_stdout() -> None:
    """What still waits for stdout goes nowhere, so that the end of the process does not try it again."""
    with contextlib.suppress(OSError, ValueError):  # no file of the system behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
