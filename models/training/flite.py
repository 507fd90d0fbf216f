"""flite through its C libraries: natural-sounding voices with word and phone times."""

from __future__ import annotations

import ctypes as ct
from typing import Any

import numpy as np

from .phones import radio_index
from .utterance import Phone, Utterance, Word

#: Library and registration function of each voice.
VOICES = {
    "rms": "cmu_us_rms",
    "slt": "cmu_us_slt",
    "awb": "cmu_us_awb",
    "kal": "cmu_us_kal",
    "kal16": "cmu_us_kal16",
}
#: Words that flite spells out unless they are written otherwise.
RESPELLED = {"ma'am": "mam", "Ma'am": "Mam", "mm-hm": "mm hm", "uh-huh": "uh huh"}
_TOKEN_OF_SEGMENT = b"R:SylStructure.parent.parent.R:Token.parent"


class _Voice(ct.Structure):
    _fields_ = [("name", ct.c_char_p), ("features", ct.c_void_p)]


class _Wave(ct.Structure):
    _fields_ = [
        ("type", ct.c_char_p),
        ("sample_rate", ct.c_int),
        ("num_samples", ct.c_int),
        ("num_channels", ct.c_int),
        ("samples", ct.POINTER(ct.c_short)),
    ]


def _declare(library: Any) -> None:
    """Tell ctypes which functions take and return pointers."""
    pointer, text = ct.c_void_p, ct.c_char_p
    signatures = {
        "flite_synth_text": (pointer, [text, pointer]),
        "utt_wave": (ct.POINTER(_Wave), [pointer]),
        "utt_relation": (pointer, [pointer, text]),
        "relation_head": (pointer, [pointer]),
        "item_next": (pointer, [pointer]),
        "path_to_item": (pointer, [pointer, text]),
        "item_feat_string": (text, [pointer, text]),
        "item_feat_float": (ct.c_float, [pointer, text]),
        "feat_set_float": (None, [pointer, text, ct.c_float]),
        "delete_utterance": (None, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


class Flite:
    """Loads a voice on first use and keeps it."""

    def __init__(self) -> None:
        self._library = ct.CDLL("libflite.so.1", mode=ct.RTLD_GLOBAL)
        for name in ("usenglish", "cmulex"):
            ct.CDLL(f"libflite_{name}.so.1", mode=ct.RTLD_GLOBAL)
        _declare(self._library)
        self._library.flite_init()
        self._voices: dict[str, int] = {}

    def _voice(self, name: str) -> int:
        if name not in self._voices:
            voice = ct.CDLL(f"libflite_{VOICES[name]}.so.1", mode=ct.RTLD_GLOBAL)
            register = getattr(voice, f"register_{VOICES[name]}")
            register.restype, register.argtypes = ct.c_void_p, [ct.c_char_p]
            self._voices[name] = register(None)
        return self._voices[name]

    def speak(self, text: str, voice: str, stretch: float, pitch: float) -> Utterance | None:
        """Speak `text`; None when flite splits the words in another way than whitespace."""
        library, handle = self._library, self._voice(voice)
        features = ct.cast(handle, ct.POINTER(_Voice)).contents.features
        library.feat_set_float(features, b"duration_stretch", stretch)
        library.feat_set_float(features, b"int_f0_target_mean", pitch)
        spoken = [respelled(word) for word in text.split()]
        utterance = library.flite_synth_text(" ".join(spoken).encode(), handle)
        wave = library.utt_wave(utterance).contents
        audio = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32)
        phones, spans = self._segments(utterance)
        rate = wave.sample_rate
        library.delete_utterance(utterance)
        texts = text.split()
        if len(spans) != sum(len(word.split()) for word in spoken):
            return None
        words = placed(texts, spoken, spans)
        return Utterance(_to_16k(audio / 32768, rate), words, phones, f"flite-{voice}")

    def _segments(self, utterance: int) -> tuple[list[Phone], list[tuple[float, float]]]:
        """Phones, and the span of every token that has any."""
        library, phones = self._library, []
        spans: dict[int, tuple[float, float]] = {}
        item = library.relation_head(library.utt_relation(utterance, b"Segment"))
        start = 0.0
        while item:
            end = float(library.item_feat_float(item, b"end"))
            name = library.item_feat_string(item, b"name").decode()
            phones.append(Phone(radio_index(name), start, end))
            token = library.path_to_item(item, _TOKEN_OF_SEGMENT)
            if token:
                spans[token] = (spans.get(token, (start, end))[0], end)
            start, item = end, library.item_next(item)
        return phones, list(spans.values())


def respelled(word: str) -> str:
    """The word as flite should read it, punctuation kept."""
    for written, read in RESPELLED.items():
        if word.startswith(written):
            return read + word[len(written) :]
    return word


def placed(texts: list[str], spoken: list[str], spans: list[tuple[float, float]]) -> list[Word]:
    """Give each written word the span of all the tokens it was read as."""
    words, i = [], 0
    for text, read in zip(texts, spoken, strict=True):
        count = len(read.split())
        words.append(Word(text, spans[i][0], spans[i + count - 1][1]))
        i += count
    return words


def _to_16k(audio: np.ndarray, rate: int) -> np.ndarray:
    """kal speaks at 8 kHz: brought to 16 kHz (still without anything above 4 kHz)."""
    if rate == 16_000:
        return audio
    from scipy.signal import resample_poly

    resampled: np.ndarray = resample_poly(audio, 16_000 // rate, 1)
    return resampled.astype(np.float32)
