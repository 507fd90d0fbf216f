from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from monitor.errors import BadInput
from monitor.events import CallEnded, SpeechEnded, Utterance, Word
from monitor.sinks import Line
from monitor.sinks.transcript import FORMS, TranscriptSink


def said(
    channel: str, number: int, start: float, text: str, *, final: bool = True, revision: int = 0
) -> Utterance:
    words = tuple(
        Word(word, start + i * 0.5, start + i * 0.5 + 0.4, 0.9) for i, word in enumerate(text.split())
    )
    return Utterance(
        detected_at=start + 2, channel=channel, utterance=number, revision=revision, start=start,
        end=words[-1].end if words else start, text=text, words=words, final=final,
    )  # fmt: skip


EVENTS = [
    SpeechEnded(detected_at=3.0, channel="caller", start=0.5, end=2.4),
    said("caller", 1, 0.5, "my router <b> broke"),
    said("agent", 2, 3.0, "I am not final", final=False),
    said("agent", 2, 3.0, "I'm sorry to hear"),
    said("agent", 2, 3.0, "I'm sorry to hear that", revision=1),
    CallEnded(detected_at=6.0, seconds=6.0, talk={}, overlap=0, silence=0, interruptions={}, alerts={}),
]


def written(path: Path) -> str:
    sink = TranscriptSink(path)
    sink.take(
        [Line("call-1", number, event, "2026-01-02T03:04:05.000Z") for number, event in enumerate(EVENTS)]
    )
    sink.close()
    return path.read_text(encoding="utf-8")


def test_webvtt_names_the_voices_and_escapes_what_was_said(tmp_path: Path):
    text = written(tmp_path / "out.vtt")
    assert text.startswith("WEBVTT\n")
    assert "00:00:00.500 --> 00:00:02.400\n<v Caller>my router &lt;b&gt; broke</v>" in text
    assert "<v Agent>I'm sorry to hear that</v>" in text
    assert "not final" not in text


def test_a_later_revision_replaces_an_earlier_one(tmp_path: Path):
    assert written(tmp_path / "out.srt").count("sorry") == 1


def test_srt_has_numbers_commas_and_sides(tmp_path: Path):
    assert "1\n00:00:00,500 --> 00:00:02,400\nCaller: my router" in written(tmp_path / "out.srt")


def test_ctm_has_a_line_a_word_in_order_of_time(tmp_path: Path):
    rows = [line.split() for line in written(tmp_path / "out.ctm").splitlines()]
    assert [row[4] for row in rows][:2] == ["my", "router"]
    assert [float(row[2]) for row in rows] == sorted(float(row[2]) for row in rows)
    assert {len(row) for row in rows} == {6}


def test_rttm_says_who_spoke_when(tmp_path: Path):
    assert written(tmp_path / "out.rttm") == "SPEAKER call-1 1 0.500 1.900 <NA> <NA> caller <NA> <NA>\n"


def test_json_keeps_words_with_times_and_probabilities(tmp_path: Path):
    plain = msgspec.json.decode(written(tmp_path / "out.json"))
    assert plain["utterances"][0]["words"][0] == {
        "text": "my", "start": 0.5, "end": 0.9, "confidence": 0.9, "committed": True,
    }  # fmt: skip


def test_vcon_holds_both_parties(tmp_path: Path):
    plain = msgspec.json.decode(written(tmp_path / "out.vcon"))
    assert [party["name"] for party in plain["parties"]] == ["agent", "caller"]
    turns = msgspec.json.decode(plain["analysis"][0]["body"])  # a text, in every encoding
    assert [turn["party"] for turn in turns] == [1, 0]


def test_a_vcon_keeps_to_the_words_of_its_draft(tmp_path: Path):
    plain = msgspec.json.decode(written(tmp_path / "out.vcon"))
    assert str(UUID(plain["uuid"])) == plain["uuid"]
    assert plain["uuid"] == msgspec.json.decode(written(tmp_path / "again.vcon"))["uuid"]
    assert [dialog["type"] for dialog in plain["dialog"]] == ["recording"]
    assert plain["dialog"][0]["start"] == "2026-01-02T03:04:05.000Z"


def test_an_unknown_ending_is_refused_before_the_call_begins(tmp_path: Path):
    with pytest.raises(BadInput, match=r"out\.doc.*\.vtt"):
        TranscriptSink(tmp_path / "out.doc")
    (tmp_path / "folder.vtt").mkdir()
    with pytest.raises(BadInput, match="name a file that may be written"):
        TranscriptSink(tmp_path / "folder.vtt")
    with pytest.raises(BadInput, match="does not exist"):
        TranscriptSink(tmp_path / "nowhere" / "out.vtt")


@pytest.mark.parametrize("suffix", sorted(FORMS))
def test_a_call_that_never_began_leaves_no_file(tmp_path: Path, suffix: str):
    TranscriptSink(tmp_path / f"out{suffix}").close()
    assert not list(tmp_path.iterdir())
