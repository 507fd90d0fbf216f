"""``monitor report`` as a person uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main


def report(capsys, *args: str | Path) -> tuple[int, str, str]:
    code = main(["report", *map(str, args)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def journal(tmp_path: Path, project: Path) -> Path:
    """The journal of a short call."""
    folder = tmp_path / "journals"
    call = project / "fixtures/audio/calm.wav"
    assert main(["replay", str(call), "--model", "script", "--journal", str(folder), "--json"]) == 0
    return next(folder.glob("*.jsonl"))


def test_a_journal_becomes_a_page_and_json_with_the_same_numbers(journal, tmp_path, capsys):
    capsys.readouterr()
    out = tmp_path / "call.html"
    code, said, _ = report(capsys, journal, "--out", out)
    assert code == 0
    assert str(out) in said
    page = out.read_text(encoding="utf-8")
    code, said, _ = report(capsys, journal, "--json")
    card = json.loads(said)
    assert code == 0
    assert f"{100 * card['talk_share']['agent']:.0f} %" in page
    last = json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])["data"]
    assert (card["talk"], card["seconds"]) == (last["talk"], last["seconds"])


def test_a_page_goes_beside_where_the_command_was_given(journal, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert report(capsys, journal)[0] == 0
    assert (tmp_path / f"{journal.stem}.report.html").is_file()


def test_a_page_that_cannot_be_written_is_said_before_the_call_is_heard(tmp_path, capsys):
    code, _, told = report(capsys, tmp_path / "no-such.wav", "--out", tmp_path)
    assert code == 2
    assert "--out" in told


def test_a_file_that_is_not_there_is_said_in_one_sentence(tmp_path, capsys):
    code, _, told = report(capsys, tmp_path / "no-such.jsonl")
    assert code == 2
    assert "no-such.jsonl" in told
    assert "Traceback" not in told


def test_help_has_an_example():
    told = subprocess.run(
        [sys.executable, "-m", "monitor", "report", "--help"], capture_output=True, text=True, check=True
    )
    assert "monitor report call.wav" in told.stdout


def test_the_sound_of_a_recording_is_drawn_and_a_journal_has_none(journal, project, tmp_path, capsys):
    assert report(capsys, journal, "--out", tmp_path / "a.html")[0] == 0
    assert "a journal holds no sound to be drawn" in (tmp_path / "a.html").read_text(encoding="utf-8")
    call = project / "fixtures/audio/calm.wav"
    assert report(capsys, call, "--model", "none", "--out", tmp_path / "b.html") == (
        0, f"The report is in {tmp_path / 'b.html'}; open it in a browser.\n", ""
    )  # fmt: skip
    assert "mel spectrogram by librosa" in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_a_profile_that_hides_the_agents_voice_hides_its_picture(project, tmp_path, capsys):
    call, out = project / "fixtures/audio/calm.wav", tmp_path / "c.html"
    assert report(capsys, call, "--model", "none", "--profile", "eu", "--out", out)[0] == 0
    page = out.read_text(encoding="utf-8")
    assert "Spectrogram of the caller" in page
    assert "Spectrogram of the agent" not in page


def test_a_journal_is_not_reported_under_rules_that_were_not_in_force(journal, tmp_path, capsys):
    code, said, wrong = report(capsys, journal, "--profile", "quiet")
    assert (code, said) == (2, "")
    assert "with --journal first" in wrong
    code, _, wrong = report(capsys, journal, "--model", "none", "--out", tmp_path / "call.html")
    assert code == 0
    assert "taken as it was heard, without --model." in wrong
    code, _, wrong = report(capsys, journal, "--meta", "call.yaml")
    assert (code, "leave out --meta," in wrong) == (2, True)
