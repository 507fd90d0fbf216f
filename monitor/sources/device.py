"""Audio devices: which there are, which of them a user means, and their streams (PortAudio, PulseAudio,
PipeWire).

PortAudio's usual builds for Linux list ALSA devices only. What a headset plays is a source of the sound
server (NAME.monitor), which ``pactl`` lists, and ALSA's pulse device opens it when it is named in the
environment.

PortAudio must be called from one thread at a time (see ``capture.DeviceSupervisor``). Its callback runs in a
thread of its own: it copies once into the ring buffer, stores a time stamp and increments a counter. It
allocates nothing, takes no lock and writes no log. This is the only module that imports ``sounddevice``, and
only when it is needed.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from monitor import clock
from monitor.errors import BadInput
from monitor.sources.ring import RingBuffer

PACTL_TIMEOUT = 3.0
"""Seconds that ``pactl`` may take."""


@dataclass(frozen=True, slots=True)
class PulseSource:
    """One source of the sound server; ``rate`` in Hz."""

    name: str
    rate: int
    channels: int
    monitor: bool
    default: bool


def pulse_sources() -> list[PulseSource]:
    """Every source of the sound server, including monitors; none where no sound server answers."""
    info = dict(line.split(": ", 1) for line in _pactl("info").splitlines() if ": " in line)
    usual = {info.get("Default Source"), f"{info.get('Default Sink')}.monitor"}
    found = []
    for line in _pactl("list", "short", "sources").splitlines():
        parts = line.split("\t")
        if len(parts) < 4:
            continue
        words = {word[-2:]: word[:-2] for word in parts[3].split()}
        found.append(
            PulseSource(
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


def _pactl(*words: str) -> str:
    """The output of ``pactl``, in English; empty where it is missing or fails."""
    program = shutil.which("pactl")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program with fixed words
            [program, *words],
            capture_output=True,
            text=True,
            timeout=PACTL_TIMEOUT,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


Kind = Literal["microphone", "loopback"]

_LOOPBACK = re.compile(
    r"monitor|loop|stereo ?mix|what u hear|wave out mix|blackhole|soundflower|cable output|voicemeeter",
    re.IGNORECASE,
)
"""Names by which systems and virtual cables call a device that records what is played."""

ADVICE = {
    "Linux": "Linux: every output has a monitor (NAME.monitor) under PulseAudio and PipeWire; the default "
    "output's is taken. If none is listed, install pulseaudio-utils and libasound2-plugins "
    "(or pipewire-pulse).",
    "Windows": "Windows: PortAudio cannot open WASAPI loopback here; switch on 'Stereo Mix' in the sound "
    "settings, or send the softphone through a virtual cable (VB-CABLE) and name 'CABLE Output'.",
    "Darwin": "macOS: install BlackHole, make a Multi-Output Device of it and your headset, play the "
    "softphone there, and name 'BlackHole'.",
}
"""How to record the caller's side on each system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An input device. ``rate`` in Hz is its default; ``index`` is PortAudio's number.

    ``pulse`` names a source of the sound server that PortAudio reaches through its device ``index``.
    ``pauses_when_idle`` says that it delivers nothing while nothing is played (WASAPI loopback).
    """

    name: str
    kind: Kind
    rate: int
    channels: int
    host: str
    index: int
    pulse: str | None = None
    default: bool = False
    pauses_when_idle: bool = False


def kind_of(name: str) -> Kind:
    """Whether a device of this name records a voice or what is played."""
    return "loopback" if _LOOPBACK.search(name) else "microphone"


def advice(system: str | None = None) -> str:
    """One line: how to record the caller on this system."""
    return ADVICE.get(system or platform.system(), ADVICE["Linux"])


def default_device(kind: Kind, devices: Sequence[Device]) -> Device:
    """The device that is used when none is named. Raises ``BadInput`` where there is none."""
    fitting = [device for device in devices if device.kind == kind]
    chosen = next((device for device in fitting if device.default), fitting[0] if fitting else None)
    if chosen:
        return chosen
    if kind == "microphone":
        raise BadInput("No microphone was found; connect a headset, or name a device (`monitor devices`).")
    raise BadInput(f"No device records the caller's side. {advice()}")


def find_device(wanted: str, devices: Sequence[Device]) -> Device:
    """The device that a user means by its name, a part of it, or its number.

    Raises ``BadInput`` where there is none, or several.
    """
    folded = wanted.casefold().strip()
    exact = [device for device in devices if device.name.casefold() == folded]
    numbered = [device for device in devices if device.pulse is None and str(device.index) == folded]
    partly = [device for device in devices if folded and folded in device.name.casefold()]
    for found in (exact, numbered, partly):
        if len(found) == 1 or (found and len({device.name for device in found}) == 1):
            return found[0]
        if found:
            names = ", ".join(sorted({device.name for device in found}))
            raise BadInput(f"{wanted} could be any of: {names}; say more of the name.")
    near = get_close_matches(folded, [device.name.casefold() for device in devices], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    raise BadInput(f"There is no device {wanted}{meant}; `monitor devices` lists the devices.")


Samples = NDArray[np.float32]

BLOCK = 0.02
"""Seconds in a block of a device."""
RING_SECONDS = 10.0
"""Seconds of audio that wait for a busy reader."""
MAX_STAMPS = 1024
"""Blocks whose time stamps are kept."""
MAX_RATE = 16000
"""Highest rate in Hz requested from the sound server: a call needs no more, and the server resamples well."""
_STDERR = 2
"""The file descriptor of errors, to which C libraries write."""
PULSE = "pulse"
"""ALSA's device for the sound server, as PortAudio lists it."""
_SERVER_NAMES = {PULSE, "default", "sysdefault", "pipewire"}
_USELESS = {"dmix", "null", "samplerate", "speexrate", "upmix", "vdownmix", "lavrate", "speex", "jack", "oss"}


