"""Measures how well the phrases separate difficult from ordinary talk, sentence by sentence.

    python benchmarks/talk.py              the sentences on which the phrases were tuned
    python benchmarks/talk.py --apart      those on which they were not
    python benchmarks/talk.py --all        also: each sentence that was taken wrongly, or missed

``ordinary.txt`` are friendly and neutral sentences, on which no phrase of rudeness, blame, anger or distress
may be found; ``difficult.txt`` names for each sentence the classes of which one must be found.
"""

import argparse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from monitor.events import Word
from monitor.phrases.lexicon import Lexicon, Match

TALK = Path(__file__).resolve().parent.parent / "fixtures" / "talk"
APART = TALK.with_name("talk-apart")

HEAVY = {
    "agent": frozenset({"abuse", "blame", "boundary", "defensive", "disrespect", "judging", "overpromise"}),
    "caller": frozenset(
        {
            "abuse", "busy_driving", "distress", "escalation_request", "not_heard_cue", "not_understood",
            "promised_vs_told", "repetition_cue", "threat", "upsetting_event",
        }
    ),
}  # fmt: skip
"""The classes that ordinary talk must be free of."""


@dataclass
class Told:
    """What came of all sentences of a folder. ``wrong`` and ``missed`` hold sentences with what was found."""

    ordinary: int = 0
    difficult: int = 0
    wrong: list[tuple[str, list[Match]]] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)
    of: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def false(self) -> float:
        """The share of ordinary sentences in which something heavy was found."""
        return len(self.wrong) / self.ordinary

    @property
    def recall(self) -> float:
        """The share of difficult sentences that were found to be what they are."""
        return self.found.total() / self.difficult


def judged(folder: Path, lexicon: Lexicon) -> Told:
    """Every sentence of a folder's two files."""
    told = Told()
    for line in (folder / "ordinary.txt").read_text("utf-8").splitlines():
        side, text = line.split(" ", 1)
        told.ordinary += 1
        heavy = [match for match in found(text, lexicon) if match.cls in HEAVY[side]]
        if heavy:
            told.wrong.append((line, heavy))
    for line in (folder / "difficult.txt").read_text("utf-8").splitlines():
        head, text = line.split(" | ", 1)
        wanted = set(head.split(" ", 1)[1].split(", "))
        told.difficult += 1
        told.of[head] += 1
        if wanted & {match.cls for match in found(text, lexicon)}:
            told.found[head] += 1
        else:
            told.missed.append((head, text))
    return told


def found(text: str, lexicon: Lexicon) -> list[Match]:
    """The phrases of one sentence, said at three words a second."""
    words = [
        Word(text=word, start=place / 3, end=(place + 1) / 3, confidence=0.95, committed=True)
        for place, word in enumerate(text.split())
    ]
    return [match for match in lexicon.find(words) if match.certain]


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--apart", action="store_true", help="sentences that nothing was tuned on")
    parser.add_argument("--all", action="store_true", help="each sentence that went wrong")
    args = parser.parse_args()
    told = judged(APART if args.apart else TALK, Lexicon.load("en"))
    if args.all:
        for line, heavy in told.wrong:
            print("wrong  ", line, "->", ", ".join(f"{match.cls} ({match.text})" for match in heavy))
        for head, text in told.missed:
            print("missed ", head, "|", text)
    for head, count in told.of.items():
        print(f"{head:28}{told.found[head]:4} of {count:3}")
    print(f"{told.recall:.0%} of {told.difficult} difficult sentences were found to be what they are;")
    print(f"{told.false:.1%} of {told.ordinary} ordinary ones were taken for something heavy")


if __name__ == "__main__":
    main()
