"""The structure of the package: which way imports point, where impure modules live, how large rooms grow."""

import ast
import os
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "monitor"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

STRATA: tuple[tuple[str, ...], ...] = (
    ("errors", "clock", "resources", "inputs", "events", "streams"),
    ("config", "yaml_source", "metadata"),
    ("wire",),
    ("audio",),
    ("speech",),
    ("timeline",),
    ("phrases",),
    ("dialogue",),
    ("rules",),
    ("judge",),
    ("call",),
    ("sources",),
    ("sinks",),
    ("client",),
    ("hub",),
    ("overlay",),
    ("playback", "session"),
    ("live", "api"),
    ("review",),
    ("commands", "__main__"),
)
"""The rooms of the package, from the lowest up. A room imports itself and what lies below it."""

ONE_HOME = {
    "sounddevice": {"monitor/sources/device.py"},
    "faster_whisper": {"monitor/speech/whisper.py"},
    "ctranslate2": {"monitor/speech/whisper.py"},
    "webrtcvad": {"monitor/audio/webrtc.py"},
    "PySide6": {"monitor/overlay/brush.py", "monitor/overlay/window.py", "monitor/overlay/desk.py"},
    "librosa": {"monitor/review/sound.py"},
    "time": {"monitor/clock.py"},
    "datetime": {"monitor/clock.py"},
}
"""Modules that may be imported in one file only."""

PURE = ("audio", "timeline", "phrases", "dialogue", "rules", "judge", "call", "inputs", "events")
"""Rooms that know no clock, thread, socket or device."""

IMPURE = {
    "asyncio",
    "threading",
    "socket",
    "sqlite3",
    "time",
    "datetime",
    "random",
    "websockets",
    "subprocess",
}

ROOM_LINES = 3500
MODULE_LINES = 500


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in full}
    return names


IMPORTS = {name: {one for one in imported(path) if one in MODULES} for name, path in MODULES.items()}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def test_every_room_has_its_place():
    known = {name for stratum in STRATA for name in stratum}
    assert {room(module) for module in MODULES} - {"__init__"} == known


def test_no_module_imports_upwards():
    height = {name: place for place, stratum in enumerate(STRATA) for name in stratum}
    upwards = [
        f"{module} -> {other}"
        for module, others in IMPORTS.items()
        for other in others
        if "." in module and "." in other and height[room(other)] > height[room(module)]
    ]
    assert upwards == []


def test_no_import_goes_round_in_a_circle():
    # A package's __init__ re-exports its modules; they are leaves of it, not users.
    graph = {module: {other for other in others if other != module} for module, others in IMPORTS.items()}
    packages = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    for package in packages:
        graph[package] = set()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


@pytest.mark.parametrize("name", PURE)
def test_the_core_knows_no_clock_thread_or_socket(name: str):
    for module, path in MODULES.items():
        if "." in module and room(module) == name:
            assert not {one.split(".")[0] for one in imported(path)} & IMPURE, module


@pytest.mark.parametrize("library", sorted(ONE_HOME))
def test_an_impure_library_lives_in_one_file(library: str):
    users = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES.values()
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users <= ONE_HOME[library]


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def test_no_room_and_no_module_grows_beyond_its_limit():
    rooms: dict[str, int] = defaultdict(int)
    for module, path in MODULES.items():
        rooms[room(module)] += lines_of(path)
        assert lines_of(path) <= MODULE_LINES, f"{module} has {lines_of(path)} lines"
    assert {name: lines for name, lines in rooms.items() if lines > ROOM_LINES} == {}


def test_each_public_class_name_is_defined_once():
    homes: dict[str, list[str]] = defaultdict(list)
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


OF_SEVERAL = {
    "speech/test_overload.py": "the whole call with a recogniser that is too slow",
    "speech/test_sharing.py": "several sessions with one recogniser thread",
    "judge/test_corpus.py": "whole call scripts through rules, phrases and judge together",
    "phrases/test_talk.py": "the phrases against sentences of difficult and ordinary talk",
}
"""Tests of several modules at once, and what they are about."""

MIRRORED = (
    "audio", "speech", "timeline", "phrases", "dialogue", "rules", "judge", "wire", "hub", "client",
    "sources", "sinks", "review", "overlay", "commands",
)  # fmt: skip


@pytest.mark.parametrize("folder", MIRRORED)
def test_each_test_module_mirrors_a_module(folder: str):
    """tests/audio/test_vad.py and test_vad_edges.py are about monitor/audio/vad.py."""
    modules = {path.stem for path in (PACKAGE / folder).rglob("*.py")}
    for test in (ROOT / "tests" / folder).glob("test_*.py"):
        subject = test.stem.removeprefix("test_")
        if f"{folder}/{test.name}" in OF_SEVERAL or "real" in subject:
            continue
        assert any(subject == module or subject.startswith(module + "_") for module in modules), test.name


def test_help_and_version_import_nothing_heavy():
    heavy = "numpy, msgspec, rich, av, soxr, onnxruntime, websockets, librosa, faster_whisper, asyncio"
    program = (
        "import sys; from monitor.__main__ import build_parser; build_parser().format_help(); "
        f"print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_no_library_tells_its_maker_of_us(tmp_path: Path):
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