def _library() -> Any:
    _silence_drivers()
    try:
        import sounddevice  # here, not above: it loads PortAudio, and replaying needs no sound card
    except ImportError:
        raise BadInput(
            "The sounddevice package, which live calls need, is missing: pip install sounddevice."
        ) from None
    except OSError:
        raise BadInput(
            "PortAudio is missing, which live calls need: install libportaudio2 "
            "(Debian, Ubuntu) or portaudio (Fedora, Homebrew)."
        ) from None
    return sounddevice


def _silence_drivers() -> None:
    """Redirects what drivers print on the terminal, from C and at any time, to nowhere.

    They print their source lines ("Expression 'alsa_snd_pcm...' failed"), which helps nobody. Our own
    messages still go where they went.
    """
    try:
        ours = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return
    if ours != _STDERR:
        return  # done already, or somebody holds the words of this process anyway
    again = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    sys.stderr = os.fdopen(again, "w", 1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)


def refresh() -> None:
    """Makes PortAudio look for devices again; its list is fixed otherwise. Every open stream ends."""
    library = _library()
    library._terminate()  # the package's own way to do this; it has no public name for it
    library._initialize()


def devices() -> list[Device]:
    """The input devices of this machine, the sound server's sources first.

    Raises ``BadInput`` where PortAudio or the sounddevice package is missing.
    """
    library = _library()
    listed = [dict(device) for device in library.query_devices()]
    hosts = [str(host["name"]) for host in library.query_hostapis()]
    door = next((device for device in listed if device["name"] == PULSE), None)
    served = _server_devices(int(door["index"])) if door else []
    hidden = {device.name for device in served} | _USELESS | (_SERVER_NAMES if served else set())
    usual = int(library.default.device[0])
    own = [
        _portaudio_device(device, hosts[device["hostapi"]], usual, bool(served))
        for device in listed
        if device["max_input_channels"] > 0 and device["name"] not in hidden
    ]
    return served + own


def is_available(device: Device) -> bool:
    """Whether a source of the sound server still exists; PortAudio itself reports other devices."""
    if device.pulse is None:
        return True
    names = {source.name for source in pulse_sources()}
    return not names or device.pulse in names  # none at all: nobody answered, which says nothing


def _server_devices(index: int) -> list[Device]:
    return [
        Device(
            name=source.name,
            kind="loopback" if source.monitor else kind_of(source.name),
            rate=min(MAX_RATE, source.rate),
            channels=source.channels,
            host="sound server",
            index=index,
            pulse=source.name,
            default=source.default,
        )
        for source in pulse_sources()
    ]


def _portaudio_device(device: dict[str, Any], host: str, usual: int, served: bool) -> Device:
    kind = kind_of(device["name"])
    return Device(
        name=device["name"],
        kind=kind,
        rate=round(device["default_samplerate"]),
        channels=int(device["max_input_channels"]),
        host=host,
        index=int(device["index"]),
        default=not served and device["index"] == usual,
        pauses_when_idle=kind == "loopback" and host == "Windows WASAPI",
    )


class DeviceStream:
    """One open device: a ring buffer that fills by itself, and the times at which it did.

    ``blocks_received`` counts the blocks; a reader polls it. ``overflows`` counts the times that the driver
    dropped audio.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self.ring = RingBuffer(round(RING_SECONDS * rate), channels, guard=rate)
        self.blocks_received = 0
        self.overflows = 0
        self._stamps = np.zeros((MAX_STAMPS, 3), np.float64)
        self._stream: Any = None

    def open(self, device: Device) -> None:
        """Starts recording. Raises ``BadInput`` with PortAudio's reason."""
        library = _library()
        before = os.environ.get("PULSE_SOURCE")
        if device.pulse:
            os.environ["PULSE_SOURCE"] = device.pulse  # read by the sound server's library as it opens
        try:
            self._stream = library.InputStream(
                device=device.index,
                samplerate=self.rate,
                channels=self.ring.channels,
                dtype="float32",
                blocksize=round(BLOCK * self.rate),
                latency="low",
                callback=self.on_audio,
            )
            self._stream.start()
        except (library.PortAudioError, ValueError) as wrong:
            self.close()
            reason = str(wrong).split(" [")[0]
            raise BadInput(f"{device.name} cannot be opened at {self.rate} Hz: {reason}.") from None
        finally:
            if device.pulse:
                _restore("PULSE_SOURCE", before)

    def on_audio(self, pcm: Samples, frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback, in its own thread: one copy, one time stamp, one increment."""
        now = clock.monotonic()
        self.ring.write(pcm.T)
        stamp = self._stamps[self.blocks_received % MAX_STAMPS]
        stamp[0] = self.ring.written
        stamp[1] = now
        stamp[2] = times.currentTime - times.inputBufferAdcTime - frames / self.rate
        if status.input_overflow:
            self.overflows += 1
        self.blocks_received += 1

    def stamps(self, after: int) -> NDArray[np.float64]:
        """For each block since number ``after``: samples so far, arrival, and its age on arrival.

        float64 [blocks, 3]; the arrival in seconds of the machine's clock, the age in seconds as the driver
        reports it (rarely correct in a stream's first half second).
        """
        first = max(after, self.blocks_received - MAX_STAMPS // 2)
        return self._stamps[np.arange(first, self.blocks_received) % MAX_STAMPS]

    @property
    def active(self) -> bool:
        """Whether PortAudio reports the stream as running."""
        return self._stream is not None and bool(self._stream.active)

    def close(self) -> None:
        """Closes the device."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
