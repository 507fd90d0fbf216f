"""Detects exchanged channels from role cues in words and from the bandwidth of the audio.

Role cues are phrases typical of an agent or of a caller. They count only during the opening of a call: later
an agent may also say "I called you", and a caller "thank you for calling back". The phrases are in
``configs/roles/LANGUAGE``; a language without them has no role cues.

The evidence that agent and caller were exchanged is added up. The audio alone does not suffice, because a
telephone line that returns the agent's voice sounds like a microphone in the caller's place.

    evidence, for or against an exchange                                    weight
    a side opens the call like an agent ("how can I help")                      2
    a side asks for or looks up an order, an account ("may I have your name")   1
    a side states its concern ("I am calling about"), or answers an offer of
    help with at least five words                                               1
    one side has telephone bandwidth, the other that of a microphone            3

The exchange is reported once, when the evidence for it exceeds that against it by 3 and does not consist of
words of one side alone. If the agent made the call (``direction: out``), words do not count, because then the
other side opens the call.
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
"""Ms from the start of the call in which words count."""


class RoleCues(NamedTuple):
    """A role cue in the words of ``cited.channel``."""

    sign: Sign
    cited: EvidenceItem


def signs(utterance: Utterance, language: str = "en") -> list[RoleCues]:
    """The role cues in an utterance."""
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
"""Least number of words of an answer that states a concern."""
_WEIGHTS: dict[Sign, int] = {"offers_help": 2, "asks_details": 1, "states_matter": 1}
_AGENTS: dict[Sign, bool] = {"offers_help": True, "asks_details": True, "states_matter": False}
"""Whether the cue is an agent's (else a caller's)."""

REMEDY = (
    "If so, run it again with the other --agent-channel, or exchange the two files or devices; until then "
    "what depends on who is who rests."
)


class RoleEvidence(NamedTuple):
    """A piece of evidence for or against exchanged channels."""

    exchanged: bool
    weight: int
    cited: EvidenceItem


class SideExchangeDetector:
    """Collects evidence of exchanged channels on one call."""

    def __init__(self, *, outgoing: bool = False) -> None:
        self._outgoing = outgoing
        self._clues: dict[tuple[str, Channel | None], RoleEvidence] = {}
        self._told: Quality | None = None

    def hear(self, utterance: Utterance) -> list[Event]:
        """Adds the evidence of an utterance; returns the event if the exchange is detected now."""
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
        """Adds that ``channel`` has telephone bandwidth and the other side has not."""
        cited = EvidenceItem(start=0.0, end=known, channel=channel, kind="telephone band")
        self._clues["band", None] = RoleEvidence(channel == "agent", BAND, cited)
        return self._tell(known)

    def finish(self, now: float) -> list[Event]:
        """Ends a reported exchange at the end of the call."""
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
    """The reasons as a sentence; words of the call are quoted in the evidence only."""
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
