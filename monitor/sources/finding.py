"""What can be heard on this machine, and which of it a person means."""

import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from monitor.errors import BadInput

Kind = Literal["microphone", "loopback"]

_LOOPBACK = re.compile(
    r"monitor|loop|stereo ?mix|what u hear|wave out mix|blackhole|soundflower|cable output|voicemeeter",
    re.IGNORECASE,
)
"""How systems and virtual cables call a device that hears what is played."""

ADVICE = {
    "Linux": "Linux: every output has a monitor (NAME.monitor) under PulseAudio and PipeWire; the default "
    "output's is taken. If none is listed, install pulseaudio-utils and libasound2-plugins "
    "(or pipewire-pulse).",
    "Windows": "Windows: PortAudio cannot open WASAPI loopback here; switch on 'Stereo Mix' in the sound "
    "settings, or send the softphone through a virtual cable (VB-CABLE) and name 'CABLE Output'.",
    "Darwin": "macOS: install BlackHole, make a Multi-Output Device of it and your headset, play the "
    "softphone there, and name 'BlackHole'.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Something that can be heard. ``rate`` in Hz is what it would choose; ``index`` is PortAudio's number.

    ``pulse`` names a source of the sound server that PortAudio reaches through its device ``index``.
    ``pauses`` tells that it delivers nothing while nothing is played (loopbacks of WASAPI).
    """

    name: str
    kind: Kind
    rate: int
    channels: int
    host: str
    index: int
    pulse: str | None = None
    default: bool = False
    pauses: bool = False


def kind_of(name: str) -> Kind:
    """Whether a device of this name hears a voice or what is played."""
    return "loopback" if _LOOPBACK.search(name) else "microphone"


def advice(system: str | None = None) -> str:
    """One line: how to hear the caller on this system."""
    return ADVICE.get(system or platform.system(), ADVICE["Linux"])


def default_of(kind: Kind, devices: Sequence[Device]) -> Device:
    """The device that is taken when none was named. Raises ``BadInput``."""
    fitting = [device for device in devices if device.kind == kind]
    chosen = next((device for device in fitting if device.default), fitting[0] if fitting else None)
    if chosen:
        return chosen
    if kind == "microphone":
        raise BadInput("No microphone is here: plug in a headset, or name a device (`monitor devices`).")
    raise BadInput(f"Nothing here hears what the caller says. {advice()}")


def named(wanted: str, devices: Sequence[Device]) -> Device:
    """The device that a person means by a name, a part of one, or its number. Raises ``BadInput``."""
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
    raise BadInput(f"There is no device {wanted}{meant}; `monitor devices` lists what can be heard.")
