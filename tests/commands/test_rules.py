"""``monitor rules check`` as a person runs it."""

import json

import pytest

from monitor.__main__ import main

GOOD = """\
- rule: t.blame
  rationale: Test.
  measure: {phrases: {of: blame, by: agent, window: 30s}}
  at_least: 1
  message: Try something else.
  tests:
    - {call: ["agent 0-4 you should have read it"], alerts: [{at: 3, tolerance: 1.5}]}
    - {call: ["agent 0-4 let us read it"], alerts: []}
"""


@pytest.fixture
def rules(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_the_bundled_rules_are_sound(capsys):
    assert main(["rules", "check", "--rulebook"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert sum(line[:3].strip().isdigit() for line in out[:-1]) == 72
    assert " 0 failed, 0 missing" in out[-1]


def test_good_rules_of_ones_own_pass(rules, capsys):
    assert main(["rules", "check", rules(GOOD)]) == 0
    assert "1 rule (0 switched off), 2 tests, 0 failed" in capsys.readouterr().out


def test_a_test_that_fails_gives_exit_code_1_and_names_the_rule(rules, capsys):
    assert main(["rules", "check", rules(GOOD.replace("at: 3", "at: 30"))]) == 1
    out = capsys.readouterr().out
    assert "FAILED  t.blame, test 1 (" in out
    assert "rules.yaml, line 7): an alert at 30 s was expected" in out


def test_a_test_that_an_override_broke_is_told_with_what_to_do(rules, capsys):
    path = rules("- override: talk.share\n  more_than: 70%\n")
    assert main(["rules", "check", path]) == 1
    out = capsys.readouterr().out
    assert "FAILED  talk.share, test 1 (" in out
    assert "listening.yaml, line " in out
    assert f"hint    talk.share is changed by {path}, but its tests are those of the rule as it was" in out


def test_what_a_row_leaves_to_a_plug_in_is_told(capsys):
    main(["rules", "check", "--rulebook"])
    assert "plug-in" in capsys.readouterr().out


def test_a_rule_without_a_quiet_test_gives_exit_code_1(rules, capsys):
    text = GOOD.replace('    - {call: ["agent 0-4 let us read it"], alerts: []}\n', "")
    assert main(["rules", "check", rules(text)]) == 1
    assert "MISSING t.blame has no test in which it stays quiet." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("phrases:", "phrasses:"), "there is no measure phrasses"),
        (GOOD.replace("30s", "-3s"), "a time such as 20s"),
        ("- rule: a\n\twhy: b\n", "spaces, not tabs"),
    ],
)
def test_a_broken_file_gives_exit_code_2_and_one_sentence(rules, capsys, text, said):
    path = rules(text)
    assert main(["rules", "check", path]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert path in shown.err
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("words", [["--profile", "night"], ["nowhere.yaml"], ["--language", "xx"]])
def test_what_is_not_there_gives_exit_code_2(words, capsys):
    assert main(["rules", "check", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_json_lines_and_nothing_else(rules, capsys):
    assert main(["rules", "check", rules(GOOD), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["kind"] for line in lines] == ["test", "test", "sum"]
    assert all(line["passed"] for line in lines[:2])


def test_every_profile_passes_its_own_tests(capsys):
    for profile in ("eu", "quiet"):
        main(["rules", "check", "--profile", profile])
        assert "FAILED" not in "".join(
            line for line in capsys.readouterr().out.splitlines() if "should be for" not in line
        )
