"""Mutation testing: measures how many small faults in the core the tests detect, on a seeded sample.

    python -m benchmarks.mutation                                   60 mutants of the core packages
    python -m benchmarks.mutation --rooms audio,speech --sample 100 --seed 7
    python -m benchmarks.mutation --at sources/call_detection.py:139 every mutant of one line

A mutant is the product with one small fault in one module: a comparison reversed or changed at its
boundary, ``+`` for ``-`` or ``*`` for ``/``, ``and`` for ``or``, a ``not`` removed, a condition negated, a
number incremented, or ``None`` returned. For each mutant the test files that mirror its module run
(``tests/audio/test_vad*.py`` for ``monitor/audio/vad.py``; all test files of the room for a module that has
none of its own). A mutant whose tests fail, or run into the time limit, is killed; one that passes has
survived: either a test is missing, or the fault has no observable effect. Mutants whose tests also fail
without the fault are not counted.

The tests run in a temporary copy of the files tracked by git, so the checkout is not modified. The same seed
selects the same mutants of the same code. The program prints a line for each mutant, then the score of each
package (killed / tried) and the survivors. Its exit code is always 0: it is a tool for finding missing tests,
not a check.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import psutil

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("audio", "sources", "speech", "timeline", "phrases", "judge")

ELSEWHERE = {
    "sources/decode.py": ("tests/sources/test_recording.py", "tests/edges/test_bad_recordings.py"),
    "sources/journal.py": ("tests/sinks/test_journal.py",),
    "speech/channel_transcriber.py": ("tests/speech/test_transcriber.py",),
}
"""Modules whose test files have another name."""

LEAST_LIMIT = 20.0
"""Lower bound of the time limit of a mutant's tests, in seconds."""
TIMES_BASELINE = 4.0
"""Lower bound of the time limit as a multiple of the time without a fault."""

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault in ``module`` (a path below ``monitor/``); ``source`` is its whole faulty text."""

    module: str
    line: int
    before: str
    after: str
    source: str
    tests: tuple[str, ...]
    """The test files that should detect it, as paths below the repository."""

    @property
    def name(self) -> str:
        """Its location and change, on one line."""
        return f"{self.module}:{self.line}  {_short(self.before)}  ->  {_short(self.after)}"


def _short(code: str) -> str:
    flat = " ".join(code.split())
    return flat if len(flat) <= 60 else f"{flat[:57]}..."


def mutants_of(module: str, text: str) -> list[Mutant]:
    """Every mutant of the module ``text``, in the order of its lines."""
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    raw = text.encode()
    tests = tests_of(module)
    found = []
    for node, changed in _changes(ast.parse(text)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        after = ast.unparse(changed)
        if isinstance(node, ast.expr):
            after = f"({after})"
        before = raw[begin:end].decode()
        faulty = (raw[:begin] + after.encode() + raw[end:]).decode()
        found.append(Mutant(module, node.lineno, before, after, faulty, tests))
    return found


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST]]:
    """Each node that can be mutated, with its replacement."""
    for node in _code(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for operator in _COMPARISONS[type(node.ops[0])]:
                yield node, _with(node, ops=[operator()])
        elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            yield node, _with(node, op=_ARITHMETIC[type(node.op)]())
        elif isinstance(node, ast.BoolOp):
            yield node, _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, node.operand
        elif isinstance(node, ast.Constant) and _is_number(node.value):
            yield node, ast.Constant(node.value + 1)
        elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            yield node, ast.Return(ast.Constant(None))
        if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare):
            yield node.test, ast.UnaryOp(ast.Not(), node.test)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Every executed node below ``node``; annotations, decorators and strings are left out."""
    skipped = {"annotation", "returns", "decorator_list", "type_params"}
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.If) and _for_type_checkers(node)):
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field in skipped:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child)


