"""``monitor replay`` as a person starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from websockets.asyncio.client import connect

from monitor.events import AlertEvent, CallEnded, CallStarted, Quality, Snapshot, Status
from monitor.sinks import Line
from monitor.sinks.journal import JournalSink
from monitor.wire import envelope as wire

AUDIO = Path(__file__).resolve().parent.parent.parent / "fixtures" / "audio"
CALL = AUDIO / "interruptions.flac"
MONITOR = [sys.executable, "-m", "monitor"]


def monitor(*words: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*MONITOR, *map(str, words)], capture_output=True, timeout=timeout, check=False)


def refused(*words: str | Path) -> str:
    """The one sentence of a command that cannot be done."""
    ended = monitor("replay", *words)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == b""
    text = ended.stderr.decode()
    assert text.count("\n") == 1
    assert "Traceback" not in text
    return text


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    ended = monitor("replay", CALL, "--json", "--model", "none")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_json_is_cloudevents_and_nothing_else(lines: list[bytes]):
    events = [wire.decode(line)[1] for line in lines]
    assert isinstance(events[0], CallStarted)
    assert isinstance(events[-1], CallEnded)
    numbers = [int(json.loads(line)["sequence"]) for line in lines]
    assert numbers == sorted(set(numbers))
    assert {json.loads(line)["specversion"] for line in lines} == {"1.0"}
    assert len({json.loads(line)["id"] for line in lines}) == len(lines)


def test_the_sums_equal_what_the_events_say(lines: list[bytes]):
    events = [wire.decode(line)[1] for line in lines]
    ended = events[-1]
    assert isinstance(ended, CallEnded)
    for who in ("agent", "caller"):
        taken = [event for event in events if event.name == "interruption" and event.by == who]
        assert ended.interruptions[who] == len(taken)
    opened = [event.rule for event in events if event.name == "alert.opened"]
    assert ended.alerts == {rule: opened.count(rule) for rule in set(opened)}
    assert ended.heard_to == pytest.approx(ended.seconds, abs=0.02)


def test_every_alert_explains_itself(lines: list[bytes]):
    alerts = [event for event in (wire.decode(line)[1] for line in lines) if isinstance(event, AlertEvent)]
    assert alerts
    for alert in alerts:
        assert alert.rule_hash
        assert alert.summary
        assert 0 < len(alert.message) <= 60
        assert alert.measure
        assert alert.clears_when
        assert alert.start <= alert.at <= alert.detected_at


def test_every_alert_that_opens_closes_once(lines: list[bytes]):
    life: dict[str, list[str]] = {}
    for event in (wire.decode(line)[1] for line in lines):
        if isinstance(event, AlertEvent):
            life.setdefault(event.alert, []).append(event.name)
    for steps in life.values():
        assert steps[0] == "alert.opened"
        assert steps[-1] == "alert.closed"
        assert set(steps[1:-1]) <= {"alert.updated"}


def test_a_journal_replays_to_the_same_bytes(tmp_path: Path):
    assert monitor("replay", CALL, "--journal", tmp_path, "--model", "script", "--json").returncode == 0
    (journal,) = tmp_path.glob("*.jsonl")
    again = monitor("replay", journal, "--json", "--prosody")
    assert again.returncode == 0, again.stderr

    def told(line: bytes) -> bytes:
        plain = json.loads(line)
        plain.pop("time", None)
        plain["data"].pop("wall_seconds", None)
        plain["data"].pop("heard_to", None)
        return json.dumps(plain).encode()

    assert [told(line) for line in again.stdout.splitlines()] == [
        told(line) for line in journal.read_bytes().splitlines()
    ]
    assert b'"time"' not in again.stdout


def strange(folder: Path) -> Path:
    """A call that is not the project's own, as far as its content tells."""
    sound, rate = soundfile.read(CALL, stop=12 * 8000)
    soundfile.write(folder / "call.wav", sound, rate)
    return folder / "call.wav"


def without_models(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "HF_HOME": str(folder), "XDG_CACHE_HOME": str(folder),
            "HF_HUB_OFFLINE": "1", "MONITOR_MODELS": ""}  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True])
