"""What is known of a call: right fields pass as they are, wrong ones are told with their place."""

from pathlib import Path

import pytest

from monitor.errors import BadInput
from monitor.metadata import read_meta


def written(folder: Path, text: str) -> Path:
    path = folder / "call.yaml"
    path.write_text(text)
    return path


def test_fields_that_no_rule_knows_are_passed_on(tmp_path: Path) -> None:
    text = (
        "direction: out\nlast_difficulty: 80\nhandover: {name: Ann Lee, order_number: 4711}\nshoe_size: 43\n"
    )
    meta = read_meta(written(tmp_path, text))
    assert meta["shoe_size"] == 43
    assert meta["handover"] == {"name": "Ann Lee", "order_number": 4711}
    assert read_meta(written(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("direction: sideways", r"direction: .*'sideways'"),
        ("last_difficulty: lots", r"last_difficulty: expected"),
        ("last_difficulty: 180", r"last_difficulty: .*100"),
        ("ask_feedback: perhaps", r"ask_feedback: expected"),
        ("queue_median_seconds: 0", r"queue_median_seconds: .*0"),
        ("- direction", "does not hold fields with values"),
    ],
)
def test_a_field_that_no_rule_can_use_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as wrong:
        read_meta(written(tmp_path, text))
    assert "call.yaml" in str(wrong.value)
