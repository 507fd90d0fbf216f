"""The supervisors' page as files, and short texts: what the hub's port answers to plain HTTP."""

import mimetypes
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.http11 import Response

SAFETY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Connection": "close",
}


def text(status: HTTPStatus, words: str) -> Response:
    """A sentence for people."""
    return response(status, "text/plain; charset=utf-8", words.encode())


def response(status: HTTPStatus, kind: str, body: bytes) -> Response:
    """An answer with the headers that keep a page safe."""
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), **SAFETY_HEADERS})
    return Response(status.value, status.phrase, headers, body)


def page(folder: Path, path: str) -> Response:
    """A file of the page; nothing outside ``folder`` is ever read."""
    if path == "/favicon.ico":
        path = "/favicon.svg"
    name = "index.html" if path == "/" else unquote(path).lstrip("/")
    file = _inside(folder.resolve(), name)
    if file is None:
        return text(HTTPStatus.NOT_FOUND, "There is nothing here.\n")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    kind += "; charset=utf-8" if kind.startswith("text/") or "javascript" in kind else ""
    return response(HTTPStatus.OK, kind, file.read_bytes())


def _inside(root: Path, name: str) -> Path | None:
    if "\0" in name or "\\" in name:
        return None
    file = (root / name).resolve()
    hidden = any(part.startswith(".") for part in Path(name).parts)
    known = file.is_relative_to(root) and file.is_file() and file.suffix != ".py"
    return file if known and not hidden else None
