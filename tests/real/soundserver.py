"""A sound server of our own with a virtual headset: what the tests play is what the monitor hears."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NEEDED = ("pulseaudio", "pactl", "paplay", "parec")
PATIENCE = 60.0
"""Seconds of wall time for anything to happen: a limit for a test that is broken, not an expectation."""

SERVER = """\
.fail
load-module module-native-protocol-unix socket={folder}/native auth-anonymous=1
load-module module-null-sink sink_name=call_bus rate=48000 channels=2 channel_map=front-left,front-right
load-module module-remap-sink sink_name=mic_feed master=call_bus channels=1 channel_map=mono \
master_channel_map=front-left remix=no
load-module module-remap-sink sink_name=headset_out master=call_bus channels=1 channel_map=mono \
master_channel_map=front-right remix=no
load-module module-null-sink sink_name=far_end rate=48000 channels=1 channel_map=mono
load-module module-remap-source source_name=agent_mic master=call_bus.monitor channels=1 channel_map=mono \
master_channel_map=front-left remix=no
load-module module-remap-source source_name=caller_loop master=call_bus.monitor channels=1 channel_map=mono \
master_channel_map=front-right remix=no
set-default-sink call_bus
set-default-source agent_mic
"""
ALSA = """\
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.phone_mic { type pulse; device "agent_mic" }
pcm.phone_out { type pulse; device "headset_out" }
pcm.far_phone { type pulse; device "far_end" }
"""
"""The last three are what softphones are told to use; they know no sound server."""


def missing() -> str | None:
    """Why these tests cannot run here, if they cannot."""
    programs = [name for name in NEEDED if shutil.which(name) is None]
    if programs:
        return f"{', '.join(programs)} is not installed (scripts/parts.sh)"
    tried = subprocess.run(
        [sys.executable, "-c", "import sounddevice"], capture_output=True, text=True, check=False
    )
    return None if tried.returncode == 0 else "PortAudio or sounddevice is not installed (scripts/parts.sh)"


def until(condition: Callable[[], Any], what: str) -> Any:
    """Waits for ``condition`` to hold."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return answer


class SoundServer:
    """PulseAudio in a folder of its own; the agent's microphone is the left of what is played."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        folder.chmod(0o700)
        (folder / "asound.conf").write_text(ALSA)
        (folder / "default.pa").write_text(SERVER.format(folder=folder))
        self.env = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_STATE_PATH": str(folder / "state"),
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{folder}/asound.conf",
            "MONITOR_CONTROL": str(folder / "live.json"),
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["pulseaudio", "-n", "-F", str(self.folder / "default.pa"), "--daemonize=no",
             "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no", "--high-priority=no",
             f"--log-target=file:{self.folder / 'pulse.log'}"],
            env=self.env,
        )  # fmt: skip
        until(lambda: "caller_loop" in self.pactl("list", "short", "sources"), "the sound server")

    def pactl(self, *words: str) -> str:
        return subprocess.run(
            ["pactl", *words], env=self.env, capture_output=True, text=True, check=False
        ).stdout

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def recording(self, to: Path, of: str = "call_bus", channels: int = 2) -> Iterator[Path]:
        """Records what the headset really carries meanwhile, on another way than the monitor's."""
        with to.open("wb") as file:
            recorder = subprocess.Popen(
                ["parec", "-d", f"{of}.monitor", "--rate=8000", f"--channels={channels}", "--format=s16le",
                 "--raw", "--latency-msec=2000"],
                env=self.env, stdout=file,
            )  # fmt: skip
            try:
                until(lambda: to.stat().st_size > 0, "the recorder")
                yield to
            finally:
                recorder.terminate()
                recorder.wait()

    def play(self, recording: Path, to: str = "call_bus") -> "subprocess.Popen[bytes]":
        """Plays a stereo file (left agent, right caller); both sides begin with the same sample.

        ``to`` may be ``mic_feed``: what the agent says, in one channel.
        """
        return subprocess.Popen(["paplay", "--latency-msec=1500", "-d", to, str(recording)], env=self.env)


class Monitor:
    """``monitor live`` as a person would start it; its lines are read as they come."""

    def __init__(self, server: SoundServer, *words: str) -> None:
        self.lines: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "live", "--mic", "agent_mic", "--speaker", "caller_loop",
             "--rate", "8000", "--model", "none", "--json", *words],
            env=server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_told, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_lines(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def _read_told(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.told.append(line.rstrip())

    def waits(self) -> bool:
        """Whether it hears the devices and waits for a call (it says so with the first callbacks in)."""
        if self.process.poll() is not None:
            self._readers[1].join(PATIENCE)
            raise AssertionError(f"the monitor ended: {self.told}")
        return any("Waiting for a call" in said for said in self.told)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of each line of this kind."""
        return [line["data"] for line in list(self.lines) if line["type"] == f"monitor.{kind}"]

    def end(self, signal: int | None = None) -> int:
        """Waits for the end (after a signal); the exit code."""
        if signal is not None:
            self.process.send_signal(signal)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code


@contextmanager
def monitoring(server: SoundServer, *words: str) -> Iterator[Monitor]:
    """A monitor that is ended with the test, however the test ends."""
    monitor = Monitor(server, *words)
    try:
        until(monitor.waits, "the monitor to hear its devices")
        yield monitor
    finally:
        if monitor.process.poll() is None:
            monitor.process.kill()
            monitor.process.wait()
