import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import BadInput
from monitor.events import EVENTS, Event, Interruption, SpeechStarted, Utterance, Word
from monitor.wire import envelope as wire

SPOKEN = Utterance(
    detected_at=3.5, channel="caller", utterance=4, revision=1, start=1.0, end=3.2, final=True,
    text="it's <script> broken", words=(Word("it's", 1.0, 1.4, 0.93), Word("broken", 2.6, 3.2, 0.5)),
)  # fmt: skip


def test_a_line_is_a_cloudevent_with_sequence_and_partition_key():
    line = wire.encode(Interruption(detected_at=7.2, start=5.0, at=6.4, by="agent", of="caller"),
                       call="c1", sequence=7, time="2026-01-02T03:04:05.000Z")  # fmt: skip
    plain = json.loads(line)
    assert plain["specversion"] == "1.0"
    assert plain["type"] == "monitor.interruption"
    assert plain["source"] == "/calls/c1"
    assert plain["partitionkey"] == "c1"
    assert int(plain["sequence"]) == 7
    assert plain["id"]
    assert plain["time"] == "2026-01-02T03:04:05.000Z"
    assert plain["data"] == {"detected_at": 7.2, "start": 5.0, "at": 6.4, "by": "agent", "of": "caller"}


def test_no_wall_clock_stands_in_a_line_that_was_given_none():
    assert b'"time"' not in wire.encode(SPOKEN, call="c1", sequence=1)


def test_sequences_sort_as_text_as_they_do_as_numbers():
    lines = [json.loads(wire.encode(SPOKEN, call="c", sequence=n))["sequence"] for n in (2, 9, 10, 999, 1000)]
    assert lines == sorted(lines)


def test_what_was_encoded_comes_back():
    envelope, event = wire.decode(wire.encode(SPOKEN, call="c1", sequence=12))
    assert event == SPOKEN
    assert envelope.partitionkey == "c1"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_kind_of_event_has_a_schema_and_its_own_name(name: str):
    kind = EVENTS[name]
    assert kind.name == name
    assert issubclass(kind, Event)
    assert msgspec.json.schema(kind)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'"secret words"', b"\xff\xfe", b'{"specversion": "1.0"}',
     b'{"specversion":"1.0","id":"1","source":"s","type":"monitor.nonsense","sequence":"1","partitionkey":"c"}',
     b'{"specversion":"1.0","id":"1","source":"s","type":"utterance","sequence":"1","partitionkey":"c"}',
     wire.encode(SPOKEN, call="c", sequence=1).replace(b'"caller"', b'"secret words"')],
)  # fmt: skip
def test_a_line_that_is_not_ours_is_refused_without_repeating_it(line: bytes):
    with pytest.raises(BadInput) as refused:
        wire.decode(line)
    assert "secret" not in str(refused.value)
    assert "script" not in str(refused.value)


FORMER_ALERT = {
    "known": 2.0, "alert": "a", "rule": "a.b", "rule_hash": "h", "level": "warn", "channel": "agent",
    "start": 1.0, "at": 2.0, "say": "secret words", "why": "secret words", "to": ["agent"],
    "evidence": {"measure": "phrases"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("speech.started", {"known": 1.2, "channel": "caller", "at": 1.0}),
        ("alert.opened", FORMER_ALERT),
        ("alert.opened", {**FORMER_ALERT, "detected_at": 2.0}),
    ],
)
def test_a_line_of_an_earlier_version_is_called_one(name: str, data: dict):
    plain = json.loads(wire.encode(SPOKEN, call="c", sequence=1))
    line = json.dumps({**plain, "type": f"monitor.{name}", "data": data})
    with pytest.raises(BadInput) as refused:
        wire.decode(line)
    told = "This event was written by an earlier version of the monitor; replay the recording instead."
    assert str(refused.value) == told


def test_what_is_json_but_no_event_is_not_called_bad_json():
    with pytest.raises(BadInput, match="missing or of the wrong kind at its top"):
        wire.decode(b"{}")
    later = wire.encode(SPOKEN, call="c", sequence=1).replace(b'"specversion":"1.0"', b'"specversion":"2.0"')
    with pytest.raises(BadInput, match=r"not of CloudEvents 1\.0"):
        wire.decode(later)


@given(st.floats(0, 1e5), st.sampled_from(["agent", "caller"]))
def test_encoding_is_a_fixed_point(at: float, channel: str):
    event = SpeechStarted(detected_at=at, channel=channel, at=at)
    line = wire.encode(event, call="c", sequence=1)
    assert wire.encode(wire.decode(line)[1], call="c", sequence=1) == line