def _for_type_checkers(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def modules_of(room: str) -> list[str]:
    """The modules of a package as paths below ``monitor/``."""
    folder = ROOT / "monitor"
    found = sorted(path for path in (folder / room).rglob("*.py") if path.name != "__init__.py")
    return [path.relative_to(folder).as_posix() for path in found]


def tests_of(module: str) -> tuple[str, ...]:
    """The test files that run for a module, as paths below the repository."""
    if module in ELSEWHERE:
        return ELSEWHERE[module]
    path = Path(module)
    folder = ROOT / "tests" / path.parts[0]
    own = sorted({*folder.rglob(f"test_{path.stem}.py"), *folder.rglob(f"test_{path.stem}_*.py")})
    files = own or sorted(folder.rglob("test_*.py"))
    return tuple(file.relative_to(ROOT).as_posix() for file in files)


class Copy:
    """A copy of the repository in which mutants are tried, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._baselines: dict[tuple[str, ...], float | None] = {}
        list_models = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for name in list_models.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    def baseline(self, tests: tuple[str, ...]) -> float | None:
        """The seconds that ``tests`` take without a fault, or None if they fail."""
        if tests not in self._baselines:
            began = time.perf_counter()
            passed = self._passes(tests, limit=1800.0)
            self._baselines[tests] = time.perf_counter() - began if passed else None
        return self._baselines[tests]

    def survives(self, mutant: Mutant) -> bool | None:
        """Whether the tests pass with the fault; None if they fail without it."""
        baseline = self.baseline(mutant.tests)
        if baseline is None:
            return None
        limit = max(LEAST_LIMIT, TIMES_BASELINE * baseline)
        path = self._folder / "monitor" / mutant.module
        original = path.read_bytes()
        path.write_text(mutant.source, encoding="utf-8", newline="")
        try:
            self._forget_compiled(path)
            return self._passes(mutant.tests, limit)
        finally:
            path.write_bytes(original)
            self._forget_compiled(path)

    @staticmethod
    def _forget_compiled(path: Path) -> None:
        """Deletes compiled modules, which Python reuses if a source has the same size and second."""
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()

    def _passes(self, tests: Sequence[str], limit: float) -> bool:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
        environment = {**os.environ, "PYTHONPATH": str(self._folder)}
        with subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            try:
                return running.wait(limit) == 0
            except subprocess.TimeoutExpired:
                process = psutil.Process(running.pid)
                for child in [*process.children(recursive=True), process]:
                    child.kill()
                return False


def drawn(rooms: Sequence[str], sample: int, seed: int) -> list[Mutant]:
    """``sample`` mutants of ``rooms``, grouped by module; each line of code is as likely as any other."""
    every: list[Mutant] = []
    for room in rooms:
        for module in modules_of(room):
            every += mutants_of(module, (ROOT / "monitor" / module).read_text(encoding="utf-8"))
    chosen = random.Random(seed).sample(every, min(sample, len(every)))  # noqa: S311 - a sample, no secret
    return sorted(chosen, key=lambda mutant: (mutant.module, mutant.line))


def of_line(place: str) -> list[Mutant]:
    """Every mutant of the line ``place``, which is ``ROOM/MODULE.py:LINE``."""
    module, _, line = place.partition(":")
    text = (ROOT / "monitor" / module).read_text(encoding="utf-8")
    return [mutant for mutant in mutants_of(module, text) if str(mutant.line) == line]


def tried(mutants: Sequence[Mutant]) -> dict[Mutant, bool]:
    """Tries every mutant and prints a line for each; returns whether it survived, without uncounted ones."""
    verdicts: dict[Mutant, bool] = {}
    words = {True: "SURVIVED", False: "killed", None: "untested"}
    with tempfile.TemporaryDirectory() as folder:
        place = Copy(Path(folder))
        for mutant in mutants:
            began = time.perf_counter()
            survived = place.survives(mutant)
            if survived is not None:
                verdicts[mutant] = survived
            print(f"{words[survived]:8}  {mutant.name}  ({time.perf_counter() - began:.0f} s)", flush=True)
    return verdicts


def main() -> int:
    """Selects mutants, tries them and prints the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", default=",".join(ROOMS), help="folders of monitor/, separated by commas")
    parser.add_argument("--sample", type=int, default=60, help="mutants to try (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn (default 1)")
    parser.add_argument("--at", action="append", metavar="FILE:LINE", help="all mutants of this line instead")
    args = parser.parse_args()
    if args.at:
        mutants = [mutant for place in args.at for mutant in of_line(place)]
    else:
        mutants = drawn(args.rooms.split(","), args.sample, args.seed)
    # A shell that starts this in the background has Ctrl-C ignored, which the tests would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    verdicts = tried(mutants)
    survivors = [mutant for mutant, survived in verdicts.items() if survived]
    total = Counter(mutant.module.split("/")[0] for mutant in verdicts)
    alive = Counter(mutant.module.split("/")[0] for mutant in survivors)
    for room, count in sorted(total.items()):
        print(f"{room}: {count - alive[room]} of {count} killed")
    print(f"mutation: {len(verdicts) - len(survivors)} of {len(verdicts)} mutants killed")
    for mutant in survivors:
        print(f"  survived: {mutant.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