def test_the_bundled_model_is_refused_on_other_peoples_calls_and_the_rest_goes_on(
    tmp_path: Path, *, as_json: bool
):
    command = [*MONITOR, "replay", strange(tmp_path), *(["--json"] if as_json else [])]
    ended = subprocess.run(
        command, capture_output=True, env=without_models(tmp_path), check=False, text=True, timeout=120
    )
    assert ended.returncode == 0
    if not as_json:
        assert "Speech recognition is off: the bundled model is for" in ended.stdout
        assert "`monitor models get base.en`" in " ".join(ended.stdout.split())
        return
    assert ended.stderr.count("\n") == 1
    assert "monitor: Speech recognition is off" in ended.stderr
    events = [wire.decode(line.encode())[1] for line in ended.stdout.splitlines()]
    assert [event.notice in ended.stderr for event in events if isinstance(event, Status)] == [True]
    assert next(event.mode for event in events if isinstance(event, Status)) == "off"
    assert any(event.name == "speech.ended" for event in events)
    assert not any(event.name == "utterance" for event in events)


def test_the_bundled_model_named_for_other_peoples_calls_says_so_in_status_and_on_screen(tmp_path: Path):
    path = strange(tmp_path)
    status = [
        event
        for event in (wire.decode(line)[1] for line in
                      monitor("replay", path, "--json", "--model", "bundled").stdout.splitlines())
        if isinstance(event, Status)
    ]  # fmt: skip
    assert status[0].at == 0.0
    assert status[0].mode == "full"
    assert "do not trust these words" in (status[0].notice or "")
    shown = " ".join(monitor("replay", path, "--model", "bundled").stdout.decode().split())
    assert shown.count("do not trust these words") == 1


def test_a_transcript_has_both_voices(tmp_path: Path):
    out = tmp_path / "call.vtt"
    assert monitor("replay", CALL, "--model", "script", "--transcript", out).returncode == 0
    text = out.read_text(encoding="utf-8")
    assert "<v Agent>" in text
    assert "<v Caller>" in text


def test_the_console_shows_words_alerts_and_sums():
    ended = monitor("replay", CALL, "--model", "script")
    text = ended.stdout.decode()
    assert "Caller" in text
    assert "Let them land the sentence." in text
    assert "times real time" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--model", "no-such-model"], "no-such-model"),
        (["--speed", "fast"], "--speed"),
        (["--speed", "-1"], "--speed"),
        (["--rules", "nowhere"], "nowhere"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--meta", "nowhere.yaml"], "nowhere.yaml"),
        (["--profile", "martian"], "martian"),
        (["--transcript", "call.doc"], ".vtt"),
        (["--serve", "127.0.0.1:notaport"], "notaport"),
        (["--serve", "0.0.0.0:0"], "TLS"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(words: list[str], told: str):
    assert told in refused(CALL, *words)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("vad: {onn: 1}", "onn"),
        ("vad:\n\tonset_frames: 1", "line 2"),
        ("prosody: {window: soon}", "window"),
        ("[", "YAML"),
    ],
)
def test_broken_settings_are_told_with_their_place(tmp_path: Path, text: str, told: str):
    path = tmp_path / "call.yaml"
    path.write_text(text, encoding="utf-8")
    sentence = refused(CALL, "--config", path)
    assert told in sentence
    assert str(path) in sentence


