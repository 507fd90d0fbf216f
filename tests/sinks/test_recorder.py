"""The sound of a call on disk: what the core heard, and nothing else."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import BadInput
from monitor.events import Block
from monitor.sinks.recorder import Recorder, folder_for
from monitor.sources.recording import open_recording

RATE = 8000


def blocks(seconds: float = 2.0) -> list[Block]:
    pcm = np.random.default_rng(5).normal(0, 0.2, (2, round(seconds * RATE))).astype(np.float32)
    return [Block(at, pcm[:, at : at + 320]) for at in range(0, pcm.shape[1], 320)]


def recorded(folder: Path, *, close: bool = True) -> Recorder:
    recorder = Recorder(folder, "c-1", RATE)
    for block in blocks():
        recorder.write(block)
    if close:
        recorder.close()
    return recorder


def heard(path: Path) -> np.ndarray:
    return np.concatenate([block.pcm for block in open_recording([path]).blocks(0.5)], axis=1)


def test_a_recording_is_heard_again_sample_for_sample(tmp_path: Path):
    path = recorded(tmp_path).path
    assert np.array_equal(heard(path), np.concatenate([block.pcm for block in blocks()], axis=1))
    assert open_recording([path]).rate == RATE


def test_a_monitor_that_was_killed_leaves_what_it_heard(tmp_path: Path):
    recorder = recorded(tmp_path, close=False)
    os.truncate(recorder.path, recorder.path.stat().st_size)  # what stood in a buffer is gone
    whole = np.concatenate([block.pcm for block in blocks()], axis=1)
    found = heard(recorder.path)
    assert 0.9 * whole.shape[1] < found.shape[1]
    assert np.array_equal(found, whole[:, : found.shape[1]])
    recorder.close()


def test_nothing_is_made_before_the_first_sound(tmp_path: Path):
    recorder = Recorder(tmp_path, "c-1", RATE)
    recorder.write(Block(0, np.zeros((2, 0), np.float32)))
    recorder.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps files of a user's folder to the user")
def test_nobody_else_may_read_it(tmp_path: Path):
    assert recorded(tmp_path).path.stat().st_mode & 0o777 == 0o600


def test_old_recordings_expire_and_other_files_stay(tmp_path: Path):
    old, other = tmp_path / "old.wav", tmp_path / "old.jsonl"
    for path in (old, other):
        path.touch()
        os.utime(path, (0, 0))
    recorded(tmp_path)
    assert not old.exists()
    assert other.exists()


def test_a_full_disk_ends_the_recording_and_not_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recorder = Recorder(tmp_path, "c-1", RATE)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)  # the disk is the edge of the system
    for block in blocks():
        recorder.write(block)
    recorder.close()
    assert recorder.wrong
    assert "no longer recorded: No space left" in recorder.wrong


def test_a_folder_that_cannot_be_made_is_told_before_the_call(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be recorded"):
        folder_for(tmp_path / "file" / "below")
