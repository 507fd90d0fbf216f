"""The contract in docs/ says what the types say, and what the hub sends keeps to it."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.events import EVENTS
from monitor.hub import documents as contract
from monitor.hub.access import StreamFilter
from monitor.wire import envelope as wire
from tests.hub.hubs import alert, closed, difficulty, ended, level, said, started


def test_the_files_in_docs_are_current(project: Path):
    made = contract.documents()
    there = {
        path.relative_to(project / "docs").as_posix(): path.read_bytes()
        for path in [*(project / "docs" / "schemas").glob("*.json"), project / "docs" / "asyncapi.json"]
    }
    assert sorted(there) == sorted(made)
    stale = [name for name in made if there[name] != made[name]]
    assert not stale, "run: python -m monitor.hub.documents"


def test_writing_removes_what_is_gone(tmp_path: Path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "whistle.json").write_text("{}")
    contract.write(tmp_path)
    assert not (tmp_path / "schemas" / "whistle.json").exists()
    assert json.loads((tmp_path / "asyncapi.json").read_bytes())["asyncapi"] == "3.0.0"


def references(plain: Any) -> list[str]:
    if isinstance(plain, dict):
        here = [plain["$ref"]] if isinstance(plain.get("$ref"), str) else []
        return here + [ref for value in plain.values() for ref in references(value)]
    return [ref for value in plain for ref in references(value)] if isinstance(plain, list) else []


def resolved(document: dict[str, Any], ref: str) -> Any:
    place: Any = document
    for part in ref.removeprefix("#/").split("/"):
        place = place[part]
    return place


def test_every_reference_leads_somewhere():
    files = contract.documents()
    for name, content in files.items():
        document = json.loads(content)
        for ref in references(document):
            if ref.startswith("#/"):
                assert resolved(document, ref), (name, ref)
            else:
                assert ref in files, (name, ref)


def test_every_kind_of_event_has_its_message_and_every_filter_its_word():
    document = contract.asyncapi()
    assert set(EVENTS) <= set(document["components"]["messages"])
    assert set(document["channels"]["events"]["messages"]) == {*EVENTS, "ask", "hook"}
    words = {"teams": "team", "agents": "agent", "calls": "call", "kinds": "kind"}
    assert {words.get(name, name) for name in StreamFilter.__struct_fields__} == set(contract.QUERY)


@pytest.mark.parametrize(
    "event", [started("c"), alert(1), closed(1), difficulty(1.0, 5.0), said(1, "hello"), level(2.0), ended()]
)
def test_a_line_has_the_fields_that_its_schema_names(event: Any):
    line = json.loads(wire.encode(event, call="c", sequence=1, time="2026-01-02T03:04:05.000Z"))
    schema = contract.event_schemas()[event.name]
    assert set(schema["required"]) <= set(line) <= set(schema["properties"])
    data = resolved(schema, schema["properties"]["data"]["$ref"])
    assert set(data["required"]) <= set(line["data"]) == set(data["properties"])