def test_one_side_alone_is_not_accused_of_the_silence_of_the_other():
    """Half of the call's sound is missing by choice; that is told at once, and what needs it rests."""
    sound = AUDIO / "argument.caller.wav"
    ended = monitor("replay", sound, "--mono", "caller", "--model", "bundled", "--json")
    assert ended.returncode == 0, ended.stderr
    events = [wire.decode(line)[1] for line in ended.stdout.splitlines()]
    assert [(e.kind, e.channel) for e in events[:3] if isinstance(e, Quality)] == [("dead_channel", "agent")]
    assert "holds the caller alone" in next(e.say or "" for e in events if isinstance(e, Quality))
    assert not [e.rule for e in events if isinstance(e, AlertEvent)]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a call that has just begun."""
    sink = JournalSink(tmp_path / "journals")
    started = CallStarted(
        call="c", sources=("a",), rate=8000, band="narrow", model="none", rules_hash="", profile="default"
    )
    sink.take([Line("c", 1, started)])
    sink.close()
    return tmp_path / "journals/c.jsonl"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--speed", "1", "--serve"], "leave out --serve,"),
        ([CALL], "leave out CALL2,"),
        (["--meta", "call.yaml"], "leave out --meta,"),
    ],
)
def test_a_journal_has_no_sound_and_what_needs_it_is_refused(journal: Path, words: list, named: str):
    assert named in refused(journal, *words)


def test_how_a_journal_was_heard_is_past_and_a_note_says_so(journal: Path):
    plain = monitor("replay", journal, "--json")
    told = monitor("replay", journal, "--json", "--model", "none", "--agent-channel", "0")
    assert (told.returncode, told.stdout) == (0, plain.stdout)
    assert b"as it was heard, without --agent-channel, --model." in told.stderr


def test_a_journal_is_not_overwritten_by_its_own_replay(journal: Path):
    before = journal.read_bytes()
    assert "would overwrite" in refused(journal, "--journal", journal.parent)
    assert journal.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process of a group")
def test_ctrl_c_hangs_up_and_leaves_whole_files(tmp_path: Path):
    command = [
        *MONITOR,
        "replay",
        str(CALL),
        "--json",
        "--speed",
        "1",
        "--model",
        "none",
        "--journal",
        str(tmp_path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        first = running.stdout.readline()
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        rest, wrong = running.communicate(timeout=20)
    assert running.returncode == 130, wrong
    assert time.monotonic() - began < 20
    events = [wire.decode(line)[1] for line in [first, *rest.splitlines()]]
    assert isinstance(events[-1], CallEnded)
    assert events[-1].notice == "It was stopped before the end of 74.0 s."
    (journal,) = tmp_path.glob("*.jsonl")
    assert isinstance(wire.decode(journal.read_bytes().splitlines()[-1])[1], CallEnded)
    assert b"Traceback" not in wrong


async def test_a_local_listener_hears_every_event_of_a_call_that_is_served():
    command = [
        *MONITOR,
        "replay",
        str(CALL),
        "--json",
        "--model",
        "none",
        "--speed",
        "10",
        "--serve",
        "127.0.0.1:0",
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as running:  # noqa: ASYNC220 - another process is the point here
        assert running.stderr
        address = running.stderr.readline().split("http://")[1].split("/")[0]
        heard = []
        async with connect(f"ws://{address}/events?since=0") as listener:
            async for line in listener:
                heard.append(wire.decode(line)[1])
                if isinstance(heard[-1], CallEnded):
                    break
        printed, _ = running.communicate(timeout=60)
    kept = [event for event in heard if event.name not in ("prosody", "overlap.started", Snapshot.name)]
    told = [wire.decode(line)[1] for line in printed.splitlines()]
    assert kept == [event for event in told if event.name != "overlap.started"]


def test_a_reader_that_goes_away_is_no_error():
    shell = f"{sys.executable} -m monitor replay {CALL} --json --model none | head -n 1"
    ended = subprocess.run(["bash", "-c", shell], capture_output=True, check=False, timeout=120)
    assert ended.stderr == b""
    assert json.loads(ended.stdout)["type"] == "monitor.call.started"


@pytest.mark.parametrize(
    ("spoken", "told"),
    [((), "on either side"), ((0,), "on the agent's side"), ((1,), "on the caller's side"), ((0, 1), None)],
)
def test_a_side_that_never_speaks_is_told_at_the_end(tmp_path: Path, spoken: tuple[int, ...], told: str):
    sound, rate = soundfile.read("fixtures/audio/interruptions.flac", stop=8000 * 20, always_2d=True)
    for channel in {0, 1} - set(spoken):
        sound[:, channel] = 0.0
    soundfile.write(tmp_path / "call.wav", sound, rate)
    ran = monitor("replay", tmp_path / "call.wav", "--json", "--model", "none")
    ended = wire.decode(ran.stdout.splitlines()[-1])[1]
    assert isinstance(ended, CallEnded)
    assert ended.notice is None if told is None else f"No speech was heard {told}" in (ended.notice or "")
