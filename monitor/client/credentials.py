"""Secrets and tokens: read from files or the environment, never from command-line arguments.

Arguments can be read by everybody on the machine (``ps``) and stay in the shell's history.
"""

import os
import re
import secrets
import stat
from pathlib import Path

from monitor.errors import BadInput

SHORTEST_SECRET = 32
"""Characters; HS256 wants a key of at least its own size, 256 bits (RFC 7518, 3.2)."""

TOKEN_VARIABLE = "MONITOR_TOKEN"  # noqa: S105 - the name of a variable
LONGEST = 366 * 86400.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def read_secret(path: Path) -> str:
    """The secret in a file. Raises ``BadInput`` where it is missing, short, or open to others."""
    secret = _read(path, "secret")
    if len(secret) < SHORTEST_SECRET:
        raise BadInput(
            f"The secret in {path} is shorter than {SHORTEST_SECRET} characters and could be guessed; "
            "make one with `monitor token --new-secret`."
        )
    return secret


def read_or_make(path: Path) -> str:
    """The secret in a file, which is made (for its owner alone) where it is missing."""
    if not path.exists():
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48) + "\n")
        except FileExistsError:
            pass  # somebody else made it just now, and theirs is as good
        except OSError as wrong:
            raise BadInput(f"The secret file {path} cannot be made: {wrong.strerror}.") from None
    return read_secret(path)


def read_token(path: Path | None) -> str | None:
    """The token to show to a hub: from a file, else from the environment, else none."""
    if path is not None:
        token = _read(path, "token")
        if not (token.isascii() and token.isprintable()):
            raise BadInput(f"The token file {path} does not hold one token; make one with `monitor token`.")
        return token
    return os.environ.get(TOKEN_VARIABLE) or None


def parse_duration(text: str) -> float:
    """``90s``, ``30m``, ``8h`` or ``7d`` as seconds. Raises ``BadInput``."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])", text.strip(), re.ASCII)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= LONGEST:
        raise BadInput(f"{text} is no length of time up to a year; say for example 30m, 8h or 7d.")
    return seconds


def _read(path: Path, what: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except OSError as wrong:
        raise BadInput(f"The {what} file {path} cannot be read: {wrong.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInput(f"The {what} file {path} is not text.") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(
            f"The {what} file {path} can be read by others on this machine; say: chmod 600 {path}."
        )
    if not text:
        raise BadInput(f"The {what} file {path} is empty.")
    return text
