"""A softphone's hook: ``monitor call start`` and ``end`` reach the monitor that listens on this machine.

A loopback port of any number, written with a fresh secret into a file that only its owner can read. One
line of JSON goes in, one comes back. This works alike on Linux, macOS and Windows.
"""

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import platformdirs

from monitor.errors import BadInput
from monitor.events import CallControl, CallControlAnswer

HOST = "127.0.0.1"
PATIENCE = 5.0
LONGEST = 1 << 16
"""Bytes of a line at most."""


class _Where(msgspec.Struct, frozen=True):
    port: int
    secret: str


class _Line(msgspec.Struct, frozen=True):
    secret: str
    hook: CallControl


Answer = Callable[[CallControl], CallControlAnswer]
_line = msgspec.json.Decoder(_Line)
_encode = msgspec.json.Encoder().encode


def control_file() -> Path:
    """Where the running monitor says how it is reached; ``MONITOR_CONTROL`` names another file."""
    named = os.environ.get("MONITOR_CONTROL")
    return Path(named) if named else Path(platformdirs.user_data_dir("call-monitor")) / "live.json"


@contextlib.asynccontextmanager
async def hooks(answer: Answer, path: Path | None = None) -> AsyncIterator[None]:
    """Lets softphones reach ``answer`` while inside. Raises ``BadInput`` when a monitor runs already."""
    path = path or control_file()
    if _answers(path):
        raise BadInput(
            "A monitor listens on this machine already; end it first, or set MONITOR_CONTROL to another file."
        )
    where_secret = secrets.token_urlsafe(32)

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(PATIENCE):
                line = await reader.readline()
                writer.write(_encode(_answered(line, where_secret, answer)) + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(attend, HOST, 0, limit=LONGEST)
    _write(path, _Where(server.sockets[0].getsockname()[1], where_secret))
    try:
        async with server:
            yield
    finally:
        path.unlink(missing_ok=True)


def ask(hook: CallControl, path: Path | None = None) -> CallControlAnswer:
    """Says ``hook`` to the monitor of this machine. Raises ``BadInput`` when none runs."""
    try:
        where = msgspec.json.decode((path or control_file()).read_bytes(), type=_Where)
        with socket.create_connection((HOST, where.port), PATIENCE) as connection:
            connection.sendall(_encode(_Line(where.secret, hook)) + b"\n")
            with connection.makefile("rb") as file:
                return msgspec.json.decode(file.readline(LONGEST), type=CallControlAnswer)
    except (OSError, msgspec.DecodeError):
        raise BadInput("No monitor listens on this machine; start `monitor live` first.") from None


def _answered(line: bytes, secret: str, answer: Answer) -> CallControlAnswer:
    try:
        said = _line.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return CallControlAnswer(done=False, say="This is not understood; use `monitor call`.")
    if not hmac.compare_digest(said.secret.encode(), secret.encode()):
        return CallControlAnswer(done=False, say="The secret is wrong: this is another monitor than it was.")
    return answer(said.hook)


def _answers(path: Path) -> bool:
    """Whether a monitor that left ``path`` behind still lives."""
    try:
        return ask(CallControl(kind="status"), path).done
    except BadInput:
        return False


def _write(path: Path, where: _Where) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(_encode(where))
    except OSError as wrong:
        raise BadInput(f"{path} cannot be written: {wrong.strerror}; set MONITOR_CONTROL.") from None
