"""The house keeps its laws: which way imports point, where impure things live, how large rooms grow."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "monitor").rglob("*.py"))

ONE_HOME = {
    "sounddevice": {"monitor/sources/device.py"},
    "faster_whisper": {"monitor/speech/whisper.py"},
    "ctranslate2": {"monitor/speech/whisper.py"},
    "webrtcvad": {"monitor/audio/webrtc.py"},
    "PySide6": {"monitor/overlay/brush.py", "monitor/overlay/window.py", "monitor/overlay/desk.py"},
    "time": {"monitor/clock.py"},
    "datetime": {"monitor/clock.py"},
}
"""Modules that may be imported in one file only."""

MAY_IMPORT = {
    "events": set(),
    "errors": set(),
    "resources": set(),
    "clock": set(),
    "config": {"errors", "resources"},
    "json_schema": set(),
    "wire": {"errors", "events"},
    "audio": {"audio", "config", "errors", "events", "resources"},
    "speech": {"speech", "audio", "config", "errors", "events", "resources", "clock"},
    "timeline": {"timeline", "events", "voice"},
    "voice": {"events"},
    "rules": {
        "rules",
        "audio",
        "timeline",
        "voice",
        "config",
        "errors",
        "events",
        "json_schema",
        "resources",
    },
    "sides": {"events", "rules"},
    "call": {"audio", "speech", "rules", "sides", "config", "events"},
    "overlay": {"overlay", "events", "wire", "errors", "clock"},
}
"""Which way imports may point, by room; rooms that are not named are shells and may import anything."""


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def room(path: Path) -> str:
    parts = path.relative_to(ROOT / "monitor").with_suffix("").parts
    return parts[0]


@pytest.mark.parametrize("module", sorted(ONE_HOME))
def test_an_impure_module_lives_in_one_file(module: str):
    users = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if any(name.split(".")[0] == module for name in imported(path))
    }
    assert users <= ONE_HOME[module]


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_imports_point_one_way(name: str):
    for path in MODULES:
        if room(path) != name:
            continue
        rooms = {n.split(".")[1] for n in imported(path) if n.startswith("monitor.") and n.count(".") >= 1}
        assert rooms <= MAY_IMPORT[name], path


def test_help_and_version_import_nothing_heavy():
    heavy = "numpy, msgspec, rich, av, soxr, onnxruntime, websockets, librosa, faster_whisper, asyncio"
    program = (
        "import sys; from monitor.__main__ import build_parser; build_parser().format_help(); "
        f"print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


OF_SEVERAL = {
    "speech/test_overload.py": "the whole call with a recogniser that is too slow",
    "speech/test_sharing.py": "several sessions with one worker",
    "rules/test_corpus.py": "whole call scripts through rules, phrases and judge together",
    "rules/test_rule_files.py": "the tests inside the rules",
    "sinks/test_kill.py": "hub, publishers and listeners together",
}
"""Tests of several modules at once, and what they are about."""

MIRRORED = ("audio", "speech", "rules", "sources", "sinks", "review", "overlay", "commands")


def test_each_test_module_mirrors_a_module():
    """tests/audio/test_gate.py is about monitor/audio/gate.py; other names stand in folders of their own."""
    for folder in MIRRORED:
        modules = {path.stem for path in (ROOT / "monitor" / folder).rglob("*.py")}
        for test in (ROOT / "tests" / folder).glob("test_*.py"):
            subject = test.stem.removeprefix("test_")
            if f"{folder}/{test.name}" in OF_SEVERAL:
                continue
            assert (
                any(subject == module or subject.startswith(module) for module in modules)
                or "real" in subject
            ), f"{test.relative_to(ROOT)} mirrors nothing in monitor/{folder}"


EARNED = {
    "monitor/events.py": "the nouns are read in one place, and most of their lines say what they mean",
}


def test_modules_stay_small():
    """250 lines is the aim; a module beyond 300 must have earned it by name."""
    for path in MODULES:
        lines = path.read_text(encoding="utf-8").count("\n")
        name = path.relative_to(ROOT).as_posix()
        assert lines <= 300 or name in EARNED, f"{name} has {lines} lines"


def test_no_library_tells_its_maker_of_us(tmp_path):
    """onnxruntime would (see ``monitor/__init__.py``): it begins with a device's id in the home folder."""
    places = dict.fromkeys(
        ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(tmp_path)
    )
    program = (
        "import numpy as np; from monitor.audio.silero import session; "
        "import faster_whisper, ctranslate2; "
        "model = session(); print([one.name for one in model.get_inputs()])"
    )
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    ran = subprocess.run(
        [sys.executable, "-B", "-c", program], env={**env, **places}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert list(tmp_path.iterdir()) == []
