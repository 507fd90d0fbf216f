"""Generates the JSON Schema of rule files from their types, for completion and checks in editors."""

from typing import Any

from monitor.rules.measures import MEASURES
from monitor.rules.measures.registry import Measure
from monitor.rules.rule import KEYS, LIKE, OVERRIDE, QUESTIONS, Rule
from monitor.wire.json_schema import REF, components

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def rules_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a list of rules."""
    (rule,), types = components([Rule])
    types["Measure"] = _measures(types)
    for name in ("Rule", "Condition"):
        types[name]["properties"]["measure"] = {"$ref": REF.format(name="Measure")}
    for kind, keys in KEYS.items():
        described = types[kind.__name__]["properties"]
        for key, meaning in keys.items():
            described[key] = {**described[key], "description": plain(meaning)}
    whole = types["Rule"]
    whole["properties"]["like"] = {"type": "string", "description": plain(LIKE)}
    whole["oneOf"] = [{"required": [key]} for key in (*QUESTIONS, "like")]
    types["Override"] = _override(whole)
    return {
        "$schema": DIALECT,
        "title": "Rules of the call monitor",
        "description": "A list of rules, and of overrides of rules in earlier files.",
        "type": "array",
        "items": {"anyOf": [rule, {"$ref": REF.format(name="Override")}]},
        "$defs": types,
    }


def plain(text: str) -> str:
    """A description without Markdown's code marks, for editors that show plain text."""
    return text.replace("`", "")


def _measures(types: dict[str, Any]) -> dict[str, Any]:
    """The schema of a measure: one name with its parameters."""
    return {
        "description": "a named question to the call; exactly one",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {name: _measure(measure, types) for name, measure in sorted(MEASURES.items())},
    }


def _measure(measure: Measure, types: dict[str, Any]) -> dict[str, Any]:
    _, found = components([measure.params])
    schema: dict[str, Any] = found[measure.params.__name__]
    del schema["title"]
    kind = "object" if schema.get("required") else ["object", "null"]
    return {**schema, "type": kind, "description": plain(measure.asks)}


def _override(rule: dict[str, Any]) -> dict[str, Any]:
    properties = {name: schema for name, schema in rule["properties"].items() if name not in ("rule", "like")}
    bare = {name: {k: v for k, v in schema.items() if k != "default"} for name, schema in properties.items()}
    return {
        "title": "Override",
        "description": "Other values for a few keys of a rule in an earlier file; its other keys stay.",
        "type": "object",
        "properties": {"override": {"type": "string", "description": plain(OVERRIDE)}, **bare},
        "required": ["override"],
        "additionalProperties": False,
    }
