"""Sound cards, through PortAudio. The only file that knows ``sounddevice``, and only once it is needed.

PortAudio must be asked from one thread at a time (see ``capture.Keeper``); its callback runs in a thread
of its own and keeps the callback law: it copies once into the ring, notes when, and moves a counter on
(the bell). It allocates nothing, takes no lock, writes no log.
"""

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor import clock
from monitor.audio.ring import Ring
from monitor.errors import BadInput
from monitor.sources import soundserver
from monitor.sources.finding import Device, kind_of

Samples = NDArray[np.float32]

BLOCK = 0.02
"""Seconds that a sound card gives at once."""
REMEMBERED = 10.0
"""Seconds of sound that wait for a reader that is busy."""
STAMPS = 1024
WIDEST = 16000
"""Hz that the sound server is asked for at most: a call needs no more, and the server resamples well."""
_THEIRS = 2
"""The descriptor of errors, to which C libraries write."""
PULSE = "pulse"
"""ALSA's door to the sound server, as PortAudio lists it."""
_SERVER_NAMES = {PULSE, "default", "sysdefault", "pipewire"}
_USELESS = {"dmix", "null", "samplerate", "speexrate", "upmix", "vdownmix", "lavrate", "speex", "jack", "oss"}


def _library() -> Any:
    _hush_drivers()
    try:
        import sounddevice  # here, not above: it loads PortAudio, and replaying needs no sound card
    except ImportError:
        raise BadInput(
            "The sounddevice package, which hears live calls, is missing: pip install sounddevice."
        ) from None
    except OSError:
        raise BadInput(
            "PortAudio is missing, without which no sound card can be heard: install libportaudio2 "
            "(Debian, Ubuntu) or portaudio (Fedora, Homebrew)."
        ) from None
    return sounddevice


def _hush_drivers() -> None:
    """Leads what drivers write to the terminal by themselves, from C and at any moment, to nowhere.

    They tell of their source lines ("Expression 'alsa_snd_pcm...' failed"), which helps nobody; what is wrong
    is told in words of our own, which go on to where they went.
    """
    try:
        ours = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return
    if ours != _THEIRS:
        return  # done already, or somebody holds the words of this process anyway
    again = os.dup(_THEIRS)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _THEIRS)
    os.close(nowhere)
    sys.stderr = os.fdopen(again, "w", 1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)


def refresh() -> None:
    """Looks for devices anew. PortAudio's list is frozen otherwise; every open stream ends."""
    library = _library()
    library._terminate()  # the package's own way to do this; it has no public name for it
    library._initialize()


def devices() -> list[Device]:
    """What can be heard here, the sound server's sources first."""
    library = _library()
    listed = [dict(device) for device in library.query_devices()]
    hosts = [str(host["name"]) for host in library.query_hostapis()]
    door = next((device for device in listed if device["name"] == PULSE), None)
    served = _served(int(door["index"])) if door else []
    hidden = {device.name for device in served} | _USELESS | (_SERVER_NAMES if served else set())
    usual = int(library.default.device[0])
    own = [
        _own(device, hosts[device["hostapi"]], usual, bool(served))
        for device in listed
        if device["max_input_channels"] > 0 and device["name"] not in hidden
    ]
    return served + own


def is_there(device: Device) -> bool:
    """Whether a source of the sound server still exists; PortAudio itself tells of other devices."""
    if device.pulse is None:
        return True
    names = {source.name for source in soundserver.sources()}
    return not names or device.pulse in names  # none at all: nobody answered, which says nothing


def _served(index: int) -> list[Device]:
    return [
        Device(
            name=source.name,
            kind="loopback" if source.monitor else kind_of(source.name),
            rate=min(WIDEST, source.rate),
            channels=source.channels,
            host="sound server",
            index=index,
            pulse=source.name,
            default=source.default,
        )
        for source in soundserver.sources()
    ]


def _own(device: dict[str, Any], host: str, usual: int, served: bool) -> Device:
    kind = kind_of(device["name"])
    return Device(
        name=device["name"],
        kind=kind,
        rate=round(device["default_samplerate"]),
        channels=int(device["max_input_channels"]),
        host=host,
        index=int(device["index"]),
        default=not served and device["index"] == usual,
        pauses=kind == "loopback" and host == "Windows WASAPI",
    )


class DeviceStream:
    """One open device: a ring that fills by itself, and the moments at which it did.

    ``rung`` counts the blocks, and so is the bell: who waits for sound looks at it.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self.ring = Ring(round(REMEMBERED * rate), channels, guard=rate)
        self.rung = 0
        self.overflows = 0
        self._stamps = np.zeros((STAMPS, 3), np.float64)
        self._stream: Any = None

    def open(self, device: Device) -> None:
        """Starts to hear. Raises ``BadInput`` with PortAudio's reason."""
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
                callback=self.hear,
            )
            self._stream.start()
        except (library.PortAudioError, ValueError) as wrong:
            self.close()
            reason = str(wrong).split(" [")[0]
            raise BadInput(f"{device.name} cannot be opened at {self.rate} Hz: {reason}.") from None
        finally:
            if device.pulse:
                _restore("PULSE_SOURCE", before)

    def hear(self, pcm: Samples, frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback, in its own thread: one copy, one stamp, one step of the counter."""
        now = clock.monotonic()
        self.ring.write(pcm.T)
        stamp = self._stamps[self.rung % STAMPS]
        stamp[0] = self.ring.written
        stamp[1] = now
        stamp[2] = times.currentTime - times.inputBufferAdcTime - frames / self.rate
        if status.input_overflow:
            self.overflows += 1
        self.rung += 1

    def stamps(self, after: int) -> NDArray[np.float64]:
        """For each block since number ``after``: samples so far, arrival, and how old it was by then.

        float64 [blocks, 3]; the arrival in seconds of the machine's clock, the age in seconds as the
        driver tells it (rarely to be believed in a stream's first half second).
        """
        first = max(after, self.rung - STAMPS // 2)
        return self._stamps[np.arange(first, self.rung) % STAMPS]

    @property
    def active(self) -> bool:
        """Whether PortAudio still believes in it."""
        return self._stream is not None and bool(self._stream.active)

    def close(self) -> None:
        """Lets the device go."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
