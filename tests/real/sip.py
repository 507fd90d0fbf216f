"""Two softphones on loopback: a real call over SIP, with G.711 over RTP, into a virtual headset."""

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.soundserver import until

MODULES = Path("/usr/lib/baresip/modules")

CONFIG = """\
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
rtp_ports {rtp}-{last}
audio_player {player}
audio_source {source}
audio_alert aufile,/dev/null
audio_level no
call_max_calls 1
module_path {modules}
module alsa.so
module aufile.so
module g711.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""


def missing_phone() -> str | None:
    """Why no call can be made here, if none can."""
    if shutil.which("baresip") is None or not MODULES.is_dir():
        return "baresip is not installed (Debian: baresip-core; scripts/parts.sh)"
    return None


def free_ports() -> int:
    """A UDP port of loopback that is free, as is the next one (baresip takes both)."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Phone:
    """One baresip in a folder of its own; what it prints is kept."""

    def __init__(
        self, folder: Path, name: str, *, player: str, source: str, rtp: int, env: dict[str, str]
    ) -> None:
        folder.mkdir(parents=True)
        self.folder, self.name, self.env = folder, name, env
        self.port = free_ports()
        self.said: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        (folder / "config").write_text(
            CONFIG.format(
                port=self.port, rtp=rtp, last=rtp + 98, player=player, source=source, modules=MODULES
            )
        )
        (folder / "accounts").write_text(f"<sip:{name}@127.0.0.1:{self.port}>;regint=0;answermode=auto\n")

    @property
    def address(self) -> str:
        """What is dialled to reach it."""
        return f"sip:{self.name}@127.0.0.1:{self.port}"

    @property
    def talks(self) -> bool:
        """Whether a call stands."""
        return any("Call established" in line for line in self.said)

    @property
    def codec(self) -> str | None:
        """What the sound is coded with on the line."""
        found = re.search(r"Set audio encoder: (\S+)", "\n".join(self.said))
        return found[1] if found else None

    @contextmanager
    def on(self, *words: str) -> Iterator["Phone"]:
        """Switched on, with more words for its command line (``-e /dial ...``); hangs up on the way out."""
        self._process = process = subprocess.Popen(
            ["baresip", "-4", "-f", str(self.folder), *words],
            env=self.env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        try:
            until(lambda: any("baresip is ready" in line for line in self.said), "the phone")
            yield self
        finally:
            process.terminate()  # it says BYE
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join(5)

    def _read(self) -> None:
        assert self._process
        assert self._process.stdout
        for line in self._process.stdout:
            self.said.append(line.rstrip())
