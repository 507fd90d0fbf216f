"""The JSON Schema of rules is the one that the types give, and the bundled rules obey it."""

import json

import jsonschema
import pytest

from monitor.config import read_yaml
from monitor.resources import resource
from monitor.rules.measures import MEASURES
from monitor.rules.rule import Rule
from monitor.rules.schema import KEYS, rules_schema

SCHEMA = json.loads(json.dumps(rules_schema()))


def test_the_schema_in_the_docs_is_current():
    there = resource("docs/rules.schema.json").read_text(encoding="utf-8")
    assert json.loads(there) == SCHEMA


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


def test_every_key_is_explained_in_the_schema_and_in_the_manual():
    manual = resource("docs/rules.md").read_text(encoding="utf-8")
    for key in Rule.__struct_encode_fields__:
        assert key in KEYS
        assert f"`{key}`" in manual
    for name, measure in MEASURES.items():
        assert f"| `{name}` |" in manual
        for parameter in measure.kinds:
            assert f"`{parameter}`" in manual


def test_every_moment_is_named_in_the_manual():
    from monitor.rules.triggers import MOMENTS

    manual = resource("docs/rules.md").read_text(encoding="utf-8")
    assert all(f"`{moment}`" in manual for moment in MOMENTS)
