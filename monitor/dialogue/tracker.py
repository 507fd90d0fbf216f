"""Tracks a dialogue over several utterances: repeats, read-backs, topic drift, repeated questions, notes.

``DialogueTracker.hear`` takes final utterances in the order in which they become known and returns remarks;
``KINDS`` lists them. Times are ms of the call. Memory is bounded: sentences, content words and slots of the
last minutes.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from monitor.dialogue.entities import entities
from monitor.dialogue.similarity import SAME, Repeats, Sentence, content, overlap, sentences, shared
from monitor.dialogue.slots import SlotTracker
from monitor.events import Channel, Utterance
from monitor.phrases.lexicon import Lexicon, Match
from monitor.phrases.tokens import Token, tokens
from monitor.timeline import ms

KINDS = {
    "repeat": "a side says a sentence of its own again (near-repeat, 20 s or more later)",
    "canned": "the agent says the same sentence of empathy, apology or policy again, almost word for word",
    "plays_back": "the agent gives back what the caller said: at least a quarter of the content words",
    "reask": "the agent asks for something that was said already (the text is what and its value)",
    "new_slot": "the caller fills in something that was not known before",
    "drift": "the agent has led the talk for a minute, and nothing in it has to do with the caller's issue",
    "generic": "the agent's solution shares no words with the caller's issue",
    "long_sentence": "a sentence of more than 35 words",
    "wanders": "the caller has led the talk for a minute, and its parts have nothing to do with each other",
    "chosen": "the caller takes up what the agent has just offered (the answer begins with words of it)",
    "stonewall": "the fourth question in a row that the caller answers with at most two words",
    "date": "a date or a time", "amount": "an amount of money", "number": "a number of four figures or more",
    "phone": "a phone number", "pledge": "a promise, for the notes",
}  # fmt: skip
"""The kinds of remarks, which count as phrase classes although no lexicon defines them."""

PLAYED_BACK = 0.25
PLAYED_BACK_WORDS = 3
DRIFT, DRIFT_WINDOW, DRIFT_TALK, DRIFT_WORDS = 0.15, 60_000, 0.65, 20
WANDERS, WANDERS_TALK, WANDERS_WORDS = 0.05, 0.85, 8
"""Overlap of a minute's thirds below which they are about different topics; the required share of the talk;
and the required content words in each third."""

GENERIC, GENERIC_WORDS = 0.1, 6
ISSUE_UNTIL = 60_000
ISSUE_WORDS = 60
LONG_SENTENCE = 35
STONEWALL, SHORT_ANSWER = 4, 2
OFFERS = ("solution", "option", "alternative")
HELPS = (*OFFERS, "promise", "steps", "resolution_check", "playback")
"""Classes of phrases that show that the agent is dealing with the issue, whatever the words."""

CHOSEN_WITHIN, CHOSEN_WORDS = 10_000, 8
CANNED_CLASSES = ("empathy", "apology", "policy")
CANNED_LEAST = 5
CLOSES = {"closing", "resolution_check", "anything_else", "good_time"}
"""Questions that ask for a short answer."""


class Remark(NamedTuple):
    """A finding of one of ``KINDS``, with its times in ms of the call."""

    kind: str
    start: int
    end: int
    text: str


class _Said(NamedTuple):
    channel: Channel
    words: frozenset[str]
    start: int
    end: int
    length: int
    helps: bool = False


class DialogueTracker:
    """Tracks the dialogue of one call."""

    def __init__(self, lexicon: Lexicon, known: Mapping[str, object] | None = None) -> None:
        self._lexicon = lexicon
        self._stop = lexicon.source.sets.get("stop", frozenset())
        self._repeats: dict[Channel, Repeats] = {"agent": Repeats(), "caller": Repeats()}
        self._canned = Repeats(least_words=CANNED_LEAST, after=5_000)
        self._slots = SlotTracker(known)
        self._recent: deque[_Said] = deque(maxlen=80)
        self._turn: dict[Channel, frozenset[str]] = {"agent": frozenset(), "caller": frozenset()}
        self._issue: frozenset[str] = frozenset()
        self._speaker: Channel | None = None
        self._yes_no = lexicon.source.sets.get("yes_no", frozenset())
        self._asked = False
        self._closes = False
        self._offered_at = -CHOSEN_WITHIN
        self._short_answers = 0
        self._drifting = False
        self._wandering = False

    @property
    def slots(self) -> dict[str, str]:
        """The values of the filled slots."""
        return self._slots.filled

    def hear(self, utterance: Utterance, matches: Sequence[Match]) -> list[Remark]:
        """Reads a final utterance with its phrases and returns new remarks."""
        given = tokens(utterance.words)
        if not given:
            return []
        said = sentences(given, utterance.words)
        words = content([token.text for token in given], self._stop)
        found = self._sentences(utterance.channel, said, matches)
        found += self._notes(given, utterance, matches)
        helps = any(match.cls in HELPS for match in matches)
        one = _Said(utterance.channel, words, ms(utterance.start), ms(utterance.end), len(given), helps)
        found += (
            self._agent(one, matches)
            if utterance.channel == "agent"
            else self._caller(one, utterance, matches)
        )
        if utterance.channel == "caller":
            self._asked = False
        self._remember(one)
        return sorted(found, key=lambda remark: (remark.end, remark.start))

    # --- what either side does ---

    def _sentences(self, channel: Channel, said: list[Sentence], matches: Sequence[Match]) -> list[Remark]:
        found = []
        for sentence in said:
            if len(sentence.tokens) > LONG_SENTENCE:
                found.append(Remark("long_sentence", sentence.start, sentence.end, sentence.text))
            if self._repeats[channel].hear(sentence):
                found.append(Remark("repeat", sentence.start, sentence.end, sentence.text))
            stock = any(
                match.certain
                and match.cls in CANNED_CLASSES
                and ms(match.start) < sentence.end
                and sentence.start < ms(match.end)
                for match in matches
            )
            if channel == "agent" and stock and self._canned.hear(sentence, SAME, SAME):
                found.append(Remark("canned", sentence.start, sentence.end, sentence.text))
        return found

    def _notes(self, given: list[Token], utterance: Utterance, matches: Sequence[Match]) -> list[Remark]:
        found = []
        for entity in entities(given, matches):
            said = utterance.words[entity.first : entity.last + 1]
            kind = "pledge" if entity.kind == "promise" else entity.kind
            if kind == "pledge":
                said = utterance.words[entity.first : entity.first + 12]
            text = " ".join(word.text.strip() for word in said)
            found.append(Remark(kind, ms(said[0].start), ms(said[-1].end), text))
        return found

    # --- the agent ---

    def _agent(self, one: _Said, matches: Sequence[Match]) -> list[Remark]:
        classes = {match.cls for match in matches if match.certain}
        closes = {match.cls for match in matches} & CLOSES
        self._asked = "question" in classes and not closes
        self._closes = bool(closes)
        confirms = "playback" in classes
        found = [
            Remark("reask", asked.start, asked.end, f"{asked.slot} {asked.value}")
            for asked in self._slots.agent(matches, confirms=confirms)
        ]
        told = self._turn["caller"]
        offers = any(match.cls in OFFERS for match in matches)
        self._offered_at = one.end if offers else self._offered_at
        if shared(one.words, told) >= PLAYED_BACK_WORDS and overlap(one.words, told) >= PLAYED_BACK:
            found.append(Remark("plays_back", one.start, one.end, ""))
        enough = min(len(one.words), len(self._issue)) >= GENERIC_WORDS
        if "solution" in classes and enough and overlap(one.words, self._issue) < GENERIC:
            found.append(Remark("generic", one.start, one.end, ""))
        return found + self._drift(one)

    def _drift(self, one: _Said) -> list[Remark]:
        """Detects a minute in which the agent led without the issue; reported once until it occurs again."""
        since = one.end - DRIFT_WINDOW
        recent = [said for said in self._recent if said.start >= since] + [one]
        ours = [said for said in recent if said.channel == "agent"]
        if any(said.helps for said in ours):
            self._drifting = False
            return []
        words = frozenset().union(*(said.words for said in ours))
        away = (
            since >= (self._recent[0].start if self._recent else one.start)
            and len(self._issue) >= GENERIC_WORDS
            and len(words) >= DRIFT_WORDS
            and sum(said.length for said in ours) >= DRIFT_TALK * sum(said.length for said in recent)
            and overlap(words, self._issue) < DRIFT
        )
        begins, self._drifting = away and not self._drifting, away
        return [Remark("drift", max(since, 0), one.end, "")] if begins else []

    # --- the caller ---

    def _caller(self, one: _Said, utterance: Utterance, matches: Sequence[Match]) -> list[Remark]:
        if one.start < ISSUE_UNTIL and len(self._issue) < ISSUE_WORDS:
            self._issue |= one.words
        text = " ".join(word.text.strip() for word in utterance.words)
        found = [
            Remark("new_slot", one.start, one.end, slot)
            for slot in self._slots.caller(text, one.start, one.end, matches)
        ]
        timely = one.start - self._offered_at <= CHOSEN_WITHIN
        if timely and shared(self._first_words(utterance), self._turn["agent"]):
            found.append(Remark("chosen", one.start, one.end, text))
        found += self._wanders(one)
        # A bare yes or no answers a question, even if the question was not recognised as one.
        asked = self._asked or (not self._closes and text.lower().strip(" .,!") in self._yes_no)
        if one.length > SHORT_ANSWER:
            self._short_answers = 0
        elif asked:
            self._short_answers += 1
        if asked and self._short_answers >= STONEWALL:
            found.append(Remark("stonewall", one.start, one.end, text))
        return found

    def _first_words(self, utterance: Utterance) -> frozenset[str]:
        said = tokens(utterance.words[:CHOSEN_WORDS])
        return content([token.text for token in said], self._stop)

    def _wanders(self, one: _Said) -> list[Remark]:
        """Detects a minute of the caller whose thirds are about different topics; reported once."""
        since = one.end - DRIFT_WINDOW
        recent = [said for said in self._recent if said.end > since] + [one]
        theirs = [said for said in recent if said.channel == "caller"]
        thirds: list[frozenset[str]] = [frozenset()] * 3
        for said in theirs:
            middle = (max(said.start, since) + said.end - 2 * since) / 2
            third = min(2, int(3 * middle / DRIFT_WINDOW))
            thirds[third] |= said.words
        away = (
            since >= 0
            and min(len(words) for words in thirds) >= WANDERS_WORDS
            and sum(said.length for said in theirs) >= WANDERS_TALK * sum(said.length for said in recent)
            and max(overlap(a, b) for a, b in combinations(thirds, 2)) < WANDERS
        )
        begins, self._wandering = away and not self._wandering, away
        return [Remark("wanders", since, one.end, "")] if begins else []

    def _remember(self, one: _Said) -> None:
        """Stores the words of the turn, that is, those since the other side last spoke."""
        if self._speaker != one.channel:
            self._turn[one.channel] = frozenset()
            self._speaker = one.channel
        self._turn[one.channel] |= one.words
        self._recent.append(one)
