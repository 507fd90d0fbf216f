"""How a model is asked: window length, beam width, tokens and prompts.

Whisper was trained on windows padded to 30 s. Shorter windows cost 7 to 30 times less, and are read well as
long as some silence follows the speech (whisper.cpp uses 2.56 s); a model trained on short windows needs
less. The options of a model are in ``streaming.json`` in its folder; models without that file get the
defaults for OpenAI's Whisper.

A prompt is ``<|startofprev|> context  <|startoftranscript|> (language, task) <|notimestamps|> prefix``.
CTranslate2 reads everything before ``<|startoftranscript|>`` in one parallel pass but takes a step for each
prefix token, and it batches only prompts whose context has the same length, so the context comes in whole
groups of ``CONTEXT_STEP`` tokens.
"""

import string
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from monitor.errors import BadInput

FILE = "streaming.json"
"""The file in a model's folder that holds its ``DecodingOptions``."""

STEP = 50
"""Mel frames between two window lengths."""


class DecodingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is asked. Durations are in seconds, beams are search widths (1 is greedy).

    ``window_after`` of silence follows the audio, up to a window of at least ``window_least``. ``keep`` is
    how much audio of committed words stays in the window; older words become context, if the model accepts
    ``context`` (text before the window).
    """

    window_least: float = 8.0
    window_after: float = 2.56
    keep: float = 1.0
    context: bool = True
    partial_beam: int = 1
    final_beam: int = 5

    def frames(self, sound: int) -> int:
        """Mel frames (10 ms) of a window that holds ``sound`` frames.

        Lengths come in steps, so that windows in a batch do not change each other's length: a result must not
        depend on which other windows were decoded with it.
        """
        least = round(self.window_least * 100)
        filled = -(-(sound + round(self.window_after * 100)) // STEP) * STEP
        return max(min(3000, max(least, filled)), sound)


def decoding_options_of(folder: Path) -> DecodingOptions:
    """The options of the model in ``folder``. Raises ``BadInput`` where its file is not valid."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=DecodingOptions)
    except FileNotFoundError:
        return DecodingOptions()
    except OSError as wrong:
        raise BadInput(f"{path} cannot be read: {wrong.strerror}.") from None
    except msgspec.DecodeError as wrong:
        raise BadInput(f"{path} does not say how to ask the model: {wrong}.") from None


CONTEXT_STEP = 8
"""Tokens in a group of context."""
CONTEXT_MOST = 24
"""Most tokens of context."""


class Tokens:
    """Converts words to tokens and back. ``tokenizer`` is the model's ``tokenizers.Tokenizer``."""

    def __init__(self, tokenizer: Any, *, multilingual: bool, language: str = "en") -> None:
        self._tokenizer = tokenizer
        special = tokenizer.token_to_id
        self.end: int = special("<|endoftext|>")
        self.start: list[int] = [special("<|startoftranscript|>")]
        if multilingual:
            self.start += [special(f"<|{language}|>"), special("<|transcribe|>")]
        self._previous: int = special("<|startofprev|>")
        self._no_times: int = special("<|notimestamps|>")
        names = (
            "startoftranscript",
            "startofprev",
            "startoflm",
            "translate",
            "transcribe",
            "nospeech",
            "nocaptions",
        )
        ids = (special(f"<|{name}|>") for name in names)
        self.suppressed: list[int] = sorted({-1, *(i for i in ids if i is not None)})
        """Never an answer: the model's own list (-1) and the control tokens."""

    def text(self, words: Sequence[str]) -> list[int]:
        """The tokens of ``words``."""
        if not words:
            return []
        ids: list[int] = self._tokenizer.encode(" " + " ".join(words), add_special_tokens=False).ids
        return ids

    def context(self, words: Sequence[str]) -> list[int]:
        """The part of the prompt before the start token: the last whole groups of tokens, or nothing."""
        ids = self.text(words)
        length = min(CONTEXT_MOST, len(ids) // CONTEXT_STEP * CONTEXT_STEP)
        return [self._previous, *ids[-length:]] if length else []

    def prompt(self, context: list[int], prefix: list[int]) -> list[int]:
        """The whole prompt."""
        return [*context, *self.start, self._no_times, *prefix]

    def answer(self, ids: Sequence[int], prefix: list[int]) -> list[int]:
        """The text tokens of a decoder's output after the forced ``prefix``, up to the first control
        token.
        """
        ids = list(ids)
        if ids[: len(prefix)] == prefix:
            ids = ids[len(prefix) :]
        stop = next((n for n, i in enumerate(ids) if i >= self.end), len(ids))
        return ids[:stop]

    def words(self, ids: Sequence[int]) -> list[tuple[str, int, int]]:
        """The words of text tokens as (text, first token, one past the last token)."""
        begins = [n for n, i in enumerate(ids) if n == 0 or self._begins_word(i)]
        words: list[tuple[str, int, int]] = []
        for a, b in pairwise([*begins, len(ids)]):
            text = self._tokenizer.decode(list(ids[a:b])).strip().replace("\ufffd", "")
            if text.strip(string.punctuation + "–—…"):
                words.append((text, a, b))
            elif words and text:  # a mark of its own belongs to the word before it
                words[-1] = (words[-1][0] + text, words[-1][1], b)
        return words

    def _begins_word(self, token: int) -> bool:
        return str(self._tokenizer.id_to_token(token)).startswith("Ġ")
