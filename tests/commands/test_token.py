"""``monitor token``: tokens that open what they say, from secrets that stay secret."""

import stat
from pathlib import Path

import pytest

from monitor import clock
from monitor.__main__ import main
from monitor.client.credentials import TOKEN_VARIABLE, parse_duration, read_secret, read_token
from monitor.errors import BadInput
from monitor.hub.access import identify


def test_a_new_secret_is_for_its_owner_and_the_token_opens_with_it(tmp_path: Path, capsys):
    secret = tmp_path / "hub.secret"
    words = ["token", "--role", "agent", "--agent", "anna", "--team", "north", "--for", "30m"]
    assert main([*words, "--secret-file", str(secret), "--new-secret"]) == 0
    token = capsys.readouterr().out.strip()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    who = identify(token, read_secret(secret))
    assert (who.role, who.agent, who.teams) == ("agent", "anna", ("north",))
    assert who.expires
    assert 1700 < who.expires - clock.unix() <= 1800
    kept = secret.read_text()
    assert main([*words, "--secret-file", str(secret), "--new-secret"]) == 0
    assert secret.read_text() == kept, "a secret that is there is used, not replaced"
    assert kept.strip() not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--role", "agent"], "--agent NAME"),
        (["--role", "supervisor"], "--team NAME"),
        (["--role", "supervisor", "--team", "a", "--for", "soon"], "30m, 8h or 7d"),
        (["--role", "supervisor", "--team", "a", "--for", "-1h"], "30m, 8h or 7d"),
    ],
)
def test_a_token_that_makes_no_sense_is_one_sentence(words: list[str], reason: str, tmp_path: Path, capsys):
    secret = str(tmp_path / "s")
    assert (
        main(["token", *[w if w != "-1h" else "0h" for w in words], "--secret-file", secret, "--new-secret"])
        == 2
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert reason in said.err


def test_a_secret_is_not_made_unless_that_was_asked_for(tmp_path: Path, capsys):
    words = ["token", "--role", "supervisor", "--team", "a", "--secret-file", str(tmp_path / "none")]
    assert main(words) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28_800), ("7d", 604_800), ("1.5h", 5400)]
)
def test_lengths_of_time(text: str, seconds: float):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "8", "h", "0h", "-1h", "1w", "1e9d", "nan", "400d", "٣h"])
def test_what_is_no_length_of_time(text: str):
    with pytest.raises(BadInput):
        parse_duration(text)


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "from the environment")
    assert read_token(None) == "from the environment"
    file = tmp_path / "token"
    file.write_text("from the file\n")
    file.chmod(0o600)
    assert read_token(file) == "from the file"
    file.chmod(0o604)
    with pytest.raises(BadInput, match="chmod 600"):
        read_token(file)
    monkeypatch.delenv(TOKEN_VARIABLE)
    assert read_token(None) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00", b"a.b.c\nd.e.f\n", "gärbage".encode()])
def test_a_token_file_without_a_token_is_refused(content: bytes, tmp_path: Path):
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadInput, match="token file"):
        read_token(file)
