"""``monitor overlay`` where it cannot run: one sentence, what to do, no traceback."""

import importlib.util
import sys

import pytest

from monitor.__main__ import main

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux may be without a screen")


@pytest.fixture
def no_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def test_without_pyside_it_says_what_to_install(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "PySide6" else find(name))
    assert main(["overlay"]) == 2
    assert 'pip install "pyside6-essentials<6.12"' in capsys.readouterr().err


@linux
def test_without_a_screen_it_says_so(no_screen, capsys):
    pytest.importorskip("PySide6", reason="the overlay's extra is not installed")
    assert main(["overlay"]) == 2
    told = capsys.readouterr().err
    assert "no screen" in told
    assert "Traceback" not in told


def test_help_says_that_it_takes_no_clicks_and_how_to_bind_keys(capsys):
    with pytest.raises(SystemExit):
        main(["overlay", "--help"])
    told = capsys.readouterr().out
    assert "--press snooze" in told
    assert "neither focus nor clicks" in told


@linux
def test_another_machine_is_not_spoken_to_in_the_clear(monkeypatch, capsys):
    pytest.importorskip("PySide6", reason="the overlay's extra is not installed")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main(["overlay", "--url", "ws://hub.example:8765"]) == 2
    assert "wss://" in capsys.readouterr().err
