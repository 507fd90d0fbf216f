"""festival in a process of its own: older American voices, with word and phone times.

Optional: a machine without it trains on the other voices.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import resample_poly

from .flite import placed, respelled
from .phones import radio_index
from .utterance import SAMPLE_RATE, Phone, Utterance

#: The voice function of each voice.
VOICES = {"ked": "voice_ked_diphone", "kal": "voice_kal_diphone", "slt": "voice_cmu_us_slt_arctic_hts"}
#: Prints every phone with its end and every token with its words' spans, and writes the sound.
SCRIPT = """
(define (word_span word)
  (format t "word %f %f\\n"
          (item.feat word "R:SylStructure.daughter1.daughter1.segment_start")
          (item.feat word "R:SylStructure.daughtern.daughtern.end")))
(define (token_spans token)
  (format t "token\\n")
  (mapcar word_span (item.daughters token)))
(define (speak text file)
  (let ((u (utt.synth (eval (list 'Utterance 'Text text)))) (token nil))
    (mapcar (lambda (s) (format t "phone %s %f\\n" (item.name s) (item.feat s 'end)))
            (utt.relation.items u 'Segment))
    (set! token (utt.relation.first u 'Token))
    (while token (token_spans token) (set! token (item.next token)))
    (utt.save.wave u file 'riff)
    (format t "spoken\\n")
    (fflush nil)))
"""


class Festival:
    """One festival process; raises OSError where it is not installed."""

    def __init__(self) -> None:
        program = shutil.which("festival")
        if program is None:
            raise OSError("festival is not installed")
        self._folder = tempfile.TemporaryDirectory()
        process = subprocess.Popen(
            [program, "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        #: It ends when its input does, with this process at the latest.
        self._to: Any = process.stdin
        self._from: Any = process.stdout
        self._voice = ""
        self._send(SCRIPT)

    def _send(self, expression: str) -> None:
        self._to.write(expression + "\n")
        self._to.flush()

    def speak(self, text: str, voice: str, stretch: float, pitch: float, span: float) -> Utterance | None:
        """Speak `text`; pitch and its standard deviation in Hz (diphone voices follow both).

        None when festival splits the words in another way than whitespace.
        """
        if voice != self._voice:
            self._send(f"({VOICES[voice]})")
            self._voice = voice
        self._send(
            f"(Param.set 'Duration_Stretch {stretch:.3f})"
            f"(set! int_lr_params '((target_f0_mean {pitch:.0f}) (target_f0_std {span:.0f})"
            "(model_f0_mean 170) (model_f0_std 34)))"
        )
        file = Path(self._folder.name) / "spoken.wav"
        spoken = [respelled(word) for word in text.split()]
        self._send(f'(speak "{" ".join(spoken)}" "{file}")')
        phones, spans = self._answer()
        if not all(start < end for start, end in spans):
            return None
        if len(spans) != sum(len(word.split()) for word in spoken):
            return None
        audio, rate = soundfile.read(file, dtype="float32")
        common = gcd(rate, SAMPLE_RATE)
        audio = resample_poly(audio, SAMPLE_RATE // common, rate // common).astype(np.float32)
        return Utterance(audio, placed(text.split(), spoken, spans), phones, f"festival-{voice}")

    def _answer(self) -> tuple[list[Phone], list[tuple[float, float]]]:
        """Phones and spans of tokens, as printed by the script; marks are words without any sound."""
        phones, spans, before = [], [], 0.0
        for line in self._from:
            kind, *fields = line.split() or [""]
            if kind == "phone":
                phones.append(Phone(radio_index(fields[0]), before, float(fields[1])))
                before = float(fields[1])
            elif kind == "token":
                spans.append((np.inf, 0.0))
            elif kind == "word" and float(fields[1]) > 0:
                start, end = spans[-1]
                spans[-1] = (min(start, float(fields[0])), max(end, float(fields[1])))
            elif kind == "spoken":
                return phones, spans
        raise RuntimeError("festival ended; is the voice installed?")
