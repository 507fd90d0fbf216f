"""Real parts: a call through a sound server into ``monitor live``, as an agent's headset would give it."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.real.soundserver import SoundServer, monitoring, until
from tests.sounds import pcm16, wav

pytestmark = pytest.mark.real

FIXTURE = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio" / "interruptions.flac"
CALL_TIME = 0.15
"""Seconds of call time within which live and replay agree."""
SECONDS = 34


def for_headset(folder: Path, seconds: float = SECONDS) -> Path:
    """The beginning of the fixture with the agent on the left, as the virtual headset wants it."""
    with av.open(str(FIXTURE)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
        rate = container.streams.audio[0].rate
    pcm = sound.reshape(-1, 2).astype(float)[: round(seconds * rate)] / 32768  # left caller, right agent
    return wav(folder / "headset.wav", pcm16(pcm[:, ::-1]), rate=rate)


def alerts(events: list[dict[str, Any]]) -> list[tuple[str, str, str, float]]:
    """What each alert line is about, and when."""
    said = [event for event in events if event["type"].startswith("monitor.alert.opened")]
    return [(e["type"], e["data"]["rule"], e["data"]["channel"], e["data"]["at"]) for e in said]


def replayed(recording: Path) -> list[dict[str, Any]]:
    words = [sys.executable, "-m", "monitor", "replay", str(recording), "--model", "none", "--json",
             "--agent-channel", "0"]  # fmt: skip
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in shown.splitlines()]


def first_speech(events: list[dict[str, Any]]) -> float:
    """When the caller was first heard."""
    starts = [e["data"]["start"] for e in events
              if e["type"] == "monitor.speech.ended" and e["data"]["channel"] == "caller"]  # fmt: skip
    return float(starts[0])


def test_a_live_call_gives_the_alerts_of_its_replay(server: SoundServer, tmp_path: Path):
    """The headset's sound is recorded beside the call: a player out of breath pauses in both alike."""
    journals = tmp_path / "journals"
    words = ("--once", "--end-after", "4", "--preroll", "6", "--journal", str(journals))
    with server.recording(tmp_path / "carried.raw") as carried, monitoring(server, *words) as live:
        server.play(for_headset(tmp_path)).wait()
        assert live.end() == 0
    sound = np.frombuffer(carried.read_bytes(), "<i2").reshape(-1, 2)
    all_of_it = replayed(wav(tmp_path / "carried.wav", sound.tobytes(), rate=8000))
    began = round((first_speech(all_of_it) - first_speech(live.lines)) * 8000)
    length = round(live.of("call.ended")[0]["seconds"] * 8000)
    call = sound[began : began + length] if began >= 0 else np.pad(sound, ((-began, 0), (0, 0)))[:length]
    expected = replayed(wav(tmp_path / "call.wav", call.tobytes(), rate=8000))
    assert alerts(expected), "this fixture raises alerts"
    assert [alert[:3] for alert in alerts(live.lines)] == [alert[:3] for alert in alerts(expected)]
    for ours, theirs in zip(alerts(live.lines), alerts(expected), strict=True):
        assert ours[3] == pytest.approx(theirs[3], abs=CALL_TIME), ours
    journal = next(journals.iterdir())
    assert judged(replay_lines(journal)) == judged([json.loads(line) for line in journal.open()])


def replay_lines(journal: Path) -> list[dict[str, Any]]:
    shown = subprocess.run([sys.executable, "-m", "monitor", "replay", str(journal), "--json", "--prosody"],
                           capture_output=True, text=True, check=True).stdout  # fmt: skip
    return [json.loads(line) for line in shown.splitlines()]


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
            lambda: sum("is back" in (s["notice"] or "") for s in live.of("status")) == 2, "both sides back"
        )
        playing = server.play(for_headset(tmp_path, 8))
        until(lambda: live.of("speech.started"), "speech after the loss")
        playing.wait()
        assert live.end(signal.SIGTERM) == 0
    assert "delivers no sound" in notices[0]["notice"]
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


def test_a_live_call_reaches_its_hub_whole(server: SoundServer, tmp_path: Path):
    """``--uplink``: what the agent's monitor says stands in the hub's log, numbered and complete."""
    database = tmp_path / "hub.db"
    hub = subprocess.Popen(
        [sys.executable, "-m", "monitor", "hub", "--listen", "127.0.0.1:18791", "--db", str(database)],
        env=server.env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert hub.stderr
        assert "listens" in hub.stderr.readline()
        words = (
            "--once",
            "--end-after",
            "2",
            "--uplink",
            "ws://127.0.0.1:18791",
            "--agent",
            "anna",
            "--team",
            "n",
        )
        with monitoring(server, *words) as live:
            server.play(for_headset(tmp_path, 9)).wait()
            assert live.end() == 0
        assert not any("have not reached the hub" in said for said in live.told)
    finally:
        hub.terminate()
        hub.wait()
    kept = sqlite3.connect(database).execute("SELECT count(*) FROM events").fetchone()[0]
    assert kept >= len([line for line in live.lines if line["type"] == "monitor.speech.ended"]) + 2
    assert live.of("call.started")[0]["agent"] == "anna"


def test_a_source_that_goes_away_is_told_and_heard_again(server: SoundServer):
    """PulseAudio moves its stream to the microphone; the monitor must not take that for the caller."""
    with monitoring(server, "--begin", "told") as live:
        modules = server.pactl("list", "short", "modules").splitlines()
        number = next(line.split()[0] for line in modules if "caller_loop" in line)
        server.pactl("unload-module", number)
        until(
            lambda: any("caller_loop delivers no sound" in said for said in live.told), "the loss to be told"
        )
        server.pactl(
            "load-module", "module-remap-source", "source_name=caller_loop", "master=call_bus.monitor",
            "channels=1", "channel_map=mono", "master_channel_map=front-right", "remix=no",
        )  # fmt: skip
        until(lambda: any("caller_loop is back" in said for said in live.told), "the loopback")
        assert live.end(signal.SIGTERM) == 0
