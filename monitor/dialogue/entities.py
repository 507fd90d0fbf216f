"""Extracts entities for notes: dates, amounts, order and case numbers, phone numbers, promises.

They are found in the tokens, so that "£40", "forty pounds" and "40 pounds" are the same amount, and dictated
digits ("four four seven one") are one number. Dates and promises are phrase classes of the lexicon.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from monitor.phrases.lexicon import Match
from monitor.phrases.tokens import Token

UNITS = frozenset(
    {"pounds", "pound", "dollars", "dollar", "euros", "euro", "quid", "bucks", "pence", "cents"}
)
FIGURES = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
DIGITS = frozenset({*FIGURES, "double"})
NUMBERS = DIGITS | {
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "thousand",
}  # fmt: skip
"""English number words; another language needs its own."""

ID_FIGURES = 4
PHONE_FIGURES = 9
_FIGURE = re.compile(rf"(?:\b(double)\s+)?(?:(\d)|\b({'|'.join(FIGURES)})\b)", re.I)
FROM_PHRASES = {"time_expression": "date", "promise": "promise"}


class Entity(NamedTuple):
    """A date, amount, number, phone number or promise; ``first`` and ``last`` are word indexes."""

    kind: str
    first: int
    last: int


def entities(tokens: Sequence[Token], matches: Sequence[Match]) -> list[Entity]:
    """The entities in one utterance, by position."""
    found = [
        Entity(FROM_PHRASES[m.cls], max(m.first, 0), m.last)
        for m in matches
        if m.certain and m.cls in FROM_PHRASES
    ]
    found += _numbers(tokens)
    return sorted(found, key=lambda entity: (entity.first, entity.last))


def figures(text: str) -> str:
    """The digits in ``text``, dictated or written: "double four 7" gives ``447``."""
    found = ((digit or FIGURES[word.lower()], double) for double, digit, word in _FIGURE.findall(text))
    return "".join(2 * figure if double else figure for figure, double in found)


def _numbers(tokens: Sequence[Token]) -> list[Entity]:
    found: list[Entity] = []
    begin = 0
    while begin < len(tokens):
        end = begin
        while (
            end < len(tokens) and _is_number(tokens[end].text) and (end == begin or not tokens[end - 1].mark)
        ):
            end += 1
        if end > begin:
            kind = _kind(tokens, begin, end)
            if kind:
                found.append(Entity(kind, tokens[begin].word, tokens[end - (kind != "amount")].word))
        begin = max(end, begin + 1)
    return found


def _kind(tokens: Sequence[Token], begin: int, end: int) -> str | None:
    if end < len(tokens) and tokens[end].text in UNITS:
        return "amount"
    figures = sum(_figures(token.text) for token in tokens[begin:end])
    if figures >= PHONE_FIGURES:
        return "phone"
    return "number" if figures >= ID_FIGURES else None


def _is_number(text: str) -> bool:
    return text in NUMBERS or text[0].isdigit()


def _figures(text: str) -> int:
    """The number of dictated digits in a token; a word such as "forty" has none."""
    return sum(c.isdigit() for c in text) or int(text in DIGITS)
