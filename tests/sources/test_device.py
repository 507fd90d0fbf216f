"""The callback and its law; what PortAudio and the sound server list. No sound card is needed."""

import ast
import inspect
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from monitor import clock
from monitor.errors import BadInput
from monitor.sources import device
from monitor.sources.device import DeviceStream
from tests.sources.rings import Flags, Times


def test_the_callback_copies_once_and_rings():
    stream = DeviceStream(8000, 1)
    pcm = np.linspace(-1, 1, 160, dtype=np.float32)[:, None]
    before = clock.monotonic()
    stream.on_audio(pcm, 160, Times(0.03, 0.02), Flags())
    assert stream.blocks_received == 1
    assert np.array_equal(stream.ring.take().pcm[0], pcm[:, 0])
    ((count, arrival, age),) = stream.stamps(0)
    assert count == 160
    assert before <= arrival <= clock.monotonic()
    assert age == pytest.approx(0.03)


def test_an_overflow_that_the_driver_admits_is_counted():
    stream = DeviceStream(8000, 1)
    for overflow in (False, True, True, False):
        stream.on_audio(np.zeros((160, 1), np.float32), 160, Times(0, 0.02), Flags(overflow))
    assert stream.overflows == 2


def test_both_sides_of_a_two_channel_device_stay_apart():
    stream = DeviceStream(8000, 2)
    pcm = np.stack([np.full(160, 0.1), np.full(160, -0.2)], axis=1).astype(np.float32)
    stream.on_audio(pcm, 160, Times(0, 0.02), Flags())
    left, right = stream.ring.take().pcm
    assert (left == np.float32(0.1)).all()
    assert (right == np.float32(-0.2)).all()


def test_stamps_are_asked_from_where_one_left_off():
    stream = DeviceStream(8000, 1)
    for _ in range(5):
        stream.on_audio(np.zeros((160, 1), np.float32), 160, Times(0, 0.02), Flags())
    assert stream.stamps(3)[:, 0].tolist() == [640, 800]
    assert stream.stamps(5).shape == (0, 3)


def test_the_callback_keeps_its_law():
    """No loop, no lock, no log: nothing but the copy, the stamp and the counter."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(DeviceStream.on_audio)))
    kinds = {type(node) for node in ast.walk(tree)}
    assert not kinds & {ast.For, ast.While, ast.With, ast.ListComp, ast.Try, ast.Raise, ast.JoinedStr}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called == {"clock.monotonic", "self.ring.write"}


def test_without_portaudio_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(BadInput, match=r"PortAudio is missing.*libportaudio2"):
        device.devices()


DRIVER = """
import os, sys
from monitor.sources import device
print("before", file=sys.stderr)
device._silence_drivers()
device._silence_drivers()
os.write(2, b"Expression 'alsa_snd_pcm_mmap_begin' failed")
print("after", file=sys.stderr)
"""


def test_what_drivers_write_to_the_terminal_is_left_out_and_our_own_words_are_not(project):
    printable = subprocess.run(
        [sys.executable, "-c", DRIVER], cwd=project, capture_output=True, text=True, check=True
    )
    assert printable.stderr == "before\nafter\n"
