"""The contract on the wire, made from the types: ``python -m monitor.hub.documents`` writes it into docs/.

AsyncAPI 3.0 (asyncapi.com/docs/reference/specification/v3.0.0) for the channels of the hub, and a JSON
Schema (2020-12) for each kind of event. A test compares the files with what this module makes.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from monitor import __version__
from monitor.events import EVENTS, LEVELS
from monitor.wire import envelope as wire
from monitor.wire.json_schema import components
from monitor.wire.messages import (
    Answer,
    CallControlMessage,
    Claim,
    CommandMessage,
    ForwardedCallControl,
    ForwardedReply,
    StandbyClaim,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = "schemas"
FROM_HUB_ALONE = ("snapshot", "dropped", "refused", "hooked")
OTHERS = ("claim", "answer", "ask", "hook", "standing", "passed", "replied")

LISTENING = """\
What a listener may see, in the order of the hub's log. The first line is a `snapshot` of the open calls,
unless `since` named a sequence: then it is the first line that was missed."""

QUERY = {
    "since": "The last sequence the listener has; it gets what came after. Unknown or forgotten: a snapshot.",
    "log": "The log that `since` belongs to, as the snapshot named it; of another log: a snapshot.",
    "team": "Only calls of these teams (repeat the key or separate with commas).",
    "agent": "Only calls of these agents.",
    "call": "Only these calls.",
    "kind": "Only these kinds, by name (`alert.opened`) or by its first word (`alert`); `-` before it: not.",
    "level": f"Only alerts of this level and above: {', '.join(LEVELS)}.",
    "role": "On loopback: the view of an `agent` or a `supervisor`.",
}


def documents() -> dict[str, bytes]:
    """Every file of the contract by its path under docs/."""
    files = {f"{SCHEMAS}/{name}.json": _pretty(schema) for name, schema in event_schemas().items()}
    kinds = (
        Claim,
        Answer,
        CommandMessage,
        CallControlMessage,
        StandbyClaim,
        ForwardedCallControl,
        ForwardedReply,
    )
    for name, kind in zip(OTHERS, kinds, strict=True):
        files[f"{SCHEMAS}/{name}.json"] = _pretty({"$schema": DIALECT, **_schema(kind)})
    files["asyncapi.json"] = _pretty(asyncapi())
    return files


def event_schemas() -> dict[str, dict[str, Any]]:
    """For each kind of event the JSON Schema of a whole line."""
    return {name: _line_schema(name) for name in EVENTS}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document."""
    lines = {name: _message(name, f"{SCHEMAS}/{name}.json") for name in EVENTS}
    others = {name: _message(name, f"{SCHEMAS}/{name}.json") for name in OTHERS}
    published = [name for name in EVENTS if name not in FROM_HUB_ALONE]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Call monitor",
            "version": __version__,
            "description": "Events of live calls as CloudEvents 1.0, one JSON object a message: see wire.md.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {"host": "127.0.0.1:8765", "protocol": "ws", "description": "On loopback: no token."},
            "anywhere": {
                "host": "{host}",
                "protocol": "wss",
                "description": "Elsewhere: TLS, and a token made with `monitor token`.",
                "variables": {"host": {"description": "The host and port of the hub."}},
                "security": [{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}],
            },
        },
        "channels": {
            "events": {
                "address": "/events",
                "description": LISTENING,
                "messages": _refs("messages", [*EVENTS, "ask", "hook"]),
                "bindings": {"ws": {"method": "GET", "query": _query()}},
            },
            "publish": {
                "address": "/publish",
                "description": "One call from its monitor; lines joined by line feeds may share a message.",
                "messages": _refs("messages", [*published, "claim", "answer"]),
                "bindings": {"ws": {"method": "GET"}},
            },
            "standby": {
                "address": "/standby",
                "description": "A live monitor waits here between calls for its agent's softphone.",
                "messages": _refs("messages", ["standing", "passed", "replied"]),
                "bindings": {"ws": {"method": "GET"}},
            },
        },
        "operations": {
            "listen": _operation("send", "events", list(EVENTS), "The hub sends a listener what it may see."),
            "order": _operation("receive", "events", ["ask"], "A listener sends a command to a call."),
            "hook": _operation("receive", "events", ["hook"], "A softphone says that a call begins or ends."),
            "stand_by": _operation("receive", "standby", ["standing"], "A monitor says whose it is."),
            "pass_on": _operation("send", "standby", ["passed"], "The hub passes call control on."),
            "reply": _operation("receive", "standby", ["replied"], "The monitor says what it did."),
            "announce": _operation("receive", "publish", ["claim"], "A monitor says whose call it sends."),
            "publish": _operation("receive", "publish", published, "A monitor sends lines of its call."),
            "answer": _operation(
                "send", "publish", ["answer"], "The hub says what it holds, and passes commands on."
            ),
        },
        "components": {"messages": {**lines, **others}},
    }


def write(folder: Path) -> None:
    """Writes the contract into ``folder``; files of kinds that are gone are removed."""
    made = documents()
    (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
    for old in (folder / SCHEMAS).glob("*.json"):
        if f"{SCHEMAS}/{old.name}" not in made:
            old.unlink()
    for name, content in made.items():
        (folder / name).write_bytes(content)


def _line_schema(name: str) -> dict[str, Any]:
    """The CloudEvents attributes around the ``data`` of one kind."""
    data = _schema(EVENTS[name])
    text = {"type": "string"}
    return {
        "$schema": DIALECT,
        "title": wire.PREFIX + name,
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                **text,
                "description": "The call and the line's number in it; the same however often sent.",
            },
            "source": {**text, "format": "uri-reference"},
            "type": {"const": wire.PREFIX + name},
            "sequence": {
                **text,
                "pattern": f"^[0-9]{{{wire.SEQUENCE_DIGITS}}}$",
                "description": "The hub's sequence (what `since` takes); in a file the number in the call.",
            },
            "partitionkey": {**text, "description": "The call."},
            "datacontenttype": text,
            "time": {
                **text,
                "format": "date-time",
                "description": "Wall clock; absent in a journal's replay.",
            },
            "data": {"$ref": data["$ref"]},
        },
        "required": ["specversion", "id", "source", "type", "sequence", "partitionkey", "data"],
        "$defs": data["$defs"],
    }


def _schema(kind: type) -> dict[str, Any]:
    (schema,), types = components([kind])
    return {**schema, "$defs": types}


def _message(name: str, schema: str) -> dict[str, Any]:
    title = wire.PREFIX + name if name in EVENTS else name
    return {"name": name, "title": title, "contentType": "application/json", "payload": {"$ref": schema}}


def _refs(kind: str, names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/{kind}/{name}"} for name in names}


def _operation(action: str, channel: str, messages: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _query() -> dict[str, Any]:
    fields = {name: {"type": "string", "description": words} for name, words in QUERY.items()}
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _pretty(plain: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "docs")
