"""The sound server that the live tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.soundserver import SoundServer, missing


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SoundServer]:
    """A virtual headset; skipped by name where there is no sound server."""
    if reason := missing():
        pytest.skip(reason)
    running = SoundServer(tmp_path / "sound")
    running.start()
    yield running
    running.kill()
