"""Who talks like somebody at work on the phone, and who like somebody with a matter of their own.

Only what is said while a call opens tells them apart: later on an agent may well say "I called you", and a
caller "thank you for calling back". The phrases are in ``configs/roles/LANGUAGE``; a language without
them has no say.
"""

from functools import cache
from typing import Literal, NamedTuple, cast

from monitor.events import Cited, Utterance
from monitor.resources import resource
from monitor.rules.lexicon import read
from monitor.rules.phrases import Lexicon, Match

Sign = Literal["offers_help", "asks_details", "states_matter"]

OPENING = 90.0
"""Seconds of the call in which what is said counts."""


class Heard(NamedTuple):
    """A sign that ``cited.channel`` gave of its role."""

    sign: Sign
    cited: Cited


def signs(utterance: Utterance, language: str = "en") -> list[Heard]:
    """The signs in an utterance."""
    lexicon = _lexicon(language)
    if lexicon is None:
        return []
    return [Heard(cast("Sign", one.cls), _cited(one, utterance)) for one in lexicon.find(utterance.words)]


def _cited(match: Match, utterance: Utterance) -> Cited:
    text = match.text.strip(" .,?!")
    return Cited(start=round(match.start, 3), end=round(match.end, 3), channel=utterance.channel, text=text)


@cache
def _lexicon(language: str) -> Lexicon | None:
    folder = resource("configs/roles") / language
    return Lexicon(read([folder]), language) if folder.is_dir() else None
