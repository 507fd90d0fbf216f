"""``monitor rules``: ``check`` runs the tests inside rules, ``backtest`` tries rules on recorded calls,
``docs`` writes the schema and the reference of rule files.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.commands.backtest import register_backtest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.judge.rule_tests import RuleTest
    from monitor.rules.coverage import RulebookRow
    from monitor.rules.rule_set import RuleSet

EPILOG = """\
examples:
  monitor rules check                       validate the bundled rules and run their tests
  monitor rules check my-rules/             your own; a file of overrides is combined with the bundled ones
  monitor rules check --rulebook            each of the 72 pieces of advice with its rules
  monitor rules check --phrases             also: phrases that can never match
  monitor rules check --json | jq .         one JSON object a line
  monitor rules docs docs/                  write the JSON Schema and the reference of rule files
exit codes: 0 all is well, 1 a test failed or a rule is missing, 2 a file cannot be used"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "rules",
        help="Check rules, or try them on recorded calls",
        description="Checks rules, and tries them on recorded calls, before agents use them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="rules", metavar="WHAT", title="what", required=True)
    check = kinds.add_parser(
        "check",
        help="validate rules and run the tests inside them",
        description="Validates rules, runs the tests inside them, and looks for rules without tests.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("paths", type=Path, nargs="*", metavar="PATH", help="files or folders of rules")
    check.add_argument("--rulebook", action="store_true", help="list every row of the rulebook")
    check.add_argument(
        "--phrases", action="store_true", help="also name phrases that can never match (takes some seconds)"
    )
    check.add_argument("--profile", default="default", help="default, eu, quiet, or a .yaml file")
    check.add_argument("--language", default="en", help="language of the phrases (default en)")
    check.add_argument("--json", action="store_true", help="print JSON lines and nothing else on stdout")
    check.set_defaults(run=run_check)
    docs = kinds.add_parser(
        "docs",
        help="write the JSON Schema and the reference tables of rule files",
        description="Writes rules.schema.json and the generated parts of rules.md, from the types.",
    )
    docs.add_argument(
        "folder", type=Path, nargs="?", default=Path("docs"), metavar="FOLDER", help="where (default docs)"
    )
    docs.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a file is not current"
    )
    docs.set_defaults(run=run_docs)
    register_backtest(kinds)


def run_check(args: argparse.Namespace) -> int:
    """Validates, runs the tests, prints what is wrong; 0 or 1."""
    from monitor.judge.rule_tests import rule_tests
    from monitor.phrases.shadowing import shadowed
    from monitor.rules.coverage import implemented, load_rulebook, missing, untested
    from monitor.rules.rule_set import load_rules

    book = load_rules(args.paths or None, profile=args.profile, language=args.language)
    done = list(rule_tests(book))
    rows = load_rulebook() if args.rulebook or not args.paths else []
    faults = missing(rows, book) + untested(book)
    hints = shadowed(book.lexicon) if args.phrases else []
    show = _Lines() if args.json else _Text()
    if args.rulebook:
        show.rulebook(rows, implemented(book))
    hints += _inherited(book, done)
    show.rule_tests(book, done)
    show.faults(faults, hints)
    show.sum(book, done, faults)
    return 1 if faults or any(trial.wrong for trial in done) else 0


def run_docs(args: argparse.Namespace) -> int:
    """Writes the files, or tells which of them are not current; 0 or 1."""
    from monitor.errors import BadInput
    from monitor.rules.manual import contents

    files = contents(args.folder)
    stale = [path for path, text in files.items() if not _holds(path, text)]
    if args.check:
        for path in stale:
            _print(f"{path} is not current; run `monitor rules docs {args.folder}`.")
        return 1 if stale else 0
    for path in stale:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8", newline="\n")
        except OSError as wrong:
            raise BadInput(f"{path} cannot be written: {wrong.strerror}.") from None
        _print(f"wrote {path}")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _inherited(book: "RuleSet", done: "list[RuleTest]") -> list[str]:
    """What to do about tests that failed because another file changed the rule that they are of."""
    failed = dict.fromkeys(trial.rule for trial in done if trial.wrong)
    changed = {name: book.sources[name].said_by for name in failed if name in book.sources}
    return [
        f"{name} is changed by {next(iter(by.values()))}, but its tests are those of the rule as it was; "
        "say `tests:` anew there, too."
        for name, by in changed.items()
        if by and not any("tests" in key for key in by)
    ]


class _Text:
    """For people."""

    def rulebook(self, rows: "Iterable[RulebookRow]", rules: dict[int, tuple[str, ...]]) -> None:
        rows = list(rows)
        widest = max(len(row.advice) for row in rows)
        for row in rows:
            acts = ", ".join(rules.get(row.row, ())) or row.reason
            _print(f"{row.row:>3}  {row.works:<14}  {row.advice:<{widest}}  {acts}")
            if row.plug_in:
                _print(f"{'':>3}  {'plug-in':<14}  {'':<{widest}}  {row.plug_in}")
        counts = Counter(row.works for row in rows)
        _print("\n" + ", ".join(f"{works} {count}" for works, count in counts.most_common()) + "\n")

    def rule_tests(self, book: "RuleSet", done: "Iterable[RuleTest]") -> None:
        for trial in done:
            if trial.wrong:
                where = book.sources[trial.rule].part("tests", trial.number - 1).where
                _print(f"FAILED  {trial.rule}, test {trial.number} ({where}): {trial.wrong}")

    def faults(self, faults: "Iterable[str]", hints: "Iterable[str]") -> None:
        for fault in faults:
            _print(f"MISSING {fault}")
        for hint in hints:
            _print(f"hint    {hint}")

    def sum(self, book: "RuleSet", done: "list[RuleTest]", faults: list[str]) -> None:
        failed = sum(1 for trial in done if trial.wrong)
        off = sum(1 for rule in book.rules if rule.off)
        _print(
            f"{_many(len(book.rules), 'rule')} ({off} switched off), {_many(len(done), 'test')}, "
            f"{failed} failed, {len(faults)} missing. Profile {book.profile}, hash {book.hash}."
        )


class _Lines:
    """For programs: one JSON object a line."""

    def rulebook(self, rows: "Iterable[RulebookRow]", rules: dict[int, tuple[str, ...]]) -> None:
        for row in rows:
            fields = {name: getattr(row, name) for name in row.__struct_fields__}
            _print_json({"kind": "row", **fields, "rules": rules.get(row.row, ())})

    def rule_tests(self, book: "RuleSet", done: "Iterable[RuleTest]") -> None:
        for trial in done:
            _print_json(
                {"kind": "test", "rule": trial.rule, "test": trial.number, "passed": not trial.wrong,
                 "wrong": trial.wrong or None}
            )  # fmt: skip

    def faults(self, faults: "Iterable[str]", hints: "Iterable[str]") -> None:
        for kind, texts in (("missing", faults), ("hint", hints)):
            for text in texts:
                _print_json({"kind": kind, "text": text})

    def sum(self, book: "RuleSet", done: "list[RuleTest]", faults: list[str]) -> None:
        failed = sum(1 for trial in done if trial.wrong)
        _print_json(
            {"kind": "sum", "rules": len(book.rules), "tests": len(done), "failed": failed,
             "missing": len(faults), "profile": book.profile, "hash": book.hash}
        )  # fmt: skip


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _print(line: str) -> None:
    print(line)  # noqa: T201 - this is the command's output


def _print_json(plain: dict[str, Any]) -> None:
    import json

    _print(json.dumps(plain, ensure_ascii=False))
