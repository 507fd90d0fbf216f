import json

import pytest

from monitor.__main__ import main


def test_the_list_names_the_bundled_model_and_those_that_can_be_fetched(capsys: pytest.CaptureFixture[str]):
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "bundled" in shown
    assert "large-v3" in shown


def test_as_json_each_line_is_a_model(capsys: pytest.CaptureFixture[str]):
    assert main(["models", "list", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["name"] == "bundled"
    assert lines[0]["folder"].endswith("demo-en-synthetic")


@pytest.mark.parametrize("name", ["bundled", "script", "none"])
def test_what_is_always_here_need_not_be_fetched(name: str, capsys: pytest.CaptureFixture[str]):
    assert main(["models", "get", name]) == 2
    assert capsys.readouterr().err == f"monitor: {name} needs no fetching; say --model {name}.\n"


def test_an_unknown_name_is_one_clear_sentence(capsys: pytest.CaptureFixture[str]):
    assert main(["models", "get", "bse.en"]) == 2
    assert capsys.readouterr().err == (
        "monitor: bse.en is neither a known model nor a model's folder (did you mean base.en?); "
        "`monitor models` lists them.\n"
    )
