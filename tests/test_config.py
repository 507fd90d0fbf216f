from pathlib import Path

import msgspec
import pytest

from monitor.config import RENAMED, CallSettings, load_call_settings, parse_yaml
from monitor.errors import BadInput
from monitor.resources import resource


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "call.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_settings_are_the_defaults_and_name_every_key():
    documented = parse_yaml(resource("configs/call.yaml").read_text(encoding="utf-8"), "configs/call.yaml")
    assert documented == msgspec.to_builtins(CallSettings())


def test_an_empty_file_means_the_defaults(tmp_path: Path):
    assert load_call_settings(settings_file(tmp_path, "")) == CallSettings()


def test_what_is_left_out_keeps_its_default(tmp_path: Path):
    settings = load_call_settings(settings_file(tmp_path, "speech: {max_utterance: 9.0}"))
    assert settings.speech.max_utterance == 9.0
    assert settings.speech.preroll == CallSettings().speech.preroll


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("vad: {onsett_threshold: 0.6}", "onsett_threshold"),
        ("vads: {onset_threshold: 0.6}", "vads"),
        ("speech: {max_utterance: loud}", "$.speech.max_utterance"),
        ("vad: {detector: telepathy}", "$.vad.detector"),
        ("- vad", "call.yaml"),
        ("vad:\n\tonset_threshold: 0.5", "line 2"),
        ("vad: {onset_frames: 2, onset_frames: 3}", "twice"),
        ("vad: &v {onset_frames: 2}\nquality: *v", "anchors"),
        ("vad: [", "line"),
        ("quality: {dead_after: -3.0}", "$.quality.dead_after"),
        ("quality: {dead_after: .inf}", "$.quality.dead_after"),
        ("quality: {dead_after: .nan}", "line 1"),
        ("vad: !!python/object:os.system {}", "line"),
    ],
)
def test_wrong_settings_name_the_file_and_the_place(tmp_path: Path, text: str, place: str):
    path = settings_file(tmp_path, text)
    with pytest.raises(BadInput) as wrong:
        load_call_settings(path)
    assert str(path) in str(wrong.value)
    assert place in str(wrong.value)
    assert "\n" not in str(wrong.value)


def value_at(settings: dict, key: str) -> object:
    for part in key.split("."):
        settings = settings[part]
    return settings


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_key_of_an_earlier_version_is_refused_with_its_present_name(tmp_path: Path, old: str, new: str):
    section, _, key = old.partition(".")
    path = settings_file(tmp_path, f"{section}: {{{key}: 1}}" if key else f"{section}: {{}}")
    with pytest.raises(BadInput, match=rf"\$\.{old}: this key is now called {new};") as wrong:
        load_call_settings(path)
    assert str(path) in str(wrong.value)
    known = msgspec.to_builtins(CallSettings())
    assert value_at(known, new) is not None
    assert key not in known.get(section, {})
    assert key or old not in known


def test_a_million_laughs_are_not_expanded(tmp_path: Path):
    lines = ["a: &a [x, x]"] + [
        f"{b}: &{b} [*{a}, *{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(BadInput, match="anchors"):
        load_call_settings(settings_file(tmp_path, "\n".join(lines)))


def test_missing_folder_and_binary_are_told_apart(tmp_path: Path):
    with pytest.raises(BadInput, match="does not exist"):
        load_call_settings(tmp_path / "nowhere.yaml")
    with pytest.raises(BadInput, match="is a folder"):
        load_call_settings(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00vad")
    with pytest.raises(BadInput, match="not UTF-8"):
        load_call_settings(tmp_path / "binary.yaml")
