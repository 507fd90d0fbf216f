"""A cable between a client and a hub that can be pulled out: a relay of bytes on loopback."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Cable:
    """``url`` leads to the hub while the cable is plugged in; pulled out, nobody answers there."""

    def __init__(self, url: str) -> None:
        self._hub = (urlsplit(url).hostname, urlsplit(url).port)
        self._ends: list[socket.socket] = []
        self._listening = self._door(0)
        self.port = self._listening.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"

    def pull(self) -> None:
        """Breaks what goes through, and lets nothing more in."""
        for one in (self._listening, *self._ends):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._ends.clear()

    def plug(self) -> None:
        """Leads to the hub again, on the same port."""
        self._listening = self._door(self.port)

    def _door(self, port: int) -> socket.socket:
        door = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._let_in, args=(door,), daemon=True).start()
        return door

    def _let_in(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = door.accept()
                far = socket.create_connection(self._hub)
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
