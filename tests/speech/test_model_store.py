import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.speech.model_store import REPOSITORIES, bundled_folder, fetch, find, list_models
from tests.speech.hub import hub


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "MONITOR_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def in_cache(cache: Path, revision: str = "abc") -> Path:
    folder = cache / "models--Systran--faster-whisper-small.en" / "snapshots" / revision
    shutil.copytree(bundled_folder(), folder)
    return folder


@pytest.mark.parametrize(
    ("variable", "inside"),
    [
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
        ("HOME", ".cache/huggingface/hub"),
    ],
)
def test_a_model_in_the_hubs_cache_is_found_where_that_cache_is(
    variable: str, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(variable, str(tmp_path / "place"))
    folder = in_cache(tmp_path / "place" / inside)
    assert find("small.en") == folder
    assert find("base.en") is None


@pytest.mark.parametrize("name", ["small.en", "faster-whisper-small.en"])
def test_a_folder_of_models_comes_first(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    in_cache(tmp_path / "hub")
    shutil.copytree(bundled_folder(), tmp_path / "mine" / name)
    monkeypatch.setenv("MONITOR_MODELS", str(tmp_path / "mine"))
    assert find("small.en") == tmp_path / "mine" / name


def test_a_half_fetched_model_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (in_cache(tmp_path) / "model.bin").unlink()
    assert find("small.en") is None


def test_nothing_is_fetched_where_that_is_forbidden(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BadInput, match="HF_HUB_OFFLINE forbids downloading it; copy its folder here"):
        fetch("small.en")


def get(url: str, home: Path, project: Path) -> "subprocess.Popen[str]":
    """The command in a process of its own, because the hub's client reads its settings when imported."""
    env = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_OFFLINE": ""}
    command = [sys.executable, "-m", "monitor", "models", "get", "small.en"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=env, cwd=project, **pipes)


def test_a_model_is_fetched_whole_and_found_afterwards(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
):
    with hub(bundled_folder()) as server, get(server.url, tmp_path, project) as getting:
        shown, wrong = getting.communicate(timeout=60)
    assert getting.returncode == 0, wrong
    assert wrong == ""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    folder = find("small.en")
    assert folder is not None
    assert shown == f"small.en is in {folder}\n"
    assert (folder / "model.bin").read_bytes() == (bundled_folder() / "model.bin").read_bytes()
    assert not any("README" in path for path in server.asked)


def test_a_fetch_that_is_interrupted_leaves_no_half_model_and_goes_on_the_next_time(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with hub(bundled_folder(), pause=0.3) as slow, get(slow.url, tmp_path, project) as getting:
        assert slow.sending.wait(30)
        getting.send_signal(signal.SIGINT)
        _, wrong = getting.communicate(timeout=20)
    assert getting.returncode == 130
    assert "Traceback" not in wrong
    assert find("small.en") is None
    with hub(bundled_folder()) as server, get(server.url, tmp_path, project) as getting:
        _, wrong = getting.communicate(timeout=60)
    assert getting.returncode == 0, wrong
    assert find("small.en") is not None


@pytest.mark.parametrize("kind", ["nobody there", "silent"])
def test_a_hub_that_cannot_be_reached_is_one_clear_sentence(kind: str, tmp_path: Path, project: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = 9 if kind == "nobody there" else silent.getsockname()[1]
        with get(f"http://127.0.0.1:{port}", tmp_path, project) as getting:
            shown, wrong = getting.communicate(timeout=60)
    assert getting.returncode == 2
    assert shown == ""
    assert wrong.count("\n") == 1
    assert "small.en is not on this machine and cannot be downloaded (the hub does not answer)" in wrong


def test_the_list_tells_what_is_here_and_what_is_not():
    lines = {line.name: line for line in list_models()}
    assert set(lines) == {"bundled", *REPOSITORIES}
    assert lines["bundled"].folder
    assert lines["bundled"].megabytes >= 4
    assert lines["large-v3"].folder is None
