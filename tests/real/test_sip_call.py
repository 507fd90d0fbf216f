"""A real call: two softphones over SIP and RTP on loopback; the agent's headset is what the monitor hears."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.real.sip import Phone, missing_phone
from tests.real.soundserver import Monitor, SoundServer, monitoring, until
from tests.real.test_live_call import PLAYS, RATE, alerts, fixture_sound
from tests.sounds import pcm16, wav

pytestmark = pytest.mark.real

SECONDS = 34


def one_side(path: Path, side: int) -> Path:
    """One side of the fixture, as a phone or a headset wants it."""
    return wav(path, pcm16(fixture_sound(SECONDS)[:, [side]]), rate=RATE, channels=1)


class Talked(NamedTuple):
    """A call over the line: what the monitor said and heard, and what arrived at the other end."""

    live: Monitor
    codecs: tuple[str | None, str | None]
    heard: NDArray[np.floating]
    arrived: NDArray[np.floating]

    @property
    def starved(self) -> bool:
        """Whether the phones or the sound server could not keep up: a fifth of what was said is missing."""
        said = fixture_sound(SECONDS)
        ends = ((self.heard[:, 0], said[:, 0]), (self.arrived, said[:, 1]))
        return any(loud(there) < 0.8 * loud(here) for there, here in ends)


def call(server: SoundServer, folder: Path) -> Talked:
    """The caller complains over the line, the agent cuts in on the headset; the monitor hears the headset."""
    folder.mkdir()
    far, near = one_side(folder / "caller.wav", 0), one_side(folder / "agent.wav", 1)
    agent = Phone(folder / "agent", "agent", player="alsa,phone_out", source="alsa,phone_mic", rtp=20000,
                  env=server.env)  # fmt: skip
    caller = Phone(folder / "caller", "caller", player="alsa,far_phone", source=f"aufile,{far}", rtp=20100,
                   env=server.env)  # fmt: skip
    words = ("--once", "--end-after", "5", "--record", str(folder / "calls"))
    with (
        server.recording(folder / "arrived.raw", "far_end", 1) as arrived,
        monitoring(server, *words) as live,
        agent.on(),
        caller.on("-e", f"/dial {agent.address}"),
    ):
        until(lambda: caller.talks and agent.talks, "the call to stand")
        server.play(near, to="mic_feed").wait()
        assert live.end() == 0
    (recording,) = (folder / "calls").iterdir()
    heard = np.frombuffer(recording.read_bytes()[44:], "<f4").reshape(-1, 2)
    return Talked(
        live, (agent.codec, caller.codec), heard, np.frombuffer(arrived.read_bytes(), "<i2") / 32768
    )


def test_a_call_over_sip_raises_its_alerts(server: SoundServer, tmp_path: Path):
    if reason := missing_phone():
        pytest.skip(reason)
    for attempt in range(PLAYS):
        talked = call(server, tmp_path / str(attempt))
        assert talked.codecs == ("PCMU", "PCMU")  # G.711
        assert loud(talked.heard[:, 0]) > 1.0, "something came over the line"
        if not talked.starved:
            break
    else:
        pytest.skip(f"sound was lost on its way {PLAYS} times: this machine is too busy")
    assert "interrupt.agent" in [rule for rule, _, _ in alerts(talked.live.lines)]
    assert {event["by"] for event in talked.live.of("interruption")} == {"agent"}


def loud(sound: NDArray[np.floating]) -> float:
    """Seconds above -45 dBFS, in steps of 20 ms."""
    frames = sound[: sound.size // 160 * 160].reshape(-1, 160).astype(float)
    return float(np.count_nonzero(np.mean(np.square(frames), axis=1) > 10**-4.5)) * 0.02
