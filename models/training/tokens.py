"""The tokenizer: a small byte-level BPE with Whisper's special tokens in Whisper's order."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
BPE_SIZE = 512
TIMESTAMPS = 1501
TIMESTAMP_STEP = 0.02


def train(texts: Iterable[str], target: Path, size: int = BPE_SIZE) -> None:
    """Learn the BPE from sentences and save it with the special tokens and timestamps."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[],
        show_progress=False,
    )
    tokenizer.train_from_iterator((" " + text for text in texts), trainer)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in SPECIAL])
    tokenizer.add_tokens(
        [
            AddedToken(f"<|{i * TIMESTAMP_STEP:.2f}|>", normalized=False, special=False)
            for i in range(TIMESTAMPS)
        ]
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(target))


class Vocabulary:
    """Token ids by name, and the tokens of one word."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(path))
        self._words: dict[str, list[tuple[int, int]]] = {}
        self.end = self._id("<|endoftext|>")
        self.start = self._id("<|startoftranscript|>")
        self.previous = self._id("<|startofprev|>")
        self.no_speech = self._id("<|nospeech|>")
        self.no_timestamps = self._id("<|notimestamps|>")
        self.zero = self.no_timestamps + 1

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the tokenizer has no {token}")
        return int(found)

    def word(self, text: str) -> list[tuple[int, int]]:
        """(id, number of characters) of each token of a word, the space before it included."""
        if text not in self._words:
            encoding = self._tokenizer.encode(" " + text, add_special_tokens=False)
            lengths = [end - begin for begin, end in encoding.offsets]
            self._words[text] = list(zip(encoding.ids, lengths, strict=True))
        return self._words[text]

    def text(self, sentence: str) -> list[int]:
        """Token ids of a sentence."""
        return [token for word in sentence.split() for token, _ in self.word(word)]

    def timestamp(self, seconds: float) -> int:
        """Id of the timestamp token nearest to a time."""
        steps = min(TIMESTAMPS - 1, max(0, round(seconds / TIMESTAMP_STEP)))
        return self.zero + steps

    @cached_property
    def tokens(self) -> list[str]:
        """All tokens in order of their ids."""
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        return [self._tokenizer.id_to_token(i) for i in range(size)]
