"""Which device a person means."""

import pytest

from monitor.errors import BadInput
from monitor.sources.device import Device, advice, default_device, find_device, kind_of


def device(name: str, **more: object) -> Device:
    plain = {"kind": kind_of(name), "rate": 48000, "channels": 1, "host": "ALSA", "index": 0, **more}
    return Device(name=name, **plain)  # type: ignore[arg-type]


HERE = [
    device("USB Headset Mono", index=2),
    device("Built-in Microphone", index=3, default=True),
    device("alsa_output.usb.monitor", index=5, default=True),
    device("alsa_output.hdmi.monitor", index=6),
]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("USB Headset Mono", "USB Headset Mono"), ("usb headset", "USB Headset Mono"), ("built", HERE[1].name),
     ("3", HERE[1].name), ("hdmi", HERE[3].name)],
)  # fmt: skip
def test_a_name_a_part_or_a_number(wanted: str, name: str):
    assert find_device(wanted, HERE).name == name


def test_a_part_of_two_names_is_asked_back():
    with pytest.raises(BadInput, match=r"could be any of: .*hdmi.*usb"):
        find_device("monitor", HERE)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(BadInput, match="did you mean built-in microphone"):
        find_device("Bild-in Microphone", HERE)


def test_an_empty_name_means_nothing():
    with pytest.raises(BadInput, match="no device"):
        find_device(" ", HERE)


def test_the_defaults():
    assert default_device("microphone", HERE).name == "Built-in Microphone"
    assert default_device("loopback", HERE).name == "alsa_output.usb.monitor"


def test_what_is_missing_is_said_with_what_to_do():
    with pytest.raises(BadInput, match="connect a headset"):
        default_device("microphone", [])
    with pytest.raises(BadInput, match="No device records the caller's side"):
        default_device("loopback", HERE[:2])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Stereo Mix (Realtek)", "loopback"), ("CABLE Output (VB-Audio)", "loopback"),
     ("BlackHole 2ch", "loopback"), ("Monitor of Headset", "loopback"), ("Jabra Evolve", "microphone")],
)  # fmt: skip
def test_loopbacks_are_known_by_their_names(name: str, kind: str):
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("system", "word"), [("Linux", "monitor"), ("Windows", "Stereo Mix"), ("Darwin", "BlackHole")]
)
def test_each_system_has_its_line_of_advice(system: str, word: str):
    assert word in advice(system)
    assert "\n" not in advice(system)
