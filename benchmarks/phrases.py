"""Measures the cost of phrase spotting on a live call, with the bundled lexicon and with 10,000 phrases.

    python benchmarks/phrases.py

Both sides speak 2.5 words a second in utterances of 12 s, each revised every half second (the worst case of
the streaming recogniser). Prints microseconds per word and the share of one core.
"""

import argparse
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from time import process_time

from monitor.events import CHANNELS, Utterance, Word
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.patterns import parse
from monitor.phrases.phrase_files import PhraseEntry, PhraseSource
from monitor.phrases.spotter import PhraseSpotter
from monitor.review.callscript import read_script

CALLS = Path(__file__).resolve().parent.parent / "fixtures" / "calls"
WORDS_PER_SECOND = 2.5
UTTERANCE = 12.0
REVISED = 0.5
MINUTES = 2


def grown(lexicon: Lexicon, size: int) -> Lexicon:
    """The lexicon extended to ``size`` phrases by random phrases of its own words."""
    random = Random(7)  # noqa: S311 - repeatable, not secret
    words = lexicon.words
    classes = sorted(lexicon.source.classes)
    more = []
    for number in range(size - len(lexicon.source.entries)):
        line = " ".join(random.choices(words, k=random.randint(2, 5)))
        more.append(PhraseEntry(f"made:{number}", random.choice(classes), parse(line, "made")))
    source = lexicon.source
    return Lexicon(PhraseSource(source.classes, source.entries + tuple(more), source.sets))


def said() -> list[str]:
    """The words of the scripted calls, in a row."""
    scripts = [read_script(path) for path in sorted(CALLS.glob("*.yaml"))]
    talk = [line.split(" ", 2) for script in scripts for line in script.talk]
    return [word for parts in talk if parts[0] in CHANNELS and len(parts) == 3 for word in parts[2].split()]


def revisions() -> list[Utterance]:
    """Two minutes of utterances of both sides, in revisions as from the recogniser."""
    words = cycle(said())
    found: list[Utterance] = []
    for number in range(int(60 * MINUTES / UTTERANCE)):
        for channel in CHANNELS:
            begin = number * (UTTERANCE + 0.5)
            texts = list(islice(words, int(UTTERANCE * WORDS_PER_SECOND)))
            step = 1 / WORDS_PER_SECOND
            heard = tuple(
                Word(text, begin + at * step, begin + (at + 1) * step) for at, text in enumerate(texts)
            )
            for revision in range(1, int(UTTERANCE / REVISED) + 1):
                part = heard[: int(revision * REVISED * WORDS_PER_SECOND)]
                found.append(
                    Utterance(
                        channel=channel,
                        utterance=number,
                        revision=revision,
                        start=begin,
                        end=begin + revision * REVISED,
                        text="",
                        words=part,
                        final=part == heard,
                    )
                )
    return found


def cost(lexicon: Lexicon, told: list[Utterance]) -> tuple[float, float]:
    """Microseconds per word of one utterance read once, and the share of a core of the live call."""
    words = told[-1].words
    once = median(_timed(lambda: lexicon.find(words)) for _ in range(50))
    live = median(_timed(lambda: _heard(PhraseSpotter(lexicon), told)) for _ in range(3))
    return 1e6 * once / len(words), live / (60 * MINUTES)


def _heard(spotter: PhraseSpotter, told: list[Utterance]) -> None:
    for utterance in told:
        spotter.hear(utterance)


def _timed(work: Callable[[], object]) -> float:
    begin = process_time()
    work()
    return process_time() - begin


def main() -> None:
    """Prints a line for each lexicon, and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=10_000, help="phrases of the big lexicon (default 10000)")
    size = parser.parse_args().size
    told = revisions()
    begin = process_time()
    bundled = Lexicon.load("en")
    loaded = process_time() - begin
    figures = []
    for lexicon in (bundled, grown(bundled, size)):
        per_word, share = cost(lexicon, told)
        figures.append(share)
        phrases = len(lexicon.source.entries)
        print(f"{phrases:6} phrases: {per_word:5.1f} us a word, {share:.3%} of a core on a live call")
    print(f"ratio {figures[1] / figures[0]:.2f}; the bundled phrases load in {loaded:.2f} s")


if __name__ == "__main__":
    main()
