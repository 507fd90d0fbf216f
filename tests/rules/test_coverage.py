"""Every row of the rulebook is somewhere."""

from dataclasses import replace

import msgspec
import pytest

from monitor.errors import BadInput
from monitor.rules.coverage import ROWS, implemented, load_rulebook, missing
from monitor.rules.rule_set import load_rules

AFTER_THE_CALL = {69, 72}


def test_every_row_has_rules_or_a_reason():
    rows = load_rulebook()
    assert [row.row for row in rows] == list(range(1, ROWS + 1))
    assert missing(rows, load_rules()) == []
    assert {row.row for row in rows if row.works == "not detectable"} == AFTER_THE_CALL
    assert set(implemented(load_rules())) == {row.row for row in rows} - AFTER_THE_CALL


def test_every_bundled_rule_has_a_row_and_a_title():
    rules = load_rules().rules
    assert [rule.rule for rule in rules if not rule.rows or not rule.title] == []
    assert len({rule.title for rule in rules}) == len(rules)


def test_rows_without_rules_and_rules_without_rows_are_named():
    book = load_rules()
    some = replace(book, rules=tuple(rule for rule in book.rules if rule.row != 12))
    stray = replace(
        book, rules=(*book.rules, msgspec.structs.replace(book.rules[0], rule="x.y", row=[3, 99]))
    )
    rows = load_rulebook()
    assert missing(rows, some) == [
        "row 12 (Sum up for a caller who loses the thread) is not implemented by any rule."
    ]
    assert missing(rows, stray) == ["x.y names the row 99, which the rulebook does not have."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {row: 1, advice: a, works: live}\n", "72 rows were expected; there are 1"),
        ("- {row: 2, advice: a, works: live}\n", "row 1 was expected here"),
        ("- {row: 1, advice: a, works: not detectable}\n", "`reason` says why"),
        ("- {row: 1, advice: a, works: live, reason: b}\n", "`reason` says why"),
        ("- {row: 1, advice: a, works: maybe}\n", "works"),
    ],
)
def test_a_broken_table_is_refused(text, said, tmp_path):
    path = tmp_path / "rulebook.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        load_rulebook(path)
