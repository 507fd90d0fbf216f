"""The words of ``monitor live``, ``devices`` and ``call``: what is asked for, what is refused and why."""

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import build_parser, main
from monitor.commands import live
from monitor.commands.live import DeviceOptions, choose_streams
from monitor.errors import BadInput
from monitor.sources import device
from monitor.sources.device import Device

HEADSET = [
    Device(name="headset", kind="microphone", rate=48000, channels=1, host="ALSA", index=1, default=True),
    Device(name="other mic", kind="microphone", rate=16000, channels=1, host="ALSA", index=2),
    Device(
        name="headset.monitor", kind="loopback", rate=44100, channels=2, host="ALSA", index=3, default=True
    ),
]


@pytest.fixture
def headset(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has a headset (PortAudio's list is the edge of the system)."""
    monkeypatch.setattr("monitor.sources.device.devices", lambda: HEADSET)


@pytest.mark.usefixtures("headset")
def test_without_words_the_defaults_are_taken():
    streams = choose_streams(DeviceOptions())
    assert [(stream.name, stream.rate, stream.sides) for stream in streams] == [
        ("headset", 48000, ("agent",)),
        ("headset.monitor", 44100, ("caller",)),
    ]


@pytest.mark.usefixtures("headset")
def test_named_devices_at_a_named_rate():
    streams = choose_streams(DeviceOptions(mic="other", speaker="3", rate=8000))
    assert [(stream.name, stream.rate) for stream in streams] == [
        ("other mic", 8000),
        ("headset.monitor", 8000),
    ]


@pytest.mark.usefixtures("headset")
@pytest.mark.parametrize(("agent_channel", "sides"), [(0, ("agent", "caller")), (1, ("caller", "agent"))])
def test_one_device_with_both_sides(agent_channel: int, sides: tuple[str, str]):
    (stream,) = choose_streams(DeviceOptions(device="headset.monitor", agent_channel=agent_channel))
    assert stream.sides == sides


@pytest.mark.usefixtures("headset")
@pytest.mark.parametrize(
    ("words", "why"),
    [({"device": "other mic"}, "has one channel"), ({"mic": "headset.monitor"}, "named for both sides"),
     ({"mic": "nothing"}, "no device nothing")],
)  # fmt: skip
def test_devices_that_do_not_fit_are_refused(words: dict[str, str], why: str):
    with pytest.raises(BadInput, match=why):
        choose_streams(DeviceOptions(**words))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "why"),
    [({"device": "a", "mic": "b"}, "--device hears both"), ({"rate": 4000}, "--rate 4000"),
     ({"end_after": 0.0}, "--end-after 0"), ({"end_after": float("nan")}, "--end-after nan"),
     ({"preroll": -1.0}, "--preroll -1")],
)  # fmt: skip
def test_words_without_sense_are_refused(words: dict[str, float], why: str):
    with pytest.raises(BadInput, match=why):
        DeviceOptions(**words)  # type: ignore[arg-type]


def test_no_devices_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(device, "devices", list)
    assert main(["devices"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("monitor: No audio devices were found")
    assert said.count("\n") == 1


def test_devices_are_listed_by_what_they_are_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(device, "devices", lambda: HEADSET)
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  * headset ")
    assert lines[4].startswith("  * headset.monitor ")
    assert main(["devices", "--json"]) == 0
    assert capsys.readouterr().out.count('"kind": "microphone"') == 2


def test_call_control_without_a_monitor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    monkeypatch.setenv("MONITOR_CONTROL", str(tmp_path / "live.json"))
    assert main(["call", "end"]) == 2
    assert "start `monitor live` first" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["end", "--call", "x"], ["start", "--call", "../../etc"], ["start", "--call", "a b"]]
)
def test_call_control_that_makes_no_sense(words: list[str]):
    assert main(["call", *words]) == 2


def test_every_option_of_live_is_explained():
    words = [sys.executable, "-m", "monitor", "live", "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for option in (
        "--mic",
        "--speaker",
        "--check",
        "--uplink",
        "--serve",
        "--end-after",
        "--once",
        "--journal",
    ):
        assert option in shown
    assert "examples:" in shown
    assert live.EPILOG.splitlines()[1] in shown


def test_live_has_the_options_of_judging():
    args = build_parser().parse_args(["live", "--model", "none", "--profile", "eu", "--vad", "webrtc"])
    assert (args.model, args.profile, args.vad) == ("none", "eu", "webrtc")
