from pathlib import Path

import msgspec
import pytest

from monitor.config import CallSettings, load_call_settings, parse_yaml
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
    settings = load_call_settings(settings_file(tmp_path, "speech: {longest: 9.0}"))
    assert settings.speech.longest == 9.0
    assert settings.speech.preroll == CallSettings().speech.preroll


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("gate: {onn: 0.6}", "onn"),
        ("gates: {on: 0.6}", "gates"),
        ("speech: {longest: loud}", "$.speech.longest"),
        ("gate: {gate: telepathy}", "$.gate.gate"),
        ("- gate", "call.yaml"),
        ("gate:\n\ton: 0.5", "line 2"),
        ("gate: {on: 0.5, on: 0.6}", "twice"),
        ("gate: &g {on: 0.5}\nquality: *g", "anchors"),
        ("gate: [", "line"),
        ("quality: {dead_after: -3.0}", "$.quality.dead_after"),
        ("quality: {dead_after: .inf}", "$.quality.dead_after"),
        ("quality: {dead_after: .nan}", "line 1"),
        ("gate: !!python/object:os.system {}", "line"),
    ],
)
def test_wrong_settings_name_the_file_and_the_place(tmp_path: Path, text: str, place: str):
    path = settings_file(tmp_path, text)
    with pytest.raises(BadInput) as wrong:
        load_call_settings(path)
    assert str(path) in str(wrong.value)
    assert place in str(wrong.value)
    assert "\n" not in str(wrong.value)


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
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00gate")
    with pytest.raises(BadInput, match="not UTF-8"):
        load_call_settings(tmp_path / "binary.yaml")
