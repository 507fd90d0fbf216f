"""Normalises recognised words to tokens for phrase matching.

Case, quotes, contractions ("I'm" is "i am", "can't" is "can not") and British and American endings are
unified; "5pm", "100%" and "£50" are split. Punctuation is kept beside the token, because recognisers write
it, it marks ends of sentences, and "sorry?" differs in meaning from "sorry.".
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

Mark = Literal["", ",", ".", "?"]


class HasText(Protocol):
    """An object with the text of one word, such as ``events.Word``."""

    @property
    def text(self) -> str:
        """The word as it was written."""
        ...


class Token(NamedTuple):
    """One normalised token: ``word`` is the index of its input word, ``mark`` the punctuation after it."""

    text: str
    word: int
    mark: Mark


FILLERS = frozenset({"uh", "um", "er", "erm", "uhm", "hm", "hmm", "mm", "mhm", "ah", "eh"})
"""Fillers, which may occur anywhere within a phrase."""

_IS_AFTER = frozenset({
    "it", "that", "what", "who", "here", "there", "he", "she", "how", "where", "when", "everything",
    "nothing", "something", "this", "one", "why", "name", "number", "problem", "address", "surname",
})  # fmt: skip
"""Words after which 's means "is"; after others it is a possessive."""
_WHOLE = {
    "cannot": "can not", "can't": "can not", "won't": "will not", "shan't": "shall not", "ain't": "is not",
    "let's": "let us", "y'all": "you all", "ma'am": "madam", "o'clock": "oclock", "'cause": "because",
    "cos": "because", "cuz": "because", "gonna": "going to", "wanna": "want to", "gotta": "got to",
    "gimme": "give me", "lemme": "let me", "kinda": "kind of", "dunno": "do not know", "ok": "okay",
    "dont": "do not", "doesnt": "does not", "didnt": "did not", "cant": "can not", "wont": "will not",
    "isnt": "is not", "wasnt": "was not", "couldnt": "could not", "wouldnt": "would not",
    "shouldnt": "should not", "havent": "have not", "hasnt": "has not", "im": "i am", "ive": "i have",
    "youre": "you are", "youve": "you have", "thats": "that is", "whats": "what is", "theyre": "they are",
    "yeah": "yes", "yep": "yes", "yup": "yes", "nope": "no", "mum": "mom", "whilst": "while",
    "programme": "program", "judgement": "judgment", "judgemental": "judgmental", "centre": "center",
    "cancelled": "canceled", "cancelling": "canceling", "learnt": "learned", "enquiry": "inquiry",
    "enquiries": "inquiries", "enquire": "inquire", "licence": "license", "cheque": "check",
    "practise": "practice", "arse": "ass", "arsehole": "asshole", "sceptical": "skeptical",
}  # fmt: skip
_ENDINGS = {"'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_IZE = re.compile(
    r"^(apolog|real|recogn|organ|summar|author|priorit|final|custom|util|minim|maxim|emphas|sympath|empath"
    r"|special|general|personal|patron|memor|standard|visual|familiar|categor|critic|jeopard)is"
    r"(e|es|ed|er|ing|ation|ations)$"
)
_OUR = re.compile(r"^(col|fav|behavi|hon|neighb|lab|rum|hum|harb)our")
_YSE = re.compile(r"^(anal|paral)ys(e|es|ed|ing)$")
_MONEY = {"£": "pounds", "$": "dollars", "€": "euros"}
_FIGURE = re.compile(r"^([£$€]?)(\d[\d.,:/]*\d|\d)(%|am|pm|st|nd|rd|th|k|p)?$")
_EDGES = "\"'`.,;:!?()[]{}…-–—*_~"
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "…": "..."})


@lru_cache(maxsize=32_768)
def normalised(text: str) -> tuple[tuple[str, ...], Mark]:
    """The tokens of one word, and the punctuation mark that follows it.

    >>> normalised("I'm")
    (('i', 'am'), '')
    >>> normalised("Sorry?")
    (('sorry',), '?')
    """
    text = text.translate(_QUOTES).strip().lower()
    bare = text.rstrip(_EDGES.replace("'", ""))
    tokens: list[str] = []
    for part in re.split(r"[-–—/\s]+", bare) if not _FIGURE.match(bare) else [bare]:
        tokens += _one(part.strip(_EDGES.replace("'", "")))
    return tuple(tokens), _mark(text[len(bare) :])


def _mark(tail: str) -> Mark:
    if "?" in tail:
        return "?"
    if "..." in tail:  # an unfinished sentence, not the end of one
        return ","
    if any(c in tail for c in ".!;"):
        return "."
    return "," if "," in tail or ":" in tail else ""


def _one(part: str) -> list[str]:
    """The tokens of a part without spaces and hyphens."""
    if part in _WHOLE:
        return _WHOLE[part].split()
    part = part.strip("'")
    if part in _WHOLE:
        return _WHOLE[part].split()
    if not part:
        return []
    figure = _FIGURE.match(part)
    if figure:
        return _figure(figure)
    if part.endswith("n't"):
        return [part[:-3], "not"]
    for ending, word in _ENDINGS.items():
        if part.endswith(ending):
            return [part[: -len(ending)], word]
    if part.endswith("'s"):
        stem = part[:-2]
        return [stem, "is"] if stem in _IS_AFTER else [stem]
    return [_american(part)]


def _figure(figure: re.Match[str]) -> list[str]:
    sign, digits, unit = figure.groups()
    tokens = [digits]
    if sign:
        tokens.append(_MONEY[sign])
    if unit == "%":
        tokens.append("percent")
    elif unit in ("am", "pm"):
        tokens.append(unit)
    return tokens


def _american(word: str) -> str:
    word = _IZE.sub(r"\1iz\2", word)
    word = _YSE.sub(r"\1yz\2", word)
    return _OUR.sub(r"\1or", word)


def tokens(words: Iterable[HasText | str], start: int = 0) -> list[Token]:
    """The tokens of ``words``; the first word has the index ``start``."""
    return list(_tokens(words, start))


def _tokens(words: Iterable[HasText | str], start: int) -> Iterator[Token]:
    waiting: Token | None = None  # the last token, until it is known whether a lone mark follows it
    for place, word in enumerate(words, start):
        texts, mark = normalised(word if isinstance(word, str) else word.text)
        if not texts:
            if waiting and mark:
                waiting = waiting._replace(mark=mark)
            continue
        if waiting:
            yield waiting
        for text in texts[:-1]:
            yield Token(text, place, "")
        waiting = Token(texts[-1], place, mark)
    if waiting:
        yield waiting


def plain(words: Sequence[HasText | str]) -> list[str]:
    """Only the token texts, without fillers: what two sentences are compared by."""
    return [token.text for token in tokens(words) if token.text not in FILLERS]
