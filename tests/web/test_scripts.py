"""The page's own scripts: their pure part runs its tests in node; all of them say nothing as markup."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")


def test_events_become_what_the_page_shows(project: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    tests = project / "tests" / "web" / "test_state.mjs"
    ran = subprocess.run(
        [node, "--test", str(tests)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_script_of_ours_makes_markup_of_text(project: Path) -> None:
    for script in (project / "monitor" / "web" / "js").glob("*.js"):
        assert not MARKUP.search(script.read_text()), script.name


@pytest.mark.parametrize("folder", ["monitor/web/vendor/uplot", "tests/web/vendor/axe-core"])
def test_vendored_files_are_what_their_note_says(project: Path, folder: str) -> None:
    note = (project / folder / "README.md").read_text()
    assert (project / folder / "LICENSE").is_file()
    named = re.findall(r"\| (?:dist/)?(\S+) \| ([0-9a-f]{64}) \|", note)
    assert named
    for name, digest in named:
        assert hashlib.sha256((project / folder / name).read_bytes()).hexdigest() == digest
