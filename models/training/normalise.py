"""Text for counting word errors: small letters, no punctuation, titles written out."""

from __future__ import annotations

import re

_TITLES = {"mr": "mister", "mrs": "missus"}


def normalised(text: str) -> str:
    """`"Okay, Mr. O'Brien!"` -> `"okay mister o'brien"`."""
    text = text.lower().replace("\u2019", "'").replace("-", " ")
    words = re.sub(r"[^a-z0-9' ]", " ", text).split()
    return " ".join(_TITLES.get(word, word) for word in words)


def errors(reference: str, heard: str) -> tuple[int, int]:
    """Word errors (edit distance) and the number of words of the reference."""
    expected, got = normalised(reference).split(), normalised(heard).split()
    row = list(range(len(got) + 1))
    for i, word in enumerate(expected, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
            diagonal, row[j] = row[j], best
    return row[-1], len(expected)
