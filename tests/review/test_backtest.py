"""A change of rules is judged on recorded calls: figures, what changed and why, from any kind of call."""

import json
import signal
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
import pytest

from monitor.commands.backtest import register_backtest
from monitor.errors import BadInput
from monitor.events import CallStarted, Utterance
from monitor.review.backtest import Result, Task, backtest, changes
from monitor.review.backtest_text import lines
from monitor.review.callscript import read_script, script_facts
from monitor.review.collection import Recorded, WantedCalls, calls_in
from monitor.review.facts import FactsCache, facts_of
from monitor.review.ruletest import Outcome, Raised, compare, figures
from monitor.wire import envelope as wire

SORRY = """\
call: {name}
about: Three sorries.
talk:
  - agent 0-3 I'm sorry about that
  - caller 4-6 okay
  - agent 7-9 sorry again
  - caller 10-12 fine
  - agent 13-15 so sorry
  - end 20
alerts:
  - {{rule: apology.excess, from: 13, to: 18}}
"""
STRICT = """\
- override: apology.excess
  any:
    - {measure: {phrases: {of: apology, by: agent, window: 120s}}, at_least: 2}
"""
DEAF = """\
- override: apology.excess
  off: true
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(SORRY.format(name=name))
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> dict[str, str]:
    for name, text in (("strict", STRICT), ("deaf", DEAF)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return {name: str(tmp_path / f"{name}.yaml") for name in ("strict", "deaf")}


def tasks(folder: Path, *rules: str | None) -> list[Task]:
    return [Task(call=call, rules=rules) for call in calls_in(folder)]


def raised(rule: str, at: float, level: str = "warn") -> Raised:
    return Raised(rule=rule, at=at, level=level, summary="It happened.")


def test_the_bundled_rules_find_the_third_sorry_in_both_calls(calls: Path) -> None:
    report = backtest(tasks(calls, None), workers=1)
    figures = report.rules["apology.excess"][0]
    assert (report.calls, figures.found, figures.missed) == (2, 2, 0)
    assert figures.recall == 1.0
    assert figures.delay is not None


def test_what_changed_is_told_call_by_call_with_the_evidence(calls: Path, rules: dict[str, str]) -> None:
    report = backtest(tasks(calls, rules["strict"], None), workers=1)
    assert set(report.changed) == {"one", "two"}
    changed = [one for one in report.changed["one"] if one.rule == "apology.excess"]
    assert [bool(one.new) for one in changed] == [True, False]
    assert changed[0].new is not None
    assert changed[0].new.at < 13
    assert "“" in changed[0].new.summary
    assert any("+ apology.excess" in line for line in lines(report, compared=True))


def test_the_list_of_changes_begins_with_their_sum(calls: Path, rules: dict[str, str]) -> None:
    told = "\n".join(lines(backtest(tasks(calls, rules["deaf"], None), workers=1), compared=True))
    assert "Alerts changed in 2 of 2 calls: 2 gone (2 right)." in told


def test_a_rule_that_the_truth_cannot_know_is_neither_right_nor_false(calls: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.yaml"
    fresh.write_text(
        "- override: lang.blame\n  off: true\n- {rule: team.okay, rationale: w, message: s, at_least: 1,\n"
        "   measure: {phrases: {of: apology, by: agent, window: 120s}}}\n"
    )
    known = [msgspec.structs.replace(task, judged=("apology.excess",)) for task in tasks(calls, str(fresh))]
    assert backtest(tasks(calls, str(fresh)), workers=1).rules["team.okay"][0].wrong > 0
    report = backtest(known, workers=1)
    assert report.rules["team.okay"][0].alerts > 0
    assert report.rules["team.okay"][0].wrong == 0


def test_two_processes_and_one_give_the_same_report(calls: Path, rules: dict[str, str]) -> None:
    alone = backtest(tasks(calls, rules["strict"], None), workers=1)
    together = backtest(tasks(calls, rules["strict"], None), workers=2)
    assert alone == together


def test_who_stops_a_backtest_does_not_wait_for_the_calls_that_are_left(calls: Path) -> None:
    """Of a thousand calls one is judged; the workers are ended with all the others still before them."""
    workers: list[BaseProcess] = []

    def stop(_: Result) -> None:
        workers.extend(active_children())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backtest(tasks(calls, None) * 500, workers=2, tell=stop)
    assert [worker.exitcode for worker in workers] == [-signal.SIGTERM] * 2


def test_a_journal_is_judged_like_the_call_it_was(calls: Path, tmp_path: Path) -> None:
    journals = tmp_path / "journals"
    journals.mkdir()
    facts = script_facts(read_script(calls / "one.yaml"))
    lines = [wire.encode(event, call="one", sequence=number) for number, event in enumerate(facts)]
    (journals / "one.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    report = backtest(tasks(journals, None), workers=1)
    assert report.rules["apology.excess"][0].alerts == 1
    assert report.total[0].f1 is None


def test_a_call_that_cannot_be_read_is_named_and_the_others_are_judged(calls: Path) -> None:
    (calls / "bad.jsonl").write_text("no event\n")
    report = backtest(tasks(calls, None), workers=1)
    assert report.calls == 2
    assert set(report.failed) == {"bad"}


def test_damage_repeats_itself(calls: Path) -> None:
    def harmed(seed: int) -> object:
        return backtest(
            [Task(call=call, rules=(None,), damage=0.3, seed=seed) for call in calls_in(calls)], workers=1
        )

    assert harmed(1) == harmed(1)


def test_an_alert_in_its_window_is_right_and_any_other_is_false() -> None:
    call = Recorded(
        call="c",
        kind="script",
        paths=("c",),
        wanted=(WantedCalls("a", 10, 20), WantedCalls("b", 0, 5)),
        allowed=("d",),
        whole=True,
    )
    given = [raised("a", 12), raised("a", 30), raised("c", 1), raised("d", 1), raised("loud", 3)]
    outcome = compare(given, call, frozenset("abcd"), heard=True)
    assert outcome.found == {"a": (2.0,)}
    assert outcome.missed == {"b": 1}
    assert outcome.wrong == {"a": 1, "c": 1}
    assert [one.matched for one in outcome.raised] == [True, False, False, None, None]


def test_sound_with_a_truth_forgives_alerts_of_info_level() -> None:
    call = Recorded(call="c", kind="sound", paths=("c",), wanted=(WantedCalls("a", 1, 2, words=True),))
    outcome = compare([raised("x", 5, "info"), raised("y", 6)], call, frozenset(), heard=False)
    assert (outcome.missed, outcome.wrong) == ({}, {"y": 1})


def test_what_is_due_only_without_words_is_not_due_with_them() -> None:
    wanted = (WantedCalls("with", 1, 2, words=True), WantedCalls("without", 1, 2, wordless=True))
    call = Recorded(call="c", kind="sound", paths=("c",), wanted=wanted)
    assert compare([], call, frozenset(), heard=True).missed == {"with": 1}
    assert compare([], call, frozenset(), heard=False).missed == {"without": 1}


def test_figures_are_null_where_there_is_nothing_to_divide_by() -> None:
    nothing = figures([Outcome(raised=())], 0.0)
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.per_hour) == (None, None, None, None)
    some = figures([Outcome(raised=(raised("a", 1),), found={"a": (1.0, 3.0)}, wrong={"a": 2})], 2.0, "a")
    assert (some.precision, some.recall, some.f1, some.delay, some.per_hour) == (0.5, 1.0, 0.667, 2.0, 0.5)


def test_the_same_alert_a_moment_later_is_a_change_and_a_higher_level_too() -> None:
    old = Outcome(raised=(raised("a", 1.0), raised("b", 5.0, "info")))
    new = Outcome(raised=(raised("a", 1.2), raised("b", 5.0)))
    assert [(one.rule, bool(one.new), bool(one.old)) for one in changes(new, old)] == [
        ("a", False, True), ("a", True, False), ("b", True, True)
    ]  # fmt: skip
    assert changes(old, old) == ()


def test_facts_of_sound_are_kept_and_come_back_the_same(tmp_path: Path, project: Path) -> None:
    sound = project / "fixtures" / "audio" / "backchannels.flac"
    cache = FactsCache(tmp_path / "kept")
    call = Recorded(call="b", kind="sound", paths=(str(sound),))
    first = facts_of(call, "none", cache)
    kept = list((tmp_path / "kept").iterdir())
    assert len(kept) == 1
    assert kept[0].stat().st_mode & 0o077 == 0
    assert [msgspec.json.encode(event) for event in facts_of(call, "none", cache)] == [
        msgspec.json.encode(event) for event in first
    ]
    kept[0].write_bytes(kept[0].read_bytes()[:40])
    assert len(facts_of(call, "none", cache)) == len(first)


def test_sound_is_heard_with_the_model_that_fits_it_unless_another_is_named(project: Path) -> None:
    sound = project / "fixtures" / "audio" / "interruptions.flac"
    facts = facts_of(Recorded(call="i", kind="sound", paths=(str(sound),)), None, FactsCache(None))
    begun = next(event for event in facts if isinstance(event, CallStarted))
    assert begun.model == "demo-en-synthetic"
    assert any(isinstance(event, Utterance) and event.words for event in facts)


def test_a_folder_is_searched_for_sound_journals_and_scripts(tmp_path: Path, project: Path) -> None:
    found = calls_in(project / "fixtures")
    assert {call.kind for call in found} == {"sound", "script"}
    assert len({call.call for call in found}) == len(found)
    with pytest.raises(BadInput, match="no calls"):
        calls_in(tmp_path)
    with pytest.raises(BadInput, match="not a folder"):
        calls_in(tmp_path / "nowhere")


def run(*words: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    register_backtest(parser.add_subparsers())
    args = parser.parse_args(["backtest", *words])
    return int(args.run(args))


def test_the_command_prints_json_writes_a_file_and_holds_a_bar(
    calls: Path, rules: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--calls", str(calls), "--jobs", "1", "--no-cache"]
    assert run(*common, "--json", "--out", str(tmp_path / "r.json"), "--fail-under", "0.5") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "r.json").read_text())
    assert printed["rules"]["apology.excess"][0]["found"] == 2
    assert run(rules["deaf"], "--against", rules["strict"], *common, "--fail-under", "0.9") == 1
    told = capsys.readouterr()
    assert "below 0.9" in told.err
    assert "before" in told.out


def test_a_script_with_an_unknown_key_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(SORRY.format(name="x") + "level: warn\n")
    with pytest.raises(BadInput, match=r"x\.yaml.*level"):
        read_script(tmp_path / "x.yaml")
    (tmp_path / "y.yaml").write_text(SORRY.format(name="y").replace("agent 0-3", "agent 3-0"))
    with pytest.raises(BadInput, match=r"y\.yaml: at talk"):
        read_script(tmp_path / "y.yaml")


def test_a_report_that_cannot_be_written_is_told_before_the_calls_are_heard(
    calls: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="not a file in a folder that exists"):
        run("--calls", str(calls), "--out", str(tmp_path / "nowhere/report.json"))
