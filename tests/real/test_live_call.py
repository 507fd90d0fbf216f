"""Real parts: a call through a sound server into ``monitor live``, as an agent's headset would give it."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.real.delays import NotThere, Sound, delays
from tests.real.soundserver import PATIENCE, SoundServer, missing, monitoring, until
from tests.sounds import pcm16, wav

pytestmark = pytest.mark.real

FIXTURE = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio" / "interruptions.flac"
CALL_TIME = 0.15
"""Seconds of call time within which live and the fixture's replay agree."""
SECONDS = 34
RATE = 8000
PLAYS = 3
"""Times that the fixture is played before a sound server that starves its player is told to be too busy."""


def fixture_sound(seconds: float = SECONDS) -> Sound:
    """The beginning of the fixture, float [n, 2]: the caller on the left."""
    with av.open(str(FIXTURE)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return sound.reshape(-1, 2).astype(float)[: round(seconds * RATE)] / 32768


def for_headset(folder: Path, seconds: float = SECONDS) -> Path:
    """The same with the agent on the left, as the virtual headset wants it."""
    return wav(folder / "headset.wav", pcm16(fixture_sound(seconds)[:, ::-1]), rate=RATE)


def alerts(events: list[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """What each alert line is about, and when."""
    said = [event for event in events if event["type"].startswith("monitor.alert.opened")]
    return [(e["data"]["rule"], e["data"]["channel"], e["data"]["at"]) for e in said]


def replayed(recording: Path, *more: str) -> list[dict[str, Any]]:
    words = [sys.executable, "-m", "monitor", "replay", str(recording), "--model", "none", "--json", *more]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in shown.splitlines()]


class Heard(NamedTuple):
    """A call as it came through the sound server, float [n, 2] each with the caller on the left."""

    lines: list[dict[str, Any]]
    recording: Path
    journal: Path
    carried: Sound
    """What the headset carried, recorded beside the monitor."""

    @property
    def sound(self) -> Sound:
        """What the monitor heard, as it recorded it."""
        return np.frombuffer(self.recording.read_bytes()[44:], "<f4").reshape(-1, 2)

    @property
    def troubles(self) -> list[str]:
        """What the monitor told of sound that it lost, or of a machine that does not keep up."""
        gaps = [line["data"] for line in self.lines if line["type"] == "monitor.gap"]
        notices = [line["data"]["notice"] for line in self.lines if line["type"] == "monitor.status"]
        return [*filter(None, notices), *(f"a gap at {gap['at']:.1f} s" for gap in gaps)]

    @property
    def starved(self) -> bool:
        """Whether the player ran out of breath: what the headset carried is not the file at one offset."""
        try:
            late = [delays(fixture_sound()[:, [side]], self.carried[:, [side]]) for side in (0, 1)]
        except NotThere:
            return True
        return float(np.ptp(np.concatenate(late))) > 0.002


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """The fixture, played through PulseAudio into ``monitor live``; again where the player starved."""
    if reason := missing():
        pytest.skip(reason)
    for _ in range(PLAYS):
        call = play_call(tmp_path_factory.mktemp("headset"))
        if not call.starved:
            break
    return call


def need_an_even_play(heard: Heard) -> None:
    if heard.starved:
        pytest.skip(f"the sound server starved its player {PLAYS} times: this machine is too busy")


def play_call(folder: Path) -> Heard:
    server = SoundServer(folder / "sound")
    server.start()
    try:
        words = ("--once", "--end-after", "4", "--preroll", "6", "--prosody", "--journal",
                 str(folder / "journals"), "--record", str(folder / "calls"))  # fmt: skip
        with server.recording(folder / "carried.raw") as carried, monitoring(server, *words) as live:
            server.play(for_headset(folder)).wait()
            assert live.end() == 0
    finally:
        server.kill()
    sound = np.frombuffer(carried.read_bytes(), "<i2").reshape(-1, 2)[:, ::-1] / 32768
    (recording,), (journal,) = (folder / "calls").iterdir(), (folder / "journals").iterdir()
    return Heard(live.lines, recording, journal, sound)


def test_a_live_call_says_what_the_replay_of_its_recording_says(heard: Heard):
    """Live equals replay, to the last digit: the recording holds what the core heard, sample for sample."""
    told = ("status", "gap", "call.started", "call.ended")  # of devices, the source and the wall clock
    live, replay = (
        [(line["type"], line["data"]) for line in lines if line["type"].removeprefix("monitor.") not in told]
        for lines in (heard.lines, replayed(heard.recording, "--prosody"))
    )
    assert live == replay
    assert heard.starved or any(kind == "monitor.alert.opened" for kind, _ in live), (
        "this fixture raises alerts"
    )


def test_a_live_call_hears_what_the_headset_carried(heard: Heard):
    """No sample lost, none moved: each side is a device of its own, and both keep one time.

    How well two clocks are followed is asked in ``tests/sources``, in counted time; here a machine that is
    busy with other tests may deliver late just while the clocks are learned.
    """
    need_an_even_play(heard)
    try:
        late = [delays(heard.carried[:, [side]], heard.sound[:, [side]]) for side in (0, 1)]
    except NotThere:
        assert heard.troubles, "sound was lost, and nobody was told"
        pytest.skip(f"this machine is too busy: {heard.troubles[0]}")
    assert max(np.ptp(side) for side in late) < 0.04 or heard.troubles, late
    assert abs(np.median(late[0]) - np.median(late[1])) < 0.1, late


def test_a_live_call_gives_the_alerts_of_the_fixture(heard: Heard):
    """Each within 150 ms of call time."""
    need_an_even_play(heard)
    late = np.median(delays(fixture_sound()[:, [0]], heard.sound[:, [0]]))
    expected = replayed(wav(heard.recording.parent / "fixture.wav", pcm16(fixture_sound()), rate=RATE))
    assert [alert[:2] for alert in alerts(heard.lines)] == [alert[:2] for alert in alerts(expected)]
    for ours, theirs in zip(alerts(heard.lines), alerts(expected), strict=True):
        assert ours[2] - late == pytest.approx(theirs[2], abs=CALL_TIME), ours


def test_the_journal_of_a_live_call_is_judged_again_to_the_same_lines(heard: Heard):
    assert judged(replayed(heard.journal, "--prosody")) == judged(
        [json.loads(line) for line in heard.journal.open()]
    )


def judged(lines: list[dict[str, Any]]) -> list[str]:
    """The lines without the wall clock, as text."""
    plain = []
    for line in lines:
        data = {key: value for key, value in line["data"].items() if key != "wall_seconds"}
        plain.append(json.dumps([line["type"], line["sequence"], data], sort_keys=True))
    return plain


def test_a_sound_server_that_dies_is_told_and_heard_again(server: SoundServer, tmp_path: Path):
    with monitoring(server, "--begin", "told", "--end-after", "600") as live:
        subprocess.run([sys.executable, "-m", "monitor", "call", "start", "--call", "told-1"],
                       env=server.env, check=True, capture_output=True)  # fmt: skip
        until(lambda: live.of("call.started"), "the call")
        died = time.monotonic()
        server.kill()
        notices = until(lambda: [s for s in live.of("status") if s["notice"]], "the loss to be told")
        told_after = time.monotonic() - died
        server.start()
        until(
            lambda: sum("delivers audio again" in (s["notice"] or "") for s in live.of("status")) == 2,
            "both sides back",
        )
        playing = server.play(for_headset(tmp_path, 8))
        until(lambda: live.of("speech.started"), "speech after the loss")
        playing.wait()
        assert live.end(signal.SIGTERM) == 0
    assert not any("Expression" in said for said in live.told), "what drivers write is for nobody here"
    assert "stopped delivering audio" in notices[0]["notice"]
    assert told_after < 2.0 or notices[0]["at"] < told_after  # on a busy machine the reader itself is late
    lost = {
        side: sum(g["seconds"] for g in live.of("gap") if g["channel"] == side)
        for side in ("agent", "caller")
    }
    assert min(lost.values()) > 0.3
    assert live.of("call.ended")[0]["seconds"] > max(lost.values())


@pytest.mark.parametrize("state", ["waiting", "in a call", "device lost"])
def test_ctrl_c_hangs_up_cleanly_in_every_state(server: SoundServer, state: str):
    with monitoring(server, "--begin", "told") as live:
        if state != "waiting":
            subprocess.run([sys.executable, "-m", "monitor", "call", "start"],
                           env=server.env, check=True, capture_output=True)  # fmt: skip
            until(lambda: live.of("call.started"), "the call")
        if state == "device lost":
            server.kill()
            until(lambda: [s for s in live.of("status") if s["notice"]], "the loss to be told")
        pressed = time.monotonic()
        assert live.end(signal.SIGINT) == 130
        took = time.monotonic() - pressed
    assert len(live.of("call.ended")) == (0 if state == "waiting" else 1)
    assert took < 2.0 + 3.0  # two seconds, and what a machine busy with other tests may add
    assert not (server.folder / "live.json").exists()


def checked(server: SoundServer, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "live", "--check", "--rate", "8000", *words],
        env=server.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_sound_check_names_the_silent_side(server: SoundServer, tmp_path: Path):
    pcm = np.frombuffer(for_headset(tmp_path).read_bytes()[44:], "<i2").reshape(-1, 2).copy()
    pcm[:, 0] = 0
    playing = server.play(wav(tmp_path / "caller.wav", pcm[4 * 8000 : 22 * 8000].tobytes(), rate=8000))
    code, said = checked(server, "--mic", "agent_mic", "--speaker", "caller_loop")
    playing.terminate()
    playing.wait()
    assert code == 1
    assert "The microphone (agent) is silent" in said
    assert "The loopback (caller) is silent" not in said
    assert "dBFS" in said


def test_devices_shows_the_virtual_headset(server: SoundServer):
    shown = subprocess.run([sys.executable, "-m", "monitor", "devices", "--json"], env=server.env,
                           capture_output=True, text=True, check=True).stdout  # fmt: skip
    found = {line["name"]: line for line in map(json.loads, shown.splitlines())}
    assert found["agent_mic"]["default"]
    assert found["call_bus.monitor"]["kind"] == "loopback"
    assert found["call_bus.monitor"]["default"]


@contextmanager
def hub_beside(server: SoundServer, database: Path) -> Iterator[str]:
    """``monitor hub`` in a process of its own; its address."""
    hub = subprocess.Popen(
        [sys.executable, "-m", "monitor", "hub", "--listen", "127.0.0.1:0", "--db", str(database)],
        env=server.env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert hub.stderr
        found = re.search(r"ws://127\.0\.0\.1:\d+", hub.stderr.readline())
        assert found
        yield found[0]
    finally:
        hub.terminate()
        hub.wait()


def test_a_live_call_reaches_its_hub_whole(server: SoundServer, tmp_path: Path):
    """``--uplink``: what the agent's monitor says stands in the hub's log, numbered and complete."""
    database = tmp_path / "hub.db"
    with hub_beside(server, database) as url:
        words = ("--once", "--end-after", "2", "--uplink", url, "--agent", "anna", "--team", "n")
        with monitoring(server, *words) as live:
            server.play(for_headset(tmp_path, 9)).wait()
            assert live.end() == 0
        assert not any("have not reached the hub" in said for said in live.told)
    kept = sqlite3.connect(database).execute("SELECT count(*) FROM events").fetchone()[0]
    assert kept >= len([line for line in live.lines if line["type"] == "monitor.speech.ended"]) + 2
    assert live.of("call.started")[0]["agent"] == "anna"


def test_a_softphone_begins_and_ends_a_live_call_through_the_hub(server: SoundServer, tmp_path: Path):
    with hub_beside(server, tmp_path / "hub.db") as url:
        words = ("--begin", "told", "--end-after", "600", "--uplink", url, "--agent", "anna")
        with monitoring(server, *words) as live, connect(f"{url}/events", proxy=None) as phone:
            start = {"kind": "start", "call": "sp-1", "meta": {"issue": "refund"}}
            until(lambda: hooked(phone, {"hook": start}).get("done"), "the monitor to stand by")
            until(lambda: live.of("call.started"), "the call")
            assert hooked(phone, {"hook": {"kind": "end"}, "agent": "anna"})["done"]
            until(lambda: live.of("call.ended"), "its end")
            assert live.end(signal.SIGTERM) == 0
    started = live.of("call.started")[0]
    assert (started["call"], started["meta"]) == ("sp-1", {"issue": "refund"})


def hooked(phone: ClientConnection, words: dict[str, Any]) -> dict[str, Any]:
    """What the softphone is answered: what the monitor did, or why nobody did anything."""
    phone.send(json.dumps(words))
    while (line := json.loads(phone.recv(PATIENCE)))["type"] not in ("monitor.hooked", "monitor.refused"):
        pass
    data: dict[str, Any] = line["data"]
    return data


def test_a_source_that_goes_away_is_told_and_heard_again(server: SoundServer):
    """PulseAudio moves its stream to the microphone; the monitor must not take that for the caller."""
    with monitoring(server, "--begin", "told") as live:
        modules = server.pactl("list", "short", "modules").splitlines()
        number = next(line.split()[0] for line in modules if "caller_loop" in line)
        server.pactl("unload-module", number)
        until(
            lambda: any("caller_loop stopped delivering audio" in said for said in live.told),
            "the loss to be told",
        )
        server.pactl(
            "load-module", "module-remap-source", "source_name=caller_loop", "master=call_bus.monitor",
            "channels=1", "channel_map=mono", "master_channel_map=front-right", "remix=no",
        )  # fmt: skip
        until(lambda: any("caller_loop delivers audio again" in said for said in live.told), "the loopback")
        assert live.end(signal.SIGTERM) == 0
