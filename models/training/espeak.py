"""espeak-ng through its C library: audio with exact word and phoneme times in one call."""

from __future__ import annotations

import ctypes as ct
import re

import numpy as np

from .phones import espeak_index
from .utterance import Phone, Utterance, words_from_starts

_AUDIO_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_DO_NOT_EXIT = 1 << 15
_WORD, _PHONEME = 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4


class _Id(ct.Union):
    _fields_ = [("number", ct.c_int), ("name", ct.c_char_p), ("string", ct.c_char * 8)]


class _Event(ct.Structure):
    _fields_ = [
        ("type", ct.c_int),
        ("unique", ct.c_uint),
        ("text_position", ct.c_int),
        ("length", ct.c_int),
        ("audio_position", ct.c_int),
        ("sample", ct.c_int),
        ("user_data", ct.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ct.CFUNCTYPE(ct.c_int, ct.POINTER(ct.c_short), ct.c_int, ct.POINTER(_Event))


class Espeak:
    """One synthesiser per process: a second `espeak_Initialize` would steal the callback."""

    def __init__(self) -> None:
        self._library = ct.CDLL("libespeak-ng.so.1")
        options = _DO_NOT_EXIT | _PHONEME_EVENTS
        self.rate = self._library.espeak_Initialize(_AUDIO_SYNCHRONOUS, 0, None, options)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng could not be initialised")
        self._samples: list[np.ndarray] = []
        self._word_starts: list[tuple[int, float]] = []
        self._phone_starts: list[tuple[str, float]] = []
        self._callback = _CALLBACK(self._on_audio)
        self._library.espeak_SetSynthCallback(self._callback)

    def _on_audio(self, samples: ct._Pointer[ct.c_short], count: int, events: ct._Pointer[_Event]) -> int:
        if count > 0:
            self._samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type:
            event, seconds = events[i], events[i].audio_position / 1000
            if event.type == _WORD:
                self._word_starts.append((event.text_position - 1, seconds))
            elif event.type == _PHONEME:
                name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "ignore")
                self._phone_starts.append((name, seconds))
            i += 1
        return 0

    def speak(self, text: str, voice: str, rate: float, pitch: float, span: float) -> Utterance:
        """Speak `text` with `voice` ("en-us+f3"); audio stays at espeak's own sample rate."""
        for collected in (self._samples, self._word_starts, self._phone_starts):
            collected.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, span)):
            self._library.espeak_SetParameter(parameter, int(value), 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        self._library.espeak_Synchronize()
        audio = np.concatenate(self._samples) if self._samples else np.zeros(0, np.int16)
        total = len(audio) / self.rate
        phones = _phones(self._phone_starts, total)
        words = words_from_starts(text.split(), _starts(text, self._word_starts, total), phones)
        return Utterance(audio.astype(np.float32) / 32768, words, phones, voice)


def _phones(starts: list[tuple[str, float]], total: float) -> list[Phone]:
    """Close each phone at the next one's start; a length mark alone belongs to its vowel."""
    kept = [(espeak_index(name), start) for name, start in starts if name != ";"]
    ends = [start for _, start in kept[1:]] + [total]
    return [Phone(index, start, end) for (index, start), end in zip(kept, ends, strict=True)]


def _starts(text: str, events: list[tuple[int, float]], total: float) -> list[float]:
    """One start per whitespace word; words without an event are spread evenly between."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    starts: list[float | None] = [None] * len(spans)
    for position, seconds in events:
        for i, (begin, end) in enumerate(spans):
            if begin <= position < end and starts[i] is None:
                starts[i] = seconds
    known = [(-1, 0.0)] + [(i, s) for i, s in enumerate(starts) if s is not None]
    known.append((len(spans), total))
    places, seconds_at = zip(*known, strict=True)
    return [s if s is not None else float(np.interp(i, places, seconds_at)) for i, s in enumerate(starts)]
