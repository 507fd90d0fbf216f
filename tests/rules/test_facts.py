"""One measure counts whatever was found."""

import pytest

from monitor.errors import BadInput
from monitor.rules.check import COUNTED
from monitor.rules.measures.facts import FACTS
from tests.judge.judging import book_of, events, opened

COUNTS = """\
- rule: talk.cut
  title: Cut
  rationale: It counts.
  measure: {{count: {{of: {of}, by: {by}, window: 60s}}}}
  at_least: 2
  message: Let them finish.
  tests:
    - {{call: [{call}], alerts: [{at}]}}
    - {{call: ["caller 0-5 hello"], alerts: []}}
"""


@pytest.mark.parametrize(
    ("of_", "by", "call", "at"),
    [
        ("interruption", "agent", '"interruption agent 5", "interruption agent 9"', 9),
        ("raised_voice", "caller", '"caller 0-4 raised 1.4 no", "caller 20-24 raised 1.4 no"', 21.2),
        ("apology", "agent", '"agent 0-3 I am sorry", "agent 10-13 I am sorry"', 13),
        ("silence_of_nobody", "caller", "", 0),
    ],
)
def test_one_measure_counts_any_fact(tmp_path, of_: str, by: str, call: str, at: float):
    text = COUNTS.format(of=of_, by=by, call=call, at=at)
    if not call:
        with pytest.raises(BadInput, match="there are no phrases silence_of_nobody"):
            book_of(text, tmp_path)
        return
    book = book_of(text, tmp_path)
    (rule,) = [one for one in book.rules if one.rule == "talk.cut"]
    lines = rule.tests[0].call
    (alert,) = opened(events(type(book)(rules=(rule,)), *lines), "talk.cut")
    assert alert.at == pytest.approx(at, abs=0.5)
    assert alert.measure == of_


@pytest.mark.parametrize(("former", "fact"), COUNTED.items())
def test_the_measures_that_count_replaced_are_refused_with_what_to_write(tmp_path, former: str, fact: str):
    text = COUNTS.format(of="apology", by="agent", call="", at=0).replace("count:", f"{former}:")
    with pytest.raises(BadInput, match=rf"`{former}` is now `count: {{of: {fact}}}`"):
        book_of(text, tmp_path)
    assert fact in FACTS
