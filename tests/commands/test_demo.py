"""``monitor demo``: says what to look at, ends by itself or at once when asked, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from monitor.commands.demo import CALL, SECONDS, _spoken

pty = pytest.importorskip("pty", reason="this system has no terminals of that kind")

PAGE = re.compile(r"http://127\.0\.0\.1:(\d+)/#role=agent&call=\S+")
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])(?:;\d+)*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UNSET = ("NO_COLOR", "FORCE_COLOR", "ORT_DISABLE_TELEMETRY")
"""What this process may have and the demo must find out by itself."""
SOON = 120.0
"""Seconds for a start on a busy machine."""


class Terminal:
    """The demo in a terminal of so many columns, with a home of its own."""

    def __init__(self, home: Path, columns: int, *words: str, **env: str) -> None:
        self.home = home
        near, far = pty.openpty()
        self._screen = near
        os.set_blocking(near, False)
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "demo", *words],
            stdin=far, stdout=far, stderr=far, start_new_session=True,
            env={**clean(home), "COLUMNS": str(columns), "LINES": "30", "TERM": "xterm-256color", **env},
        )  # fmt: skip
        os.close(far)

    def read(self) -> str:
        try:
            while piece := os.read(self._screen, 65536):
                self.shown += piece
        except OSError:
            pass
        return CONTROL.sub("", self.shown.decode(errors="replace"))

    def until(self, text: str | re.Pattern[str]) -> re.Match[str]:
        end = time.monotonic() + SOON
        while not (found := re.search(text, self.read())):
            assert time.monotonic() < end, f"{text} did not come: {self.read()[-2000:]}"
            assert self.process.poll() is None, self.read()[-2000:]
            time.sleep(0.05)
        return found

    def end(self) -> int:
        end = time.monotonic() + SOON
        while self.process.poll() is None:
            assert time.monotonic() < end
            self.read()
            time.sleep(0.02)
        self.read()
        return self.process.returncode


def clean(home: Path) -> dict[str, str]:
    """An environment whose every place to leave something is ``home``."""
    places = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**kept, **dict.fromkeys(places, str(home)), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Somewhere to leave something behind; nothing may be there afterwards."""
    place = tmp_path / "home"
    place.mkdir()
    yield place
    assert list(place.iterdir()) == []


def nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_says_what_to_look_at_ends_by_itself_and_leaves_nothing(home: Path) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    ran = subprocess.run(
        [sys.executable, "-m", "monitor", "demo", "--speed", "60", "--model", "script"],
        env={**clean(home), "COLUMNS": "80"}, cwd=home, capture_output=True, text=True, timeout=SOON,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for text in ("Look at", "the page", "the overlay", "It ends by itself after 2 s.", "That was it"):
        assert text in ran.stdout
    assert "▲ Pause: 'Please, go on.'" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr, "not a terminal, so no control characters"
    page = PAGE.search(ran.stderr)
    assert page
    assert nobody_listens(int(page[1]))
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


def test_a_narrow_terminal_without_colours(home: Path) -> None:
    terminal = Terminal(home, 60, "--speed", "60", "--model", "script", NO_COLOR="1")
    assert terminal.end() == 0, terminal.read()[-2000:]
    assert not COLOUR.search(terminal.shown)
    lines = [line.rstrip("\r") for line in terminal.read().split("\n") if "http" not in line]
    # A moving line is drawn over itself: what stands before the last return is not seen any more.
    assert max(len(part) for line in lines for part in line.split("\r")) <= 60


def test_its_page_answers_while_it_plays_and_ctrl_c_ends_it_at_once(home: Path) -> None:
    terminal = Terminal(home, 100, "--model", "script")
    page = terminal.until(PAGE)
    with urllib.request.urlopen(page[0].partition("#")[0], timeout=20) as answer:  # noqa: S310 - loopback
        assert b"Live calls" in answer.read()
    terminal.until("Good morning")
    asked = time.monotonic()
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130
    assert time.monotonic() - asked < 2.0
    assert nobody_listens(int(page[1]))
    assert "Traceback" not in terminal.read()
    assert "That was it" not in terminal.read()


def test_the_length_it_tells_is_that_of_the_call(project: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    assert soundfile.info(project / CALL).duration == pytest.approx(SECONDS, abs=0.1)
    assert _spoken(SECONDS) == "1 min 50 s"
