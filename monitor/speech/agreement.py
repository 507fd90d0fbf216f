"""Which words stand. Pure: words in, words out.

A growing utterance is decoded again and again, and the end of each decode is guesswork. A word is
committed, never to change, when

- two decodes in a row agree on it and on all words before it (LocalAgreement-2: Liu et al. 2020,
  Macháček et al. 2023), compared without case and punctuation; or
- alignment puts its end so far before the end of the sound that more sound will not change it, and
  the decoder is sure of it (the idea of AlignAtt: Papi et al. 2023).

The decode at the end of the utterance continues the committed words, and all of it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from monitor.config import SpeechSettings
from monitor.events import Word


def key(text: str) -> str:
    """A word as it is compared: letters, digits and apostrophes, small."""
    return "".join(c for c in text.lower().replace("’", "'") if c.isalnum() or c == "'")


def agreeing(one: Sequence[Word], two: Sequence[Word]) -> int:
    """How many words from the start are the same in both."""
    for count, (a, b) in enumerate(zip(one, two, strict=False)):
        if key(a.text) != key(b.text):
            return count
    return min(len(one), len(two))


@dataclass
class Agreement:
    """The words of one utterance: those that stand, and the last guess at the rest."""

    settings: SpeechSettings
    committed: list[Word] = field(default_factory=list)
    pending: tuple[Word, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, each saying whether it is committed."""
        return (*self.committed, *self.pending)

    def take(self, words: Sequence[Word], sound_end: float, *, aligned: bool, until: float) -> bool:
        """A decode of the utterance so far, without the committed words; True if anything changed.

        ``sound_end`` is where its sound ended; ``until`` is the call time after which nothing may be
        committed yet (something louder on the other side still waits to be heard).
        """
        before = self.words
        count = self._standing(words, sound_end, aligned=aligned)
        while count and words[count - 1].end > until:
            count -= 1
        self._commit(words[:count])
        self.pending = tuple(words[count:])
        return self.words != before

    def close(self, words: Sequence[Word]) -> bool:
        """The decode of the whole utterance, without the committed words: all of it stands."""
        before = self.words
        self._commit(words)
        self.pending = ()
        return self.words != before

    def _standing(self, words: Sequence[Word], sound_end: float, *, aligned: bool) -> int:
        agreed = agreeing(self.pending, words)
        while agreed and words[agreed - 1].end > sound_end - self.settings.agree_margin:
            agreed -= 1
        return max(agreed, self._safe(words, sound_end) if aligned else 0)

    def _safe(self, words: Sequence[Word], sound_end: float) -> int:
        """Words from the start that are sure and well before the end of the sound; never the last one."""
        settings = self.settings
        for count, word in enumerate(words[:-1]):
            if word.end > sound_end - settings.commit_margin or word.p < settings.commit_p:
                return count
        return max(0, len(words) - 1)

    def _commit(self, words: Sequence[Word]) -> None:
        self.committed += [msgspec.structs.replace(word, committed=True) for word in words]
