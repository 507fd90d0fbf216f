"""An installed wheel works from any folder: rules, models and the demo call travel in it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROGRAM = """
import sys
sys.path.insert(0, {site!r})
import monitor
from monitor.__main__ import main
assert monitor.__file__.startswith({site!r}), monitor.__file__
sys.exit(main({words!r}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Path:
    """The wheel of this checkout, unpacked as pip would."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    made = subprocess.run(
        [*command, "-w", str(folder), str(project)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(site=str(site), words=list(words))
    command = [sys.executable, "-I", "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_demo_call_plays_from_any_folder(site: Path, tmp_path: Path):
    shown = run(site, tmp_path, "demo", "--speed", "max", "--model", "none")
    assert shown.returncode == 0, shown.stderr
    assert "Let them land the sentence." in shown.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_bundled_model_and_rules_are_found(site: Path, tmp_path: Path):
    models = run(site, tmp_path, "models", "list")
    assert models.returncode == 0, models.stderr
    assert "demo-en-synthetic" in models.stdout
    rules = run(site, tmp_path, "rules", "check")
    assert rules.returncode == 0, rules.stderr


def test_the_templates_of_the_report_travel(site: Path, project: Path):
    def templates(root: Path) -> set[str]:
        return {path.name for path in (root / "monitor/review/templates").iterdir()}

    assert templates(site) == templates(project) >= {"report.html.j2", "report.css"}


def test_nothing_of_the_tests_or_the_machine_travels(site: Path):
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    assert not [name for name in names if name.startswith(("tests/", "fixtures/", "models/", "configs/"))]
    assert any(name.endswith("silero_vad_16k_pair.onnx") for name in names)
