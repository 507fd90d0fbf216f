"""A desktop of its own for tests and pictures: Xvfb with a window manager and a compositor."""

import contextlib
import ctypes
import ctypes.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("Xvfb", "openbox", "picom", "xdotool", "import", "xwininfo")
PACKAGES = "xvfb openbox picom xdotool imagemagick x11-utils"
SOON = 30.0


def missing() -> str:
    """What is not installed here, for the reason of a skip."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"{', '.join(absent)} missing (apt-get install {PACKAGES})" if absent else ""


@dataclass
class Desktop:
    """A running desktop; ``env`` is what programs on it need."""

    display: str
    env: dict[str, str]

    def run(self, *words: str) -> str:
        """A program's words, on this desktop."""
        told = subprocess.run(words, env=self.env, capture_output=True, text=True, check=True, timeout=60)
        return told.stdout.strip()

    def windows(self, name: str) -> list[str]:
        """The ids of the visible windows of this name."""
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", name],
            env=self.env,
            capture_output=True,
            text=True,
        )
        return found.stdout.split()

    def place(self, window: str) -> tuple[int, int, int, int]:
        """A window's x, y, width and height."""
        shape = dict(
            line.split("=")
            for line in self.run("xdotool", "getwindowgeometry", "--shell", window).splitlines()
        )
        return int(shape["X"]), int(shape["Y"]), int(shape["WIDTH"]), int(shape["HEIGHT"])

    def picture(self, path: Path) -> Path:
        """The whole screen as a picture."""
        self.run("import", "-window", "root", str(path))
        return path


def until(condition, what: str, patience: float = SOON):
    """Waits for a condition that another process will make true; its value."""
    end = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen in {patience:g} s")
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def desktop(size: str = "1000x640") -> Iterator[Desktop]:
    """A desktop on a free display while inside."""
    with contextlib.ExitStack() as closing:
        reader, writer = os.pipe()
        screen = [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            f"{size}x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        closing.enter_context(_started(screen, dict(os.environ), pass_fds=(writer,)))
        os.close(writer)
        with os.fdopen(reader) as told:
            display = f":{told.readline().strip()}"
        env = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        env.pop("WAYLAND_DISPLAY", None)
        here = Desktop(display, env)
        until(lambda: _answers(here), "the display")
        closing.enter_context(_started(["openbox"], env))
        closing.enter_context(_started(["picom", "--backend", "xrender", "--config", "/dev/null"], env))
        until(lambda: _composited(display), "the compositor")
        yield here


def _answers(here: Desktop) -> bool:
    return (
        subprocess.run(["xdotool", "getdisplaygeometry"], env=here.env, capture_output=True).returncode == 0
    )


def _composited(display: str) -> bool:
    """Whether a compositor owns the screen (the manager selection of EWMH)."""
    x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.argtypes, x11.XInternAtom.restype = (
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int],
        ctypes.c_ulong,
    )
    x11.XGetSelectionOwner.argtypes, x11.XGetSelectionOwner.restype = (
        [ctypes.c_void_p, ctypes.c_ulong],
        ctypes.c_ulong,
    )
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    line = x11.XOpenDisplay(display.encode())
    try:
        return bool(x11.XGetSelectionOwner(line, x11.XInternAtom(line, b"_NET_WM_CM_S0", 0)))
    finally:
        x11.XCloseDisplay(line)


@contextlib.contextmanager
def _started(words: list[str], env: dict[str, str], **options) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
