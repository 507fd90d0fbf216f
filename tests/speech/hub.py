"""A model hub on loopback: the few answers of the real one that its client asks for, from a folder."""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "a" * 40


class Hub(ThreadingHTTPServer):
    """Serves the files of ``folder`` as every repository's; ``pause`` seconds between two pieces of one."""

    daemon_threads = True

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = {file.name: file for file in folder.iterdir() if file.is_file()}
        self.pause = pause
        self.asked: list[str] = []
        self.sending = threading.Event()

    @property
    def url(self) -> str:
        """What ``HF_ENDPOINT`` is set to."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Nothing in the tests' output."""

    def _answer(self, *, body: bool) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append(path)
        name = path.rpartition("/")[2]
        if path.startswith("/api/models/"):
            siblings = [{"rfilename": file} for file in (*self.server.files, "README.md")]
            self._send(json.dumps({"id": "x/y", "sha": REVISION, "siblings": siblings}).encode(), body=body)
        elif name in self.server.files:
            self._send(self.server.files[name].read_bytes(), body=body)
        else:
            self.send_error(404)

    def _send(self, content: bytes, *, body: bool) -> None:
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if not body:
            return
        for at in range(start, len(content), 1 << 16):
            self.wfile.write(content[at : at + (1 << 16)])
            if len(content) > 1 << 20:
                self.server.sending.set()
                time.sleep(self.server.pause)  # a slow line, not a wait for something


@contextlib.contextmanager
def hub(folder: Path, pause: float = 0.0) -> Iterator[Hub]:
    """A hub that answers while inside."""
    server = Hub(folder, pause)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
