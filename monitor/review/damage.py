"""Simulates recognition errors in transcripts, seeded, at a given word error rate.

Of the errors 60 % are substitutions, 25 % deletions and 15 % insertions, and short words are affected twice
as often as long ones, which is roughly the distribution of errors of telephone recognisers (see
for instance Goldwater, Jurafsky & Manning, "Which words are hard to recognize?", Speech Communication
52, 2010: function words and short words have the most errors). A substitute is, if possible, a word of the
vocabulary with a similar spelling, because recognisers substitute real words.

Wrong words have lower probabilities than right ones on average, but the distributions overlap. The values
are drawn from the two distributions of the bundled model on the calls in ``fixtures/audio`` (546 right
words: 5 % below 0.69, half below 0.96; 30 wrong or inserted ones: half below 0.74, one in ten above 0.9).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random

import msgspec
from rapidfuzz import fuzz, process

from monitor.events import Event, Utterance, Word

SUBSTITUTED, DELETED = 0.60, 0.25
SHORT_LETTERS = 3
SHORT_WEIGHT = 2.0
SMALL_LETTERS = 5
RIGHT, WRONG = (8.0, 0.6), (4.0, 1.7)
"""Parameters of the beta distributions of the probability of right and of wrong words."""

CLOSE = 55.0
"""Least similarity in spelling (rapidfuzz ratio, 0 to 100) of a substitute to the true word."""

CHOICES = 6


class Damage:
    """Adds recognition errors to the words of one call; deterministic for the same call and seed.

    ``words`` are the words of the call, used as substitutes. ``small`` are frequent words of the language,
    used for insertions and where no word is spelled alike. ``rate`` is the word error rate, 0 to 1.
    """

    def __init__(
        self, words: Iterable[str], small: Iterable[str], rate: float, *, seed: int = 1, call: str = ""
    ) -> None:
        self._small = tuple(sorted({word for word in small if len(word) <= SMALL_LETTERS})) or ("a",)
        self._vocabulary = tuple(
            sorted({word.lower() for word in words if word.isalpha()} | set(self._small))
        )
        self._rate = rate
        self._name = f"{seed}/{call}"
        self._near = lru_cache(maxsize=50_000)(self._neighbours)

    def events(self, events: Sequence[Event]) -> list[Event]:
        """The facts with errors in their words; all revisions of an utterance have the same errors."""
        return [self._utterance(one) if isinstance(one, Utterance) else one for one in events]

    def _utterance(self, utterance: Utterance) -> Utterance:
        random = Random(f"{self._name}/{utterance.channel}/{utterance.utterance}")  # noqa: S311 - repeatable, not secret
        sure = Random(f"sure/{self._name}/{utterance.channel}/{utterance.utterance}")  # noqa: S311 - likewise
        words = tuple(_sure(word, sure) for word in self._words(utterance.words, random))
        text = " ".join(word.text for word in words)
        return msgspec.structs.replace(utterance, words=words, text=text)

    def _words(self, words: Sequence[Word], random: Random) -> list[Word]:
        weights = [SHORT_WEIGHT if len(word.text) <= SHORT_LETTERS else 1.0 for word in words]
        mean = sum(weights) / len(weights) if weights else 1.0
        out: list[Word] = []
        for word, weight in zip(words, weights, strict=True):
            if random.random() >= self._rate * weight / mean:
                out.append(word)
                continue
            kind = random.random()
            if kind < SUBSTITUTED:
                out.append(_with(word, self._other(word.text, random)))
            elif kind >= SUBSTITUTED + DELETED:
                middle = round((word.start + word.end) / 2, 3)
                inserted = random.choice(self._small)
                out += [msgspec.structs.replace(word, end=middle), _with(word, inserted, start=middle)]
        return out

    def _other(self, text: str, random: Random) -> str:
        near = self._near(text.lower().strip(".,?!"))
        return random.choice(near or self._small)

    def _neighbours(self, text: str) -> tuple[str, ...]:
        found = process.extract(
            text, self._vocabulary, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=CHOICES + 1
        )
        return tuple(word for word, _, _ in found if word != text)


def _with(word: Word, text: str, start: float | None = None, end: float | None = None) -> Word:
    return Word(
        text=text,
        start=word.start if start is None else start,
        end=word.end if end is None else end,
        confidence=0.0,
        committed=word.committed,
    )


def _sure(word: Word, random: Random) -> Word:
    """The word with a drawn probability, which depends on whether it is right or damaged."""
    p = random.betavariate(*(RIGHT if word.confidence else WRONG))
    return msgspec.structs.replace(word, confidence=round(p, 2))


def vocabulary(events: Iterable[Event]) -> set[str]:
    """All different words in ``events``."""
    return {
        word.text.lower().strip(".,?!")
        for event in events
        if isinstance(event, Utterance)
        for word in event.words
    }
