# ruff: noqa: E501 - each broken rule stands on one line beside what is said about it
"""Broken rules are refused with file, line, key path and what was expected."""

import pytest

from monitor.errors import BadInput
from monitor.events import Word
from monitor.judge.rule_tests import rule_tests
from monitor.rules.check import RENAMED
from monitor.rules.rule import Rule
from monitor.rules.rule_set import load_rules
from tests.judge.judging import book_of

GOOD = """\
- rule: a.b
  rationale: Because.
  measure: {count: {of: interruption, by: agent}}
  at_least: 2
  message: Let them finish.
"""

BROKEN = {
    "unknown key": (GOOD + "  atleast: 3\n", "line 6", "[0].atleast (rule a.b)", "this key is not known here (did you mean at_least?)"),
    "unknown measure": (GOOD.replace("count:", "cuont:"), "line 3", "there is no measure cuont (did you mean count?)"),
    "unknown parameter": (GOOD.replace("by: agent", "by: agent, windw: 3s"), "measure.count.windw", "not known"),
    "a date for a number": (GOOD.replace("at_least: 2", "at_least: 2026-01-01"), "at_least", "this is a date"),
    "no number": (GOOD.replace("at_least: 2", "at_least: .nan"), "line", "not .nan"),
    "missing parameter": (GOOD.replace("{of: interruption, by: agent}", "{}"), "line 3", "the key of is missing"),
    "wrong side": (GOOD.replace("by: agent", "by: boss"), "measure.count.by", "one of agent, caller was expected; this is 'boss'"),
    "impossible time": (GOOD + "  cooldown: -3\n", "line 6", "[0].cooldown"),
    "time without a unit": (GOOD + "  cooldown: soon\n", "[0].cooldown", "a time such as 20s"),
    "time longer than memory": (GOOD + "  cooldown: 20min\n", "[0].cooldown", "longer than 600 s"),
    "window longer than memory": (GOOD.replace("by: agent", "by: agent, window: 1h"), "window"),
    "window of nothing": (GOOD.replace("by: agent", "by: agent, window: 0s"), "window is above 0"),
    "no threshold": (GOOD.replace("  at_least: 2\n", ""), "exactly one of at_least, at_most"),
    "two thresholds": (GOOD + "  at_most: 3\n", "exactly one of at_least, at_most"),
    "no question": (GOOD.replace("  measure: {count: {of: interruption, by: agent}}\n", ""), "it has none"),
    "two questions": (GOOD + "  all: []\n", "it has measure and all"),
    "two measures": (GOOD.replace("by: agent}}", "by: agent}, silence: {}}"), "exactly one measure"),
    "text too long": (GOOD.replace("Let them finish.", "x" * 61), "line 5", "at most 60 characters; this one has 61"),
    "no text": (GOOD.replace("  message: Let them finish.\n", ""), "needs a text"),
    "unknown level": (GOOD + "  level: grave\n", "[0].level", "one of info, warn, critical was expected; this is 'grave'"),
    "unknown audience": (GOOD + "  to: [boss]\n", "[0].to"),
    "unknown phrases": (
        GOOD.replace("count: {of: interruption, by: agent}", "phrases: {of: apologee, by: agent}"), "there are no phrases apologee (did you mean apology?)"),
    "escalation beside a threshold": (GOOD + "  escalation: [{at_least: 3}]\n", "[0].escalation"),
    "rung without threshold": (
        GOOD.replace("  at_least: 2\n", "  escalation: [{level: warn}]\n"), "[0].escalation[0]", "exactly one of"),
    "clears above its threshold": (GOOD + "  clear: 5\n", "clears below"),
    "window beside a measure": (GOOD + "  window: 5s\n", "stands inside the measure"),
    "first and last": (GOOD + "  during: {first: 5s, last: 3s}\n", "cannot both hold"),
    "duplicate id": (GOOD + GOOD, "line 6", "the rule a.b already stands in"),
    "duplicate key": (GOOD + "  rationale: Again.\n", "line 6", "stands twice"),
    "override of nothing": ("- override: nobody\n  at_least: 3\n", "there is no rule nobody to override"),
    "like nothing": (GOOD + "- rule: c\n  like: nobody\n", "there is no rule nobody to be like"),
    "circular": ("- {rule: a, like: b}\n- {rule: b, like: a}\n", "in a circle: a -> b -> a"),
    "after without expect": (
        "- {rule: a, rationale: w, message: s, after: {agent: promise}, within: 3s}\n", "`after` needs `expect`"),
    "empty cue": (
        "- {rule: a, rationale: w, message: s, after: {within: 3s}, expect: {agent: solution}, within: 3s}\n", "[0].after"),
    "unknown moment": (
        "- {rule: a, rationale: w, message: s, after: {moment: noon}, expect: {agent: solution}, within: 3s}\n", "no moment noon"),
    "no time to answer": (
        "- {rule: a, rationale: w, message: s, after: {agent: promise}, expect: {agent: solution}, within: 0s}\n", "within 0 s"),
    "not_said_by without phrases": (GOOD.replace("at_least: 2", "not_said_by: 3s"), "goes with a measure of phrases"),
    "a former key": (GOOD + "  say: Now.\n", "line 6: at [0].say (rule a.b): `say` is now `message`."),
    "a card that is true": (GOOD + "  card: true\n", "line 6: at [0].card (rule a.b): `card` is `auto` or `never`; write `auto` for `true`."),
    "a card that is false": (
        "- {override: talk.share, card: false}\n", "[0].card (rule talk.share): `card` is `auto` or `never`; write `never` for `false`."),
    "title too long": (GOOD + f"  title: {'x' * 41}\n", "line 6", "a title has at most 40 characters; this one has 41"),
    "a former key of a step": (
        GOOD.replace("  at_least: 2\n", "  escalation:\n    - {at_least: 3, say: Now.}\n"), "line 5: at [0].escalation[0].say (rule a.b): `say` is now `message`."),
    "a former key of a test": (
        GOOD + "  tests:\n    - {why: A call., call: [], alerts: []}\n", "line 7: at [0].tests[0].why (rule a.b): `why` is now `about`."),
    "a former key of an override": (
        "- override: talk.share\n  mutes: all\n", "line 2: at [0].mutes (rule talk.share): `mutes` is now `inhibits`."),
    "nothing at all": ("# to be written\n", "There are no rules in"),
    "a mapping": ("rule: a\n", "a list of rules was expected"),
    "a list of words": ("- a\n- b\n", "a rule was expected"),
    "a tab": ("- rule: a\n\twhy: b\n", "line 2", "spaces, not tabs"),
    "an open bracket": ("- rule: [a\n", "not valid YAML"),
    "deep nesting": ("[" * 100_000, "nest"),
    "not text": ("- rule: \x00\n", "not valid YAML"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_refused_with_its_place(case, tmp_path):
    text, *said = BROKEN[case]
    with pytest.raises(BadInput) as wrong:
        book_of(text, tmp_path)
    message = str(wrong.value)
    assert str(tmp_path / "rules.yaml") in message
    for part in said:
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(("former", "key"), RENAMED.items())
def test_every_former_key_is_refused_with_its_new_name(former, key, tmp_path):
    with pytest.raises(BadInput, match=f"`{former}` is now `{key}`"):
        book_of(GOOD + f"  {former}: 1\n", tmp_path)
    assert key in Rule.__struct_encode_fields__


def test_a_former_key_in_a_profile_is_refused_with_its_new_name(tmp_path):
    profile = tmp_path / "own.yaml"
    profile.write_text(
        "profile: own\nabout: Ours.\noverrides:\n  - {override: talk.share, hold: 3s}\n", encoding="utf-8"
    )
    with pytest.raises(BadInput, match=r"own.yaml, line 4: .*\(rule talk.share\): `hold` is now `for`"):
        load_rules(profile=str(profile))


def test_a_megabyte_of_anchors_is_refused_before_it_is_unfolded(tmp_path):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(
        f"{c}: &{c} [{', '.join(f'*{p}' for _ in range(9))}]\n"
        for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    bomb += "# padding\n" * 100_000
    assert len(bomb) > 1_000_000
    with pytest.raises(BadInput, match="anchors and aliases are not allowed"):
        book_of(bomb, tmp_path)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_path_that_cannot_be_read_is_named(name, tmp_path):
    (tmp_path / "x.yaml").write_text("", encoding="utf-8")
    said = "There are no rules in " if name == "." else r"missing.yaml does not exist"
    with pytest.raises(BadInput, match=said):
        load_rules([tmp_path / name])


def test_a_folder_of_rules_holds_both_endings_of_yaml(tmp_path):
    (tmp_path / "one.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "two.yml").write_text(GOOD.replace("a.b", "c.d"), encoding="utf-8")
    (tmp_path / "three.txt").write_text("- no rule", encoding="utf-8")
    assert [rule.rule for rule in load_rules([tmp_path]).rules] == ["a.b", "c.d"]


def test_the_hash_names_the_text_of_the_rules_and_not_their_tests(tmp_path):
    plain = book_of(GOOD, tmp_path)
    tested = book_of(GOOD + "  tests: [{call: [], alerts: []}]\n", tmp_path)
    other = book_of(GOOD.replace("at_least: 2", "at_least: 3"), tmp_path)
    assert plain.hash == tested.hash != other.hash
    assert len(plain.hash) == 12


def test_a_file_of_overrides_is_laid_over_the_bundled_rules(tmp_path):
    book = book_of(
        "- override: talk.share\n  more_than: 70%\n- {override: lang.jargon, off: true}\n", tmp_path
    )
    bundled = load_rules()
    assert len(book.rules) == len(bundled.rules)
    assert book.rule("talk.share").more_than == "70%"
    assert book.rule("talk.share").message == bundled.rule("talk.share").message
    assert book.rule("lang.jargon").off
    assert book.rule("lang.blame") == bundled.rule("lang.blame")


def test_an_error_in_an_override_names_the_override(tmp_path):
    with pytest.raises(
        BadInput,
        match=r"rules.yaml, line 2: at .*message \(rule talk.share\): a text to the agent has at most 60",
    ):
        book_of(f"- override: talk.share\n  message: {'x' * 70}\n", tmp_path)


def test_a_rule_may_be_like_another(tmp_path):
    book = book_of(GOOD + "- {rule: c.d, like: a.b, at_least: 5}\n", tmp_path)
    assert book.rule("c.d").at_least == 5
    assert book.rule("c.d").measure == book.rule("a.b").measure


def test_title_and_row_are_not_taken_over_from_another_rule(tmp_path):
    book = book_of(GOOD + "  title: Ours\n  row: 3\n- {rule: c.d_e, like: a.b}\n", tmp_path)
    assert [(rule.name, rule.rows) for rule in book.rules] == [("Ours", (3,)), ("C d e", ())]


def test_the_example_of_the_design_is_valid_word_for_word(tmp_path):
    from monitor.judge.rule_tests import rule_tests

    text = """\
- rule: interrupt.agent
  rationale: A caller who is cut off stops explaining.
  measure: {count: {of: interruption, by: agent, window: 60s}}
  at_least: 2
  cooldown: 60s
  level: warn
  message: Let them land the sentence.
  to: [agent, supervisor]
  tests:
    - {call: ["caller 0-6 it broke on monday", "agent 4-9 have you tried", "caller 10-16 no listen", "agent 14-18 okay but"], alerts: [16.4]}
    - {call: ["caller 0-6 it broke on monday", "agent 3-3.4 mm-hm"], alerts: []}
"""
    assert [trial.wrong for trial in rule_tests(book_of(text, tmp_path))] == ["", ""]


DISCOUNT = """\
class: discount
about: Money off that nobody has allowed.
phrases: |
  <number> percent off
"""
RULE = """\
- override: lang.jargon
  off: true
- rule: team.discount
  rationale: Discounts are the lead's to give.
  measure: {phrases: {of: discount, by: agent, window: 30s}}
  at_least: 1
  message: Offer the voucher instead.
  tests:
    - {call: ["agent 0-4 I can give you ten percent off"], alerts: [{at: 4, tolerance: 1}]}
    - {call: ["agent 0-4 I can give you a voucher"], alerts: []}
"""


def test_a_folder_of_rules_brings_phrases_of_its_own(tmp_path):
    (tmp_path / "team.yaml").write_text(RULE)
    with pytest.raises(BadInput, match="there are no phrases discount"):
        load_rules([tmp_path])
    phrases = tmp_path / "phrases" / "en"
    phrases.mkdir(parents=True)
    (phrases / "discount.yml").write_text(DISCOUNT)
    book = load_rules([tmp_path])
    assert [trial.wrong for trial in rule_tests(book) if trial.rule == "team.discount"] == ["", ""]
    assert book.rule("lang.blame") is not None
    assert "discount" not in load_rules().lexicon.classes


def test_phrases_alone_are_laid_over_the_bundled_rules(tmp_path):
    phrases = tmp_path / "phrases" / "en"
    phrases.mkdir(parents=True)
    (phrases / "jargon.yaml").write_text("class: jargon\nabout: Ours.\nphrases: |\n  flux capacitor\n")
    book, bundled = load_rules([tmp_path]), load_rules()
    assert [rule.rule for rule in book.rules] == [rule.rule for rule in bundled.rules]
    assert book.hash != bundled.hash
    found = {match.text for match in book.lexicon.find(said("the flux capacitor has no firmware"))}
    assert "flux capacitor" in found
    assert "firmware" not in found


def said(text: str) -> list[Word]:
    return [
        Word(text=word, start=place / 3, end=(place + 1) / 3, confidence=0.9, committed=True)
        for place, word in enumerate(text.split())
    ]
