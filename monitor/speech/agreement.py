"""Which words of a growing utterance are committed, so that they never change again.

A growing utterance is decoded again and again, and the end of each decode is guesswork. A word is committed
when

- two decodes in a row agree on it and on all words before it (LocalAgreement-2: Liu et al. 2020; Macháček et
  al. 2023, whisper_streaming), in text (without case and punctuation) and in time, and it lies some way
  before the end of the audio; or
- its aligned end lies so far before the end of the audio that more audio will not change it, and the decoder
  is sure of it (after AlignAtt: Papi et al. 2023).

Agreement alone commits too much: a decoder that has received half a word gives the same wrong word twice. On
160 clips with the bundled model at two decodes a second, the conditions on time and confidence reduce the
word error rate lost to early commitment from 1.6 points to 0.3, and cost 0.2 s of delay at the median.

The decode at the end of the utterance continues the committed words, and all of it is committed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from monitor.config import SpeechSettings
from monitor.events import Word

SAME_WORD_TOLERANCE = 0.2
"""Most seconds between the ends of the same word in two decodes."""


def key(text: str) -> str:
    """A word in the form in which words are compared: letters, digits and apostrophes, in lower case."""
    return "".join(c for c in text.lower().replace("’", "'") if c.isalnum() or c == "'")


def agreeing_prefix(one: Sequence[Word], two: Sequence[Word], within: float) -> int:
    """The number of words from the start that are the same in both and end within ``within`` seconds."""
    for count, (a, b) in enumerate(zip(one, two, strict=False)):
        if key(a.text) != key(b.text) or abs(a.end - b.end) > within:
            return count
    return min(len(one), len(two))


@dataclass
class Agreement:
    """The words of one utterance: those that are committed, and the last guess at the rest."""

    settings: SpeechSettings
    committed: list[Word] = field(default_factory=list)
    pending: tuple[Word, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        """All words; each says whether it is committed."""
        return (*self.committed, *self.pending)

    def update(self, words: Sequence[Word], sound_end: float, *, aligned: bool, until: float) -> bool:
        """Takes a decode of the utterance so far, without the committed words; True if anything changed.

        ``sound_end`` is the end of the decoded audio. Words that end after ``until`` are not committed yet
        (something louder on the other side is still undecoded). Both are call seconds. ``aligned`` says that
        the words' times come from alignment.
        """
        before = self.words
        count = self._stable_count(words, sound_end, aligned=aligned)
        while count and words[count - 1].end > until:
            count -= 1
        self._commit(words[:count])
        self.pending = tuple(words[count:])
        return self.words != before

    def close(self, words: Sequence[Word]) -> bool:
        """Takes the final decode, without the committed words, and commits all of it; True if anything
        changed.
        """
        before = self.words
        self._commit(words)
        self.pending = ()
        return self.words != before

    def _stable_count(self, words: Sequence[Word], sound_end: float, *, aligned: bool) -> int:
        """The number of words from the start that can be committed now."""
        agreed = agreeing_prefix(self.pending, words, SAME_WORD_TOLERANCE if aligned else math.inf)
        if not aligned:  # their times and probabilities are guesses, so the last one is not trusted
            return min(agreed, max(0, len(words) - 1))
        for count, word in enumerate(words):
            if not self._is_stable(word, sound_end, agreed=count < agreed, last=count == len(words) - 1):
                return count
        return len(words)

    def _is_stable(self, word: Word, sound_end: float, *, agreed: bool, last: bool) -> bool:
        settings, margin = self.settings, sound_end - word.end
        if agreed and margin >= settings.agree_margin:
            return word.confidence >= settings.agree_confidence or margin >= settings.agree_max_margin
        return not last and margin >= settings.commit_margin and word.confidence >= settings.commit_confidence

    def _commit(self, words: Sequence[Word]) -> None:
        self.committed += [msgspec.structs.replace(word, committed=True) for word in words]
