"""``monitor replay`` as a person starts it, on what is no call: one sentence, exit code 2, nothing left."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.resources import resource
from tests.edges.test_bad_recordings import REFUSED, assert_clear, mono, written
from tests.sounds import pcm16, talk, wav


def replay(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command without a recogniser and gives what it printed."""
    command = [sys.executable, "-m", "monitor", "replay", "--model", "none", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def assert_refused(ended: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    sentence = ended.stderr.removesuffix("\n")
    assert sentence.startswith("monitor: ")
    assert_clear(sentence, folder)


@pytest.mark.parametrize(
    "case",
    [
        "missing",
        "a pipe",
        "text renamed",
        "44 bytes, a header only",
        "6 channels",
        "one side only",
    ],
)
def test_what_is_no_call_ends_with_one_sentence_and_nothing_half_written(case: str, tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    paths = REFUSED[case][0](inside)
    ended = replay(*paths, "--json", "--journal", outside, "--transcript", outside / "call.vtt")
    assert_refused(ended, tmp_path)
    assert list(outside.iterdir()) == []


def test_words_of_the_command_that_do_not_fit_the_recording_are_refused(tmp_path: Path) -> None:
    stereo = wav(tmp_path / "call.wav", pcm16(talk()))
    assert_refused(replay(stereo, "--mono", "agent"), tmp_path)
    assert_refused(replay(mono(tmp_path, "a.wav"), stereo), tmp_path)


def test_a_channel_that_a_call_does_not_have_is_refused(tmp_path: Path) -> None:
    ended = replay(wav(tmp_path / "call.wav", pcm16(talk())), "--agent-channel", "2")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_truncated_call_is_heard_to_its_end_and_the_last_line_says_how_far(tmp_path: Path) -> None:
    truth = json.loads(resource("fixtures/audio/calm.json").read_text())
    content = (resource("fixtures/audio") / truth["audio"][0]).read_bytes()
    (path,) = written(f"cut{Path(truth['audio'][0]).suffix}", content[: len(content) // 3])(tmp_path)
    ended = replay(path, "--json")
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {event["specversion"] for event in events} == {"1.0"}
    last = events[-1]
    assert last["type"] == "monitor.call.ended"
    assert "is cut short" in last["data"]["notice"]
    assert last["data"]["seconds"] == pytest.approx(truth["seconds"] / 3, rel=0.1)
    assert any(event["type"] == "monitor.speech.ended" for event in events)


def test_one_side_alone_is_heard_when_it_is_said_whose_it_is(tmp_path: Path) -> None:
    ended = replay(mono(tmp_path, "a.wav", seconds=2.0), "--mono", "caller", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["data"]["seconds"] == 2.0
