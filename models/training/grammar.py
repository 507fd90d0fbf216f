# ruff: noqa: S311 - chance for data, not for secrets
"""Sentences from readable lists: `{name}` in a sentence stands for an entry of that list."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TEXT = Path(__file__).parent / "text"
#: Share of each kind of utterance.
MIX = {"agent": 0.23, "caller": 0.23, "stories": 0.2, "general": 0.14, "loose": 0.08, "short": 0.12}
MAX_WORDS = 44
#: Shares of utterances of one, two, ... sentences.
SENTENCES = (0.5, 0.26, 0.14, 0.1)
#: Written out with LONG_FORMS, or drawn together with SHORT_FORMS.
LONG_FORMS, SHORT_FORMS = 0.22, 0.15
CONTRACTIONS = {
    "I'm": "I am",
    "I'll": "I will",
    "I've": "I have",
    "I'd": "I would",
    "it's": "it is",
    "don't": "do not",
    "doesn't": "does not",
    "didn't": "did not",
    "can't": "cannot",
    "that's": "that is",
    "you're": "you are",
    "we're": "we are",
    "we'll": "we will",
    "let's": "let us",
    "won't": "will not",
    "what's": "what is",
    "there's": "there is",
    "you've": "you have",
    "isn't": "is not",
    "wasn't": "was not",
    "they're": "they are",
}
_SHORT = {long: short for short, long in CONTRACTIONS.items() if long != "let us"}
_SLOT = re.compile(r"\{([\w ]+)\}")
_VOWEL = re.compile(r"\b([Aa]) (?=[aeioAEIO])")
_VOWEL_EXCEPTIONS = re.compile(r"\b([Aa])n (?=one\b|once\b|euro)")
Lists = dict[str, list[str]]


def parse(text: str) -> Lists:
    """Read "[name]" sections; "#" lines are comments, "3*" repeats an entry."""
    lists: Lists = {}
    entries: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            entries = lists.setdefault(line[1:-1], [])
            continue
        for entry in line.split("|"):
            times, star, rest = entry.strip().partition("*")
            repeated = star and times.isdigit()
            entries += [rest] * int(times) if repeated else [entry.strip()]
    return lists


@cache
def lists(name: str) -> Lists:
    """The lists of one file of the `text` folder."""
    return parse((TEXT / f"{name}.txt").read_text(encoding="utf-8"))


def expand(sentence: str, rng: random.Random) -> str:
    """Fill every slot (which may hold slots again); a becomes an before a vowel."""
    words = lists("words")
    while found := _SLOT.search(sentence):
        chosen = rng.choice(words[found[1]])
        sentence = sentence[: found.start()] + chosen + sentence[found.end() :]
    return _VOWEL_EXCEPTIONS.sub(r"\1 ", _VOWEL.sub(r"\1n ", sentence))


def finished(text: str) -> str:
    """First letter large, a mark at the end."""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".?!" else text + "."


def _from_sections(sections: Lists, rng: random.Random) -> str:
    """Half the time every section is equally likely, else every sentence."""
    if rng.random() < 0.5:
        return rng.choice(sections[rng.choice(sorted(sections))])
    return rng.choice([entry for entries in sections.values() for entry in entries])


def short(rng: random.Random) -> str:
    """A backchannel, a one-word question, or a few in a row."""
    general, draw = lists("general"), rng.random()
    if draw < 0.22:
        return finished(rng.choice(general["question word"]) + "?")
    if draw < 0.75:
        return finished(rng.choice(general["backchannel"]))
    chosen = rng.choices(general["backchannel"], k=rng.choice([2, 2, 3]))
    return finished(", ".join(chosen))


def _lowered(text: str) -> str:
    """The sentence as it reads after other words: small, unless it opens with a name or I."""
    first, words = text.split()[0].strip(",.?!"), lists("words")
    names = {*words["first"], *words["last"], *words["month"], *words["day"], "I", "Mr", "Mrs", "Miss"}
    if first.split("'")[0] in names or text.startswith(tuple(words["company"] + words["city"])):
        return text
    return text[0].lower() + text[1:]


def _replaced(text: str, forms: dict[str, str]) -> str:
    """Each form by its other one, a capital at the front kept."""
    for form, other in forms.items():
        text = re.sub(rf"\b{form}\b", other, text)
        text = re.sub(rf"^{form[0].upper()}{form[1:]}\b", other[0].upper() + other[1:], text)
    return text


def varied(text: str, rng: random.Random) -> str:
    """The same sentence with contractions written out, or made."""
    draw = rng.random()
    if draw < LONG_FORMS:
        return _replaced(text, CONTRACTIONS)
    return _replaced(text, _SHORT) if draw < LONG_FORMS + SHORT_FORMS else text


def sentence(rng: random.Random) -> str:
    """One utterance of a random kind."""
    kind = rng.choices(list(MIX), list(MIX.values()))[0]
    if kind == "short":
        return short(rng)
    general = lists("general")
    source = general.get(kind)
    template = rng.choice(source) if source else _from_sections(lists(kind), rng)
    text = varied(finished(expand(template, rng)), rng)
    draw = rng.random()
    if draw < 0.14:
        text = finished(rng.choice(general["starter"]) + ", " + _lowered(text))
    elif draw < 0.22:
        text = text[:-1] + ", " + expand(rng.choice(general["ender"]), rng) + text[-1]
    return text


def utterance(rng: random.Random) -> str:
    """One to four sentences."""
    count = rng.choices(range(1, len(SENTENCES) + 1), SENTENCES)[0]
    return " ".join(sentence(rng) for _ in range(count))


def sentences(seed: int, count: int, banned: frozenset[str] = frozenset()) -> Iterator[str]:
    """`count` utterances, the same for the same seed; short ones may repeat."""
    from .normalise import normalised

    rng, seen, made = random.Random(seed), set(banned), 0
    while made < count:
        text = utterance(rng)
        key = normalised(text)
        length = len(key.split())
        if length > MAX_WORDS or (key in seen and length > 3):
            continue
        seen.add(key)
        made += 1
        yield text
