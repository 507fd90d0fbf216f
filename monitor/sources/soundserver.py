"""The sources of PulseAudio (or PipeWire in its clothes), as ``pactl`` tells them.

PortAudio's usual builds on Linux list ALSA devices only; what a headset plays is a source of the sound
server (NAME.monitor), and ALSA's pulse device opens it when it is named in the environment.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass

PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Source:
    """One source of the sound server."""

    name: str
    rate: int
    channels: int
    monitor: bool
    default: bool


def sources() -> list[Source]:
    """Every source, monitors included; none where no sound server answers."""
    info = dict(line.split(": ", 1) for line in _ask("info").splitlines() if ": " in line)
    usual = {info.get("Default Source"), f"{info.get('Default Sink')}.monitor"}
    found = []
    for line in _ask("list", "short", "sources").splitlines():
        parts = line.split("\t")
        if len(parts) < 4:
            continue
        words = {word[-2:]: word[:-2] for word in parts[3].split()}
        found.append(
            Source(
                name=parts[1],
                rate=_number(words.get("Hz"), 48000),
                channels=_number(words.get("ch"), 1),
                monitor=parts[1].endswith(".monitor"),
                default=parts[1] in usual,
            )
        )
    return found


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise


def _ask(*words: str) -> str:
    """What ``pactl`` says, in English; nothing where it is not here or has nothing to say."""
    program = shutil.which("pactl")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program with fixed words
            [program, *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
