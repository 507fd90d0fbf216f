"""A real call: two softphones over SIP and RTP on loopback; the agent's headset is what the monitor hears."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.real.sip import Phone, missing_phone
from tests.real.soundserver import SoundServer, monitoring, until
from tests.real.test_live_call import RATE, alerts, fixture_sound
from tests.sounds import pcm16, wav

pytestmark = pytest.mark.real

SECONDS = 34


def one_side(path: Path, side: int) -> Path:
    """One side of the fixture, as a phone or a headset wants it."""
    return wav(path, pcm16(fixture_sound(SECONDS)[:, [side]]), rate=RATE, channels=1)


def test_a_call_over_sip_raises_its_alerts(server: SoundServer, tmp_path: Path):
    """The caller complains over the line, the agent cuts in on the headset: the monitor says so."""
    if reason := missing_phone():
        pytest.skip(reason)
    far = one_side(tmp_path / "caller.wav", 0)
    near = one_side(tmp_path / "agent.wav", 1)
    agent = Phone(tmp_path / "agent", "agent", player="alsa,phone_out", source="alsa,phone_mic", rtp=20000,
                  env=server.env)  # fmt: skip
    caller = Phone(tmp_path / "caller", "caller", player="alsa,far_phone", source=f"aufile,{far}", rtp=20100,
                   env=server.env)  # fmt: skip
    words = ("--once", "--end-after", "5", "--record", str(tmp_path / "calls"))
    with (
        server.recording(tmp_path / "arrived.raw", "far_end", 1) as arrived,
        monitoring(server, *words) as live,
        agent.on(),
        caller.on("-e", f"/dial {agent.address}"),
    ):
        until(lambda: caller.talks and agent.talks, "the call to stand")
        server.play(near, to="mic_feed").wait()
        assert live.end() == 0
    assert (agent.codec, caller.codec) == ("PCMU", "PCMU")  # G.711
    told = [rule for rule, _, _ in alerts(live.lines)]
    assert "interrupt.agent" in told
    assert {event["by"] for event in live.of("interruption")} == {"agent"}
    (recording,) = (tmp_path / "calls").iterdir()
    heard = np.frombuffer(recording.read_bytes()[44:], "<f4").reshape(-1, 2)
    there = np.frombuffer(arrived.read_bytes(), "<i2") / 32768
    said = fixture_sound(SECONDS)
    # A phone's buffers may shift what comes over the line; that all of it came shows in how long it is loud.
    assert loud(heard[:, 0]) == pytest.approx(loud(said[:, 0]), rel=0.15)
    assert loud(there) == pytest.approx(loud(said[:, 1]), rel=0.15)


def loud(sound: NDArray[np.floating]) -> float:
    """Seconds above -45 dBFS, in steps of 20 ms."""
    frames = sound[: sound.size // 160 * 160].reshape(-1, 160).astype(float)
    return float(np.count_nonzero(np.mean(np.square(frames), axis=1) > 10**-4.5)) * 0.02
