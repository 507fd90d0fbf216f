import hashlib
import shutil
from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.speech.model_store import BUNDLED, BUNDLED_NOTICE, are_bundled_recordings, bundled_folder, choose
from tests.sounds import pcm16, talk, wav


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A recording that is not the project's own."""
    return wav(tmp_path / "call.wav", pcm16(talk()))


@pytest.fixture(autouse=True)
def _nothing_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without models and without a hub."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "MONITOR_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def own(project: Path) -> Path:
    return project / "fixtures/audio/difficult-call.flac"


def test_the_own_recordings_are_heard_with_the_bundled_model(project: Path):
    choice = choose(None, [own(project)])
    assert (choice.name, choice.notice) == (BUNDLED, None)
    recogniser = choice.recogniser()
    assert recogniser is not None
    assert recogniser.name == BUNDLED


def test_a_copy_of_an_own_recording_under_another_name_is_known(project: Path, tmp_path: Path):
    copy = tmp_path / "renamed.bin"
    shutil.copy(own(project), copy)
    assert are_bundled_recordings([copy])


def test_a_strangers_call_is_not_heard_with_the_bundled_model_unasked(stranger: Path):
    choice = choose(None, [stranger])
    assert choice.name == "none"
    assert choice.recogniser() is None
    assert choice.notice is not None
    assert "Speech recognition is off" in choice.notice
    assert "monitor models get base.en" in choice.notice


def test_a_live_call_is_not_heard_with_the_bundled_model_unasked():
    assert choose(None, []).name == "none"


def test_asked_for_by_name_the_bundled_model_hears_anything_with_a_warning(stranger: Path, project: Path):
    assert choose("bundled", [stranger]).notice == BUNDLED_NOTICE
    assert choose("bundled", []).notice == BUNDLED_NOTICE
    assert choose("bundled", [own(project)]).notice is None


def test_a_model_on_this_machine_is_taken_when_nothing_was_asked_for(
    stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(bundled_folder(), tmp_path / "models/base.en")
    monkeypatch.setenv("MONITOR_MODELS", str(tmp_path / "models"))
    assert choose(None, [stranger]).name == "base.en"
    assert choose("base.en").name == "base.en"


def test_a_folder_is_a_model_too(tmp_path: Path):
    shutil.copytree(bundled_folder(), tmp_path / "mine")
    assert choose(str(tmp_path / "mine")).name == "mine"


def test_none_means_no_words(stranger: Path):
    assert choose("none", [stranger]).recogniser() is None


def test_the_script_beside_a_recording_is_named_for_what_it_is(project: Path):
    choice = choose("script", [own(project)])
    assert choice.name == "script of the recording"
    assert choice.notice is not None
    assert choose(f"script:{own(project).with_suffix('.json')}").name == choice.name


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("base.em", "did you mean base.en"),
        ("/nowhere/at/all", "neither a known model nor a model's folder"),
        ("base.en", "HF_HUB_OFFLINE forbids downloading"),
        ("script", "a live call has none"),
        ("script:/nowhere.json", "There is no script"),
    ],
)
def test_what_cannot_be_had_is_one_clear_sentence(asked: str, sentence: str):
    with pytest.raises(BadInput, match=sentence) as wrong:
        choose(asked)
    assert "\n" not in str(wrong.value)


def test_a_folder_that_lacks_a_file_is_told_which(tmp_path: Path):
    with pytest.raises(BadInput, match=r"model\.bin is missing"):
        choose(str(tmp_path))


def test_a_broken_model_is_told_when_it_is_loaded(tmp_path: Path):
    shutil.copytree(bundled_folder(), tmp_path / "broken")
    (tmp_path / "broken/model.bin").write_bytes(b"not a model")
    with pytest.raises(BadInput, match="cannot be loaded"):
        choose(str(tmp_path / "broken")).recogniser()


def test_the_sums_of_the_own_recordings_are_those_of_the_files(project: Path):
    """After `python -m fixtures.make` they are written anew."""
    folder = project / "fixtures/audio"
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text("ascii").splitlines())
    recordings = [*folder.glob("*.wav"), *folder.glob("*.flac")]
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in recordings}
