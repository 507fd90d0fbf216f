"""Schema and manual of rule files are those that the types give, and the bundled rules obey the schema."""

import json
import shutil

import jsonschema
import pytest

from monitor.__main__ import main
from monitor.config import read_yaml
from monitor.errors import BadInput
from monitor.resources import resource
from monitor.rules.manual import HAPPENED, MANUAL_FILE, SCHEMA_FILE, UNITS, contents
from monitor.rules.measures import MEASURES
from monitor.rules.rule import KEYS
from monitor.rules.schema import rules_schema
from monitor.rules.triggers import MOMENTS

SCHEMA = json.loads(json.dumps(rules_schema()))


DOCS = resource("docs/rules.md").parent


def test_schema_and_manual_in_the_docs_are_current(capsys):
    assert main(["rules", "docs", "--check", str(DOCS)]) == 0, capsys.readouterr().out


def test_a_file_that_is_not_current_is_named_and_written_anew(tmp_path, capsys):
    for name in (SCHEMA_FILE, MANUAL_FILE):
        shutil.copy(DOCS / name, tmp_path)
    manual = tmp_path / MANUAL_FILE
    current = manual.read_text(encoding="utf-8")
    manual.write_text(
        current.replace("| `silence` |", "| `quietness` |") + "Our own last word.\n", encoding="utf-8"
    )
    assert main(["rules", "docs", "--check", str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{manual} is not current; run `monitor rules docs {tmp_path}`.\n"
    assert main(["rules", "docs", str(tmp_path)]) == 0
    assert manual.read_text(encoding="utf-8") == current + "Our own last word.\n"
    assert main(["rules", "docs", "--check", str(tmp_path)]) == 0


def test_an_empty_folder_gets_the_schema_and_the_tables(tmp_path):
    assert main(["rules", "docs", str(tmp_path / "new")]) == 0
    manual = (tmp_path / "new" / MANUAL_FILE).read_text(encoding="utf-8")
    assert manual.startswith("# Reference of rule files\n")
    assert "| `count` | times |" in manual


def test_a_manual_without_a_place_for_a_part_is_refused(tmp_path):
    (tmp_path / MANUAL_FILE).write_text("# Ours\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"has no place for the generated part 'keys': write <!-- keys -->"):
        contents(tmp_path)


def test_it_is_a_schema_of_its_dialect():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(resource("configs/rules").glob("*.yaml")), ids=lambda path: path.stem)
def test_bundled_rules_obey_it(path):
    jsonschema.Draft202012Validator(SCHEMA).validate(read_yaml(path))


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "a", "rationale": "b", "measure": {"nobody": {}}},
        {"rule": "a", "rationale": "b", "measure": {"silence": {}}, "atleast": 3},
        {"rule": "a", "rationale": "b", "measure": {"silence": {}}, "cooldown": "soon"},
        {"rule": "a", "rationale": "b"},
        {"override": "a", "nonsense": 1},
    ],
)
def test_editors_see_what_is_wrong(rule):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate([rule])


@pytest.mark.parametrize("kind", KEYS, ids=lambda kind: kind.__name__)
def test_every_key_of_every_type_is_described_once(kind):
    assert set(KEYS[kind]) == set(kind.__struct_encode_fields__)


def test_every_unit_and_moment_is_described():
    assert {measure.unit for measure in MEASURES.values()} - {""} <= set(UNITS)
    assert {kind for kind, _ in MOMENTS.values()} <= set(HAPPENED)
