"""Call control for softphones: ``monitor call start`` and ``end`` reach the monitor that runs on this
machine.

The monitor listens on a loopback port chosen by the system and writes the port with a fresh secret into a
file that only its owner can read. One line of JSON goes in, one comes back. This works alike on Linux, macOS
and Windows.
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
TIMEOUT = 5.0
"""Seconds for a connection and its answer."""
MAX_LINE = 1 << 16
"""Most bytes in a line."""


class _Where(msgspec.Struct, frozen=True):
    port: int
    secret: str


class _Line(msgspec.Struct, frozen=True):
    secret: str
    hook: CallControl


CallControlHandler = Callable[[CallControl], CallControlAnswer]
_line = msgspec.json.Decoder(_Line)
_encode = msgspec.json.Encoder().encode


def control_file() -> Path:
    """The file that says how to reach the running monitor; ``MONITOR_CONTROL`` names another file."""
    named = os.environ.get("MONITOR_CONTROL")
    return Path(named) if named else Path(platformdirs.user_data_dir("call-monitor")) / "live.json"


@contextlib.asynccontextmanager
async def serve_call_control(answer: CallControlHandler, path: Path | None = None) -> AsyncIterator[None]:
    """Passes the requests of softphones to ``answer`` while the context is open.

    Raises ``BadInput`` when a monitor is running already, or the control file cannot be written.
    """
    path = path or control_file()
    if _answers(path):
        raise BadInput(
            "A monitor is already running on this machine; stop it first, "
            "or set MONITOR_CONTROL to another file."
        )
    where_secret = secrets.token_urlsafe(32)

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(TIMEOUT):
                line = await reader.readline()
                writer.write(_encode(_answered(line, where_secret, answer)) + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(attend, HOST, 0, limit=MAX_LINE)
    _write(path, _Where(server.sockets[0].getsockname()[1], where_secret))
    try:
        async with server:
            yield
    finally:
        path.unlink(missing_ok=True)


def send_call_control(hook: CallControl, path: Path | None = None) -> CallControlAnswer:
    """Sends ``hook`` to the monitor of this machine and returns its answer. Raises ``BadInput`` when none
    runs.
    """
    try:
        where = msgspec.json.decode((path or control_file()).read_bytes(), type=_Where)
        with socket.create_connection((HOST, where.port), TIMEOUT) as connection:
            connection.sendall(_encode(_Line(where.secret, hook)) + b"\n")
            with connection.makefile("rb") as file:
                return msgspec.json.decode(file.readline(MAX_LINE), type=CallControlAnswer)
    except (OSError, msgspec.DecodeError):
        raise BadInput("No monitor is running on this machine; start `monitor live` first.") from None


def _answered(line: bytes, secret: str, answer: CallControlHandler) -> CallControlAnswer:
    try:
        said = _line.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return CallControlAnswer(done=False, say="This request is not valid; use `monitor call`.")
    if not hmac.compare_digest(said.secret.encode(), secret.encode()):
        return CallControlAnswer(done=False, say="The secret is wrong: the monitor was restarted.")
    return answer(said.hook)


def _answers(path: Path) -> bool:
    """Whether the monitor that wrote ``path`` is still running."""
    try:
        return send_call_control(CallControl(kind="status"), path).done
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
