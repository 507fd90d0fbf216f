"""Words to tokens and back, and the prompts that Whisper reads.

A prompt is ``<|startofprev|> context  <|startoftranscript|> (language, task) <|notimestamps|> prefix``.
CTranslate2 reads all before ``<|startoftranscript|>`` in one parallel pass but takes a step for each
prefix token, and it batches only prompts whose context has the same length, so context comes in
whole groups of ``CONTEXT_STEP`` tokens.
"""

import string
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

CONTEXT_STEP = 8
CONTEXT_MOST = 24


class Tokens:
    """The tokens of one model. ``tokenizer`` is its ``tokenizers.Tokenizer``."""

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
        """What goes before the start token: the last whole groups of tokens, or nothing."""
        ids = self.text(words)
        length = min(CONTEXT_MOST, len(ids) // CONTEXT_STEP * CONTEXT_STEP)
        return [self._previous, *ids[-length:]] if length else []

    def prompt(self, context: list[int], prefix: list[int]) -> list[int]:
        """The whole prompt."""
        return [*context, *self.start, self._no_times, *prefix]

    def answer(self, ids: Sequence[int], prefix: list[int]) -> list[int]:
        """The text tokens of an answer after the forced ``prefix``, up to the first control token."""
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
