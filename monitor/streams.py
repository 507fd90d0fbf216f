"""Prepares stdout and stderr for any character, and handles streams whose reader has gone."""

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The error numbers of a full disk or an exhausted quota."""


def make_ready() -> None:
    """Makes characters missing in the terminal's encoding print as "?", and sends closed streams to null."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def give_up_stdout() -> None:
    """Redirects stdout to null, so that buffered output is not written again when the process ends."""
    with contextlib.suppress(OSError, ValueError):  # not backed by a file descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
