"""Between calls: what begins one, how far the pre-roll reaches, and that nothing more is kept."""

from pathlib import Path

import numpy as np
import pytest

from monitor.audio import silero
from monitor.config import VadName, VadSettings
from monitor.events import Block, Gap
from monitor.sources.call_detection import CallDetector, rebase, warm_up
from monitor.sources.recording import open_recording

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio"


def begins(name: str, *, agent_channel: int = 1, preroll: float = 4.0) -> tuple[float, float] | None:
    """The seconds at which a call is found and from which it is kept."""
    recording = open_recording([FIXTURES / name], agent_channel=agent_channel)
    waiting = CallDetector(recording.rate, VadSettings(), preroll=preroll)
    for block in recording.blocks(0.04):
        if waiting.feed(block):
            found = (block.start + block.pcm.shape[1]) / recording.rate
            return found, waiting.recent_blocks()[0].start / recording.rate
    return None


def test_a_call_is_found_a_moment_after_the_caller_begins_to_speak():
    found = begins("interruptions.flac")
    assert found is not None
    assert 4.93 + 0.4 <= found[0] < 4.93 + 1.0


def test_the_pre_roll_reaches_back_before_the_caller():
    found = begins("interruptions.flac", preroll=3.0)
    assert found is not None
    assert found[1] == pytest.approx(found[0] - 3.0, abs=0.05)


def test_the_agent_alone_is_no_call():
    recording = open_recording([FIXTURES / "interruptions.flac"])
    waiting = CallDetector(recording.rate, VadSettings())
    for block in recording.blocks(0.04):
        alone = np.stack([block.pcm[0], np.zeros_like(block.pcm[0])])
        assert not waiting.feed(Block(block.start, alone))


def test_only_the_pre_roll_is_kept():
    waiting = CallDetector(8000, VadSettings(), preroll=2.0)
    for number in range(1000):
        waiting.feed(Block(number * 320, np.zeros((2, 320), np.float32)))
    kept = waiting.recent_blocks()
    assert sum(block.pcm.shape[1] for block in kept) / 8000 == pytest.approx(2.0, abs=0.05)
    assert waiting.recent_blocks() == []


def test_a_block_in_the_time_of_its_call():
    gaps = (
        Gap(channel="agent", at=9.5, seconds=1.0, detected_at=10.5),
        Gap(channel="caller", at=2.0, seconds=0.5),
        Gap(channel="caller", at=10.2004, seconds=0.3004, detected_at=10.5),
    )
    block = rebase(Block(80000, np.zeros((2, 8000), np.float32), gaps, ("back",)), 78400, 8000)
    assert block.start == 1600
    assert [(gap.channel, gap.at, gap.seconds, gap.detected_at) for gap in block.gaps] == [
        ("agent", 0.0, 0.7, 0.7),
        ("caller", 0.4, 0.3, 0.7),
    ]
    assert block.notices == ("back",)


@pytest.mark.parametrize(("detector", "loaded"), [("silero", 1), ("both", 1), ("webrtc", 0)])
def test_warming_up_loads_the_model_that_the_detector_needs(detector: VadName, loaded: int):
    silero.session.cache_clear()
    warm_up(8000, VadSettings(detector=detector))
    assert silero.session.cache_info().currsize == loaded
