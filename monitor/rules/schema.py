"""The JSON Schema of a file of rules, made from the types, so that editors complete and check."""

from typing import Any

from monitor.rules.measures import MEASURES
from monitor.rules.measures.registry import Measure
from monitor.rules.rule import QUESTIONS, Rule
from monitor.wire.json_schema import REF, components

DIALECT = "https://json-schema.org/draft/2020-12/schema"

KEYS = {
    "rule": "the id, unique among all files",
    "rationale": "the advice behind it, in one sentence",
    "level": "how grave an alert is",
    "message": "the text to the agent: at most 60 characters, kind, the next step first; may name {detail}",
    "to": "who may see it",
    "measure": "the question to the call",
    "all": "several questions, all of which must be met",
    "any": "several questions, one of which must be met",
    "at_least": "the value from which the rule is met",
    "at_most": "the value up to which the rule is met",
    "more_than": "the value above which the rule is met",
    "less_than": "the value below which the rule is met",
    "not_said_by": "with a measure of phrases: met when they were not said by this time",
    "after": "the cue after which something ought to follow",
    "expect": "what ought to follow",
    "within": "how soon it ought to follow",
    "turns": "or by the end of so many turns of the side that ought to say it",
    "lookback": "how long before the cue it may have come, too",
    "window": "for how long a broken contract counts",
    "unless": "a cue that exempts: before a contract's deadline, or in the last seconds before a measure",
    "during": "the part of the call in which an alert may open",
    "scope": "the calls that the rule is for",
    "escalation": "steps with thresholds, levels, texts and audiences of their own",
    "for": "for how long the question must be met before an alert opens",
    "clear": "an open alert stays open until the value is beyond this one",
    "cooldown": "how soon after its last alert the rule may open another, and show another card",
    "budget": "how many alerts it may open in a call",
    "expires": "how long an alert stays open at most",
    "escalate_after": "an alert that stays open so long goes to supervisors, too",
    "inhibits": "rules whose cards are held back while this alert matters more, or all",
    "inhibits_for": "for how long; 0 is as long as the alert is open",
    "at_pause": "the card waits for a pause of both sides of this length",
    "priority": "which card comes first where several wait, after the level",
    "private": "for the agent alone, never stored",
    "card": "whether it may become a card on the agent's screen",
    "note": "what is found is written down under this name",
    "score": "the value goes to the scorecard under this name; no alert",
    "off": "switched off",
    "tests": "scripts of calls, and when the alert opens",
}
"""What each key of a rule means."""


def rules_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a list of rules."""
    (rule,), types = components([Rule])
    types["Measure"] = _measures(types)
    for name in ("Rule", "Condition"):
        types[name]["properties"]["measure"] = {"$ref": REF.format(name="Measure")}
    whole = types["Rule"]
    for key, meaning in KEYS.items():
        whole["properties"][key] = {**whole["properties"][key], "description": meaning}
    whole["properties"]["like"] = {
        "type": "string",
        "description": "the id of a rule whose keys this one takes over, unless it says them itself",
    }
    whole["oneOf"] = [{"required": [key]} for key in (*QUESTIONS, "like")]
    types["Override"] = _override(whole)
    return {
        "$schema": DIALECT,
        "title": "Rules of the call monitor",
        "description": "A list of rules, and of overrides of rules that stand in earlier files.",
        "type": "array",
        "items": {"anyOf": [rule, {"$ref": REF.format(name="Override")}]},
        "$defs": types,
    }


def _measures(types: dict[str, Any]) -> dict[str, Any]:
    """One measure by name, with its parameters."""
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
    return {**schema, "type": kind, "description": measure.asks}


def _override(rule: dict[str, Any]) -> dict[str, Any]:
    properties = {name: schema for name, schema in rule["properties"].items() if name not in ("rule", "like")}
    bare = {name: {k: v for k, v in schema.items() if k != "default"} for name, schema in properties.items()}
    return {
        "title": "Override",
        "description": "A few keys of a rule that stands in an earlier file, said anew; its other keys stay.",
        "type": "object",
        "properties": {"override": {"type": "string", "description": "the rule's id"}, **bare},
        "required": ["override"],
        "additionalProperties": False,
    }
