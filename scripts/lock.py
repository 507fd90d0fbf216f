"""Writes requirements/*.txt: all dependencies with pinned versions and file hashes.

`make lock` runs it. It needs uv (https://docs.astral.sh/uv/), and resolves for every supported Python and
platform at once; no address of a registry is written, so any index or mirror serves that has the same files.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

EXTRAS = {
    "run.txt": ("build",),
    "overlay.txt": ("build", "overlay"),
    "dev.txt": ("dev",),
}
"""The extras of pyproject.toml that each file locks, in addition to the product's dependencies."""

HEADER = """\
# Written by scripts/lock.py (`make lock`).
# To install: pip install --require-hashes -r requirements/{name}
"""


def lock(name: str, extras: tuple[str, ...], upgrade: list[str]) -> None:
    """Resolves one file; its versions are kept unless ``upgrade`` requests newer ones."""
    target = ROOT / "requirements" / name
    command = [
        "uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--no-header",
        "--no-annotate", "--python-version", "3.11", "--quiet", "-o", str(target), *upgrade,
    ]  # fmt: skip
    for extra in extras:
        command += ["--extra", extra]
    subprocess.run(command, cwd=ROOT, check=True)
    target.write_text(HEADER.format(name=name) + target.read_text(encoding="utf-8"), encoding="utf-8")


def main() -> None:
    """Locks every file, the largest first, so that the others take the same versions."""
    (ROOT / "requirements").mkdir(exist_ok=True)
    upgrade = sys.argv[1:]
    lock("dev.txt", EXTRAS["dev.txt"], upgrade)
    for name in ("overlay.txt", "run.txt"):
        lock(name, EXTRAS[name], ["--constraint", "requirements/dev.txt", *upgrade])


if __name__ == "__main__":
    main()
