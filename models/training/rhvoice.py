"""RHVoice through its C library: statistical voices of American speakers, with word times.

Optional: a machine without it trains on the other voices. The voice `alan` is never used, since its
speaker is that of flite's awb, who is kept from training.
"""

from __future__ import annotations

import ctypes as ct
import tempfile
from pathlib import Path

import numpy as np

from .phones import UNKNOWN
from .utterance import Phone, Utterance, Word

LIBRARY = "libRHVoice.so.5"
DATA = b"/usr/share/RHVoice"
#: Its quickest quality, which is 16 kHz.
SETTINGS = "quality=min\n"
#: The library speaks in blocks of so many seconds and tells of a word before the block it begins in.
BLOCK = 0.1
_PLAIN_TEXT = 0

_SetRate = ct.CFUNCTYPE(ct.c_int, ct.c_int, ct.c_void_p)
_Play = ct.CFUNCTYPE(ct.c_int, ct.POINTER(ct.c_short), ct.c_uint, ct.c_void_p)
_Mark = ct.CFUNCTYPE(ct.c_int, ct.c_char_p, ct.c_void_p)
_Span = ct.CFUNCTYPE(ct.c_int, ct.c_uint, ct.c_uint, ct.c_void_p)
_Done = ct.CFUNCTYPE(None, ct.c_void_p)


class _Callbacks(ct.Structure):
    _fields_ = [
        ("set_sample_rate", _SetRate),
        ("play_speech", _Play),
        ("process_mark", _Mark),
        ("word_starts", _Span),
        ("word_ends", _Span),
        ("sentence_starts", _Span),
        ("sentence_ends", _Span),
        ("play_audio", _Mark),
        ("done", _Done),
    ]


class _Init(ct.Structure):
    _fields_ = [
        ("data_path", ct.c_char_p),
        ("config_path", ct.c_char_p),
        ("resource_paths", ct.c_void_p),
        ("callbacks", _Callbacks),
        ("options", ct.c_uint),
    ]


class _Settings(ct.Structure):
    _fields_ = [
        ("voice_profile", ct.c_char_p),
        *((f"absolute_{name}", ct.c_double) for name in ("rate", "pitch", "volume")),
        *((f"relative_{name}", ct.c_double) for name in ("rate", "pitch", "volume")),
        ("punctuation_mode", ct.c_int),
        ("punctuation_list", ct.c_char_p),
        ("capitals_mode", ct.c_int),
        ("flags", ct.c_int),
    ]


class RHVoice:
    """The engine; raises OSError where the library is not installed."""

    def __init__(self) -> None:
        self._library = library = ct.CDLL(LIBRARY)
        for name in ("RHVoice_new_tts_engine", "RHVoice_new_message"):
            getattr(library, name).restype = ct.c_void_p
        self.rate = 16_000
        self._samples: list[np.ndarray] = []
        self._count = 0
        self._starts: list[float] = []
        self._ends: list[float] = []
        #: Kept, since the library calls them for as long as the engine lives.
        self._callbacks = _Callbacks(
            set_sample_rate=_SetRate(self._on_rate),
            play_speech=_Play(self._on_speech),
            word_starts=_Span(self._on_start),
            word_ends=_Span(self._on_end),
        )
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "RHVoice.conf").write_text(SETTINGS, encoding="utf-8")
            settings = _Init(DATA, folder.encode(), None, self._callbacks, 0)
            self._engine = ct.c_void_p(library.RHVoice_new_tts_engine(ct.byref(settings)))
        if not self._engine:
            raise OSError(f"RHVoice finds no voices in {DATA.decode()}")

    def _on_rate(self, rate: int, _: int | None) -> int:
        self.rate = rate
        return 1

    def _on_speech(self, samples: ct._Pointer[ct.c_short], count: int, _: int | None) -> int:
        self._samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
        self._count += count
        return 1

    def _on_start(self, _position: int, _length: int, _: int | None) -> int:
        self._starts.append(self._count / self.rate)
        return 1

    def _on_end(self, _position: int, _length: int, _: int | None) -> int:
        self._ends.append(self._count / self.rate)
        return 1

    def speak(self, text: str, voice: str, rate: float, pitch: float) -> Utterance | None:
        """Speak `text`, `rate` times as fast and `pitch` times as high; audio stays at `self.rate`.

        Times of words are right within half a block. None when RHVoice splits the words in another way
        than whitespace.
        """
        self._samples, self._count, self._starts, self._ends = [], 0, [], []
        settings = _Settings(voice.encode(), 0, 0, 0, rate, pitch, 1.0, 0, None, 0, 0)
        data = text.encode()
        message = ct.c_void_p(
            self._library.RHVoice_new_message(
                self._engine, data, len(data), _PLAIN_TEXT, ct.byref(settings), None
            )
        )
        self._library.RHVoice_speak(message)
        self._library.RHVoice_delete_message(message)
        texts = text.split()
        if not self._samples or not len(texts) == len(self._starts) == len(self._ends):
            return None
        middle = BLOCK / 2 / rate
        words = [
            Word(written, start + middle, max(end + middle, start + 3 * middle))
            for written, start, end in zip(texts, self._starts, self._ends, strict=True)
        ]
        phones = [Phone(UNKNOWN, word.start, word.end) for word in words]
        audio = np.concatenate(self._samples).astype(np.float32) / 32768
        return Utterance(audio, words, phones, f"rhvoice-{voice}")
