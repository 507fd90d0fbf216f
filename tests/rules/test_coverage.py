"""Every row of the rulebook is somewhere."""

import pytest

from monitor.errors import BadInput
from monitor.rules.coverage import ROWS, load_rulebook, missing
from monitor.rules.rule_set import load_rules

AFTER_THE_CALL = {69, 72}


def test_every_row_has_rules_that_exist_or_a_reason():
    rows = load_rulebook()
    assert [row.row for row in rows] == list(range(1, ROWS + 1))
    assert missing(rows, load_rules()) == []
    assert {row.row for row in rows if row.works == "not detectable"} == AFTER_THE_CALL
    assert all(row.reason for row in rows if not row.rules)


def test_every_rule_belongs_to_a_row():
    named = {name for row in load_rulebook() for name in row.rules}
    assert {rule.rule for rule in load_rules().rules} == named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {row: 1, advice: a, works: live, rules: [x]}\n", "72 rows were expected; there are 1"),
        ("- {row: 2, advice: a, works: live, rules: [x]}\n", "row 1 was expected here"),
        ("- {row: 1, advice: a, works: live}\n", "says why nothing can"),
        ("- {row: 1, advice: a, works: maybe}\n", "works"),
    ],
)
def test_a_broken_table_is_refused(text, said, tmp_path):
    path = tmp_path / "rulebook.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=said):
        load_rulebook(path)
