"""JSON Schemas of types, the same from every supported version of msgspec and Python.

Minor versions of msgspec differ in the order of alternatives, in the indentation of descriptions and in
whether they constrain the names of properties. Published documents must not change with them.
"""

import inspect
import json
from collections.abc import Iterable
from typing import Any

import msgspec

REF = "#/$defs/{name}"
VARIES = "propertyNames"
"""A key that some versions of msgspec write for ``dict[Literal[...], ...]`` and others do not."""


def components(types: Iterable[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A schema for each of ``types``, and the definitions (``$defs``) that they refer to, by name."""
    schemas, found = msgspec.json.schema_components(types, ref_template=REF)
    return [_settled(schema) for schema in schemas], {name: _settled(found[name]) for name in sorted(found)}


def _settled(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_settled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _settled(value) for key, value in schema.items() if key != VARIES}
    if isinstance(out.get("description"), str):
        out["description"] = inspect.cleandoc(out["description"])
    if "anyOf" in out:
        out["anyOf"] = sorted(out["anyOf"], key=_order)
    return out


def _order(alternative: dict[str, Any]) -> tuple[bool, str]:
    return alternative.get("type") == "null", json.dumps(alternative, sort_keys=True)
