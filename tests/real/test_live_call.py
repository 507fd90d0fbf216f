"""Real parts: a call through a sound server into ``monitor live``, as an agent's headset would give it."""

import json
import signal
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
    recording = for_headset(tmp_path)
    expected = replayed(recording)
    journals = tmp_path / "journals"
    with monitoring(
        server, "--once", "--end-after", "4", "--preroll", "6", "--journal", str(journals)
    ) as live:
        playing = server.play(recording)
        assert live.end() == 0
        playing.wait()
    heard = live.lines
    offset = first_speech(heard) - first_speech(expected)
    assert [alert[:3] for alert in alerts(heard)] == [alert[:3] for alert in alerts(expected)]
    assert alerts(expected), "this fixture raises alerts"
    for ours, theirs in zip(alerts(heard), alerts(expected), strict=True):
        assert ours[3] - theirs[3] == pytest.approx(offset, abs=CALL_TIME), ours
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
