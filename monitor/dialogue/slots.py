"""Slot filling: tracks what the agent asked for and the caller gave, and detects repeated questions.

Slots are names, numbers, addresses and the issue. A slot is filled when the caller answers a question, gives
the value unasked ("my order number is ..."), or when it is in the call's metadata from an earlier agent
(``handover: {name: Ann Lee}``). An approximate match of a question counts if there is no certain one; a bare
number counts as an answer whatever preceded it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from monitor.dialogue.entities import ID_FIGURES, PHONE_FIGURES, figures
from monitor.phrases.lexicon import Match
from monitor.timeline import ms

ANSWER_WITHIN = 20_000
"""Longest time in ms from a question to its answer."""

ASKED_AGAIN_AFTER = 8_000
"""Least time in ms from an answer to a repeated question; sooner the agent is confirming the answer."""

LONGEST = 40
"""Greatest length in characters of a displayed value."""

SLOTS = {
    "asks_name": "name",
    "asks_order": "order number",
    "asks_birth": "date of birth",
    "asks_address": "address",
    "asks_phone": "phone number",
    "asks_email": "email",
    "asks_issue": "issue",
}
"""The slot of each class of questions."""

GIVES = {
    "gives_name": "name",
    "gives_order": "order number",
    "gives_birth": "date of birth",
    "gives_address": "address",
    "gives_phone": "phone number",
    "gives_email": "email",
}
"""The slot that each class of the caller's phrases fills without a question."""

STORY_WORDS = 8
"""Least number of words of the caller that state the issue."""


class SlotQuestion(NamedTuple):
    """A question of the agent for a slot that was already filled. Times are ms of the call."""

    slot: str
    value: str
    start: int
    end: int


class SlotTracker:
    """The filled slots of one call, and the questions that are open."""

    def __init__(self, known: Mapping[str, object] | None = None) -> None:
        given = {name.replace("_", " "): str(value) for name, value in (known or {}).items()}
        self._filled: dict[str, tuple[str, int]] = {
            name: (value, -ASKED_AGAIN_AFTER) for name, value in given.items()
        }
        self._asking: tuple[str, int] | None = None

    @property
    def filled(self) -> dict[str, str]:
        """The values of the filled slots."""
        return {slot: value for slot, (value, _) in self._filled.items()}

    def agent(self, matches: Iterable[Match], *, confirms: bool) -> list[SlotQuestion]:
        """Reads the agent's words; returns questions for filled slots. ``confirms``: it is a read-back."""
        again: list[SlotQuestion] = []
        for match in _asked(matches):
            slot = SLOTS[match.cls]
            known = self._filled.get(slot)
            start, end = ms(match.start), ms(match.end)
            if known and not confirms and start - known[1] >= ASKED_AGAIN_AFTER:
                again.append(SlotQuestion(slot, known[0], start, end))
            self._asking = (slot, end)
        return again

    def caller(self, text: str, start: int, end: int, matches: Iterable[Match]) -> list[str]:
        """Reads the caller's words; returns the slots that they fill for the first time."""
        new: list[str] = []
        for match in matches:
            slot = GIVES.get(match.cls) if match.certain else None
            if slot:
                new += self._fill(slot, match.text, end)
        if self._asking and start - self._asking[1] <= ANSWER_WITHIN and _answers(text, self._asking[0]):
            new += self._fill(self._asking[0], text, end)
            self._asking = None
        elif number := _number(text):
            new += self._fill(number, text, end)
        elif len(text.split()) >= STORY_WORDS:
            new += self._fill("issue", text, end)
        return new

    def _fill(self, slot: str, text: str, at: int) -> list[str]:
        fresh = slot not in self._filled
        self._filled[slot] = (_value(text, slot), at)
        return [slot] if fresh else []


_NO_ANSWER = re.compile(
    r"^(what|why|sorry|pardon|hello|hang on|hold on|one (moment|second)|um+|uh+|wait|i do ?n.t know)\b", re.I
)
_LEAD = re.compile(r"^((it.?s|it is|that.?s|that is|yes|sure|my name is|this is|i.?m|i am)[ ,]+)+", re.I)
_NUMBERS = ("order number", "phone number")


def _asked(matches: Iterable[Match]) -> list[Match]:
    """The questions for slots; approximate matches only if there is no certain one."""
    asked = [match for match in matches if match.cls in SLOTS]
    sure = [match for match in asked if match.certain]
    return sure or asked


def _number(text: str) -> str | None:
    """The slot that these words fill if they consist almost only of digits."""
    number = figures(text)
    if len(number) < ID_FIGURES or 2 * len(number) < len(text.split()):
        return None
    return "order number" if len(number) < PHONE_FIGURES else "phone number"


def _answers(text: str, slot: str) -> bool:
    """Whether these words can answer the question for ``slot``."""
    if _NO_ANSWER.match(text.strip()) or text.rstrip().endswith("?"):
        return False
    if slot in (*_NUMBERS, "date of birth"):
        return bool(figures(text))
    return slot != "issue" or len(text.split()) >= 4


def _value(text: str, slot: str) -> str:
    """The displayed value of an answer: a number in digits, a name without "it's"."""
    number = figures(text)
    if slot in _NUMBERS and len(number) >= ID_FIGURES:
        return number
    text = " ".join(text.split()).strip(" .,!?")
    text = text if slot == "issue" else _LEAD.sub("", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
