"""Which side is the agent: cues of roles in words and sound, and the detection of exchanged sides.

Who talks like somebody at work on the phone, and who like somebody with a matter of their own.

Only what is said while a call opens tells them apart: later on an agent may well say "I called you", and a
caller "thank you for calling back". The phrases are in ``configs/roles/LANGUAGE``; a language without
them has no say.

Which side is whose: evidence that agent and caller were exchanged, added up until it is enough.

A telephone line that returns the agent's voice sounds just like a microphone in the caller's place, so
no single sound can tell. What can, each for one way or the other:

    evidence                                                                weighs
    a side opens the call like somebody at work ("how can I help")              2
    a side asks for or looks up an order, an account ("may I have your name")   1
    a side states a matter of its own ("I am calling about"), or takes up an
    offer of help with five words and more                                      1
    one side came through a telephone, the other from a microphone              3

It is told once, when exchanged outweighs right by 3 and words of one side alone are not all there is. Where
the agent made the call (``direction: out``), it is the other side that opens it, and words do not count.
"""

from functools import cache
from typing import Literal, NamedTuple, cast

from monitor.events import CHANNELS, Channel, Event, EvidenceItem, Quality, Utterance, other
from monitor.phrases.lexicon import Lexicon, Match
from monitor.phrases.phrase_files import read
from monitor.resources import resource
from monitor.timeline import ms

Sign = Literal["offers_help", "asks_details", "states_matter"]

OPENING = 90_000
"""Ms of the call in which what is said counts."""


class RoleCues(NamedTuple):
    """A sign that ``cited.channel`` gave of its role."""

    sign: Sign
    cited: EvidenceItem


def signs(utterance: Utterance, language: str = "en") -> list[RoleCues]:
    """The signs in an utterance."""
    lexicon = _lexicon(language)
    if lexicon is None:
        return []
    return [
        RoleCues(cast("Sign", one.cls), _cited(one, utterance))
        for one in lexicon.find(utterance.words)
        if one.certain
    ]


def _cited(match: Match, utterance: Utterance) -> EvidenceItem:
    text = match.text.strip(" .,?!")
    return EvidenceItem(
        start=round(match.start, 3), end=round(match.end, 3), channel=utterance.channel, text=text
    )


@cache
def _lexicon(language: str) -> Lexicon | None:
    folder = resource("configs/roles") / language
    return Lexicon(read([folder]), language) if folder.is_dir() else None


ENOUGH = 3
BAND = 3
ANSWER = 5
"""Words of an answer that states a matter."""
_WEIGHTS: dict[Sign, int] = {"offers_help": 2, "asks_details": 1, "states_matter": 1}
_AGENTS: dict[Sign, bool] = {"offers_help": True, "asks_details": True, "states_matter": False}
"""Whether the sign is an agent's (else it is a caller's)."""

REMEDY = (
    "If so, run it again with the other --agent-channel, or exchange the two files or devices; until then "
    "what depends on who is who rests."
)


class RoleEvidence(NamedTuple):
    """A piece of evidence, for exchanged sides or against them."""

    exchanged: bool
    weight: int
    cited: EvidenceItem


class SideExchangeDetector:
    """Hears what may tell the two sides of one call apart."""

    def __init__(self, *, outgoing: bool = False) -> None:
        self._outgoing = outgoing
        self._clues: dict[tuple[str, Channel | None], RoleEvidence] = {}
        self._told: Quality | None = None

    def hear(self, utterance: Utterance) -> list[Event]:
        """What somebody said."""
        if self._told is not None or self._outgoing or not utterance.final or ms(utterance.start) >= OPENING:
            return []
        channel = utterance.channel
        found = signs(utterance)
        if not found and self._takes_up(utterance):
            words = utterance.words[:ANSWER]
            text = " ".join(word.text for word in words)
            cited = EvidenceItem(start=words[0].start, end=words[-1].end, channel=channel, text=text)
            found = [RoleCues("states_matter", cited)]
        for sign, cited in found:
            exchanged = _AGENTS[sign] == (channel == "caller")
            self._clues.setdefault((sign, channel), RoleEvidence(exchanged, _WEIGHTS[sign], cited))
        return self._tell(utterance.detected_at)

    def _takes_up(self, utterance: Utterance) -> bool:
        """Whether this is the other side's answer to an offer of help."""
        offer = self._clues.get(("offers_help", other(utterance.channel)))
        return offer is not None and utterance.start >= offer.cited.start and len(utterance.words) >= ANSWER

    def narrow(self, channel: Channel, known: float) -> list[Event]:
        """``channel`` came through a telephone, and the other side did not."""
        cited = EvidenceItem(start=0.0, end=known, channel=channel, kind="telephone band")
        self._clues["band", None] = RoleEvidence(channel == "agent", BAND, cited)
        return self._tell(known)

    def finish(self, now: float) -> list[Event]:
        """The call is over, and what was wrong with it ends with it."""
        told, self._told = self._told, None
        if told is None:
            return []
        return [Quality.of("swapped", None, told.start, end=now, detected_at=now)]

    def _tell(self, known: float) -> list[Event]:
        clues = self._clues.values()
        sum_ = sum(clue.weight if clue.exchanged else -clue.weight for clue in clues)
        found = [clue.cited for clue in clues if clue.exchanged]
        sources = {cited.kind or cited.channel for cited in found}
        one_sided = len(sources) < 2 and sources <= set(CHANNELS)
        if self._told is not None or sum_ < ENOUGH or one_sided:
            return []
        found.sort(key=lambda cited: (cited.start, cited.end))
        say = f"The sides seem to be exchanged: {_reasons(found)}. {REMEDY}"
        self._told = Quality(
            kind="swapped", channel=None, start=0.0, detected_at=known, say=say, evidence=tuple(found)
        )
        return [self._told]


def _reasons(found: list[EvidenceItem]) -> str:
    """Why, in words; what was said is quoted in the evidence only."""
    reasons = []
    for cited in found:
        if cited.kind is not None:
            side = cited.channel or "agent"
            reason = f"the {side}'s side came through a telephone, the {other(side)}'s did not"
        elif cited.channel == "caller":
            reason = "the caller's side talks like somebody at work"
        else:
            reason = "the agent's side states a matter of its own"
        if reason not in reasons:
            reasons.append(reason)
    return ", ".join(reasons)
