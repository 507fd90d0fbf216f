import shutil
from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.speech.store import NAMES, bundled_folder, fetch, find, listed


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
    with pytest.raises(BadInput, match="HF_HUB_OFFLINE forbids fetching it; copy its folder here"):
        fetch("small.en")


def test_a_hub_that_cannot_be_reached_is_one_clear_sentence(tmp_path: Path, project: Path):
    """In a process of its own, because the hub's client reads its settings when it is imported."""
    import os
    import subprocess
    import sys

    program = "import sys; from monitor.__main__ import main; sys.exit(main(['models', 'get', 'small.en']))"
    env = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": ""}
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, cwd=project, check=False
    )
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert shown.stderr.count("\n") == 1
    assert "small.en is not on this machine and cannot be fetched" in shown.stderr


def test_the_list_tells_what_is_here_and_what_is_not():
    lines = {line.name: line for line in listed()}
    assert set(lines) == {"bundled", *NAMES}
    assert lines["bundled"].folder
    assert lines["bundled"].megabytes >= 4
    assert lines["large-v3"].folder is None
