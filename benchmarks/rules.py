"""Measures the CPU time of the rules per second of call.

It is measured with and without words, and with a lexicon of 10,000 phrases. The budget is 3 ms per second
(0.3 % of a core) on a live call.

    python benchmarks/rules.py
    python benchmarks/rules.py --minutes 30 --repeats 5

The call is synthetic: both sides talk all the time in turns of 2 to 12 s, with ten prosody events and two
revisions of the words a second, as from a live recogniser; one word in eight has a low probability. The
baseline in the same run evaluates every rule every 0.1 s.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from monitor.events import Event, Utterance
from monitor.judge.judge import Judge
from monitor.phrases.lexicon import Lexicon
from monitor.phrases.patterns import parse
from monitor.phrases.phrase_files import PhraseEntry
from monitor.review.damage import RIGHT, WRONG
from monitor.rules.rule_set import RuleSet, load_rules
from monitor.rules.script import compile_script
from monitor.rules.triggers import NOT_MET
from monitor.timeline import TimelineView

TALK = tuple(
    """so I can see the order here and it should have been with you on monday and then we look at it again
    because the parcel was late and I am not sure what you mean by that but I will send you a new one tomorrow
    and sorry again for the wait I understand that it is frustrating let me check what we can do about the
    lamp""".split()  # noqa: SIM905 - reads as talk
)
WRONG_SHARE = 0.15
BUDGET_MS = 3.0
PHRASES = 10_000


def call(minutes: float, *, words: bool, seed: int = 1) -> tuple[list[Event], float]:
    """The facts of a synthetic call, and its length in seconds."""
    rng = random.Random(seed)  # noqa: S311 - a made call, not a secret
    lines, now = [], 0.0
    while now < minutes * 60:
        for side in ("caller", "agent"):
            seconds = rng.uniform(2, 12)
            said = " ".join(rng.choice(TALK) for _ in range(round(seconds * 2.7)))
            lines.append(f"{side} {now:.1f}-{now + seconds:.1f} {said}")
            now = round(now + seconds + rng.uniform(-0.3, 0.8), 1)
    script = compile_script(tuple(lines), words=words)
    facts = [grown for fact in script.facts for grown in _growing(_doubted(fact, rng))]
    return sorted(facts, key=lambda fact: fact.detected_at), script.end


def _doubted(fact: Event, rng: random.Random) -> Event:
    """The words with typical probabilities of a recogniser on the telephone."""
    if not isinstance(fact, Utterance):
        return fact
    sure = [rng.betavariate(*(WRONG if rng.random() < WRONG_SHARE else RIGHT)) for _ in fact.words]
    words = tuple(msgspec.structs.replace(one, confidence=p) for one, p in zip(fact.words, sure, strict=True))
    return msgspec.structs.replace(fact, words=words)


def _growing(fact: Event) -> list[Event]:
    """An utterance as from a live recogniser: a revision every half second, then the final words."""
    if not isinstance(fact, Utterance):
        return [fact]
    told: list[Event] = []
    moment = fact.start + 1.0
    while moment < fact.end:
        words = tuple(word for word in fact.words if word.end <= moment - 0.5)
        partial = msgspec.structs.replace(
            fact, detected_at=round(moment, 3), words=words, end=moment, final=False
        )
        told.append(partial)
        moment += 0.5
    return [*told, fact]


def large(lexicon: Lexicon) -> Lexicon:
    """The lexicon extended to ``PHRASES`` phrases."""
    rng = random.Random(2)  # noqa: S311 - made phrases, not secrets
    source = lexicon.source
    entries = list(source.entries)
    while len(entries) < PHRASES:
        text = " ".join(rng.choice(TALK) for _ in range(rng.randint(3, 6)))
        entries.append(PhraseEntry(f"jargon:{len(entries)}", "jargon", parse(text, "made")))
    return Lexicon(source._replace(entries=tuple(entries)), lexicon.language)


def cost(book: RuleSet, facts: Sequence[Event], end: float, *, words: bool) -> float:
    """Milliseconds of CPU time per second of call."""
    judge = Judge(book, words=words)
    began = time.process_time()
    for fact in facts:
        judge.advance(fact.detected_at)
        judge.take(fact)
    judge.hang_up(end)
    return (time.process_time() - began) / end * 1000


def naive(book: RuleSet, facts: Sequence[Event], end: float, *, words: bool) -> float:
    """The same when every rule is evaluated at every tick."""
    judge = Judge(book, words=words)
    watches, view = judge.watches, TimelineView(judge.line)
    began = time.process_time()
    tick = 0
    for fact in facts:
        while tick / 10 < fact.detected_at:
            tick += 1
            for watch in watches:
                view.begin()
                watch.trigger.assess(view, NOT_MET)
        judge.take(fact)
    return (time.process_time() - began) / end * 1000


class _Book(RuleSet):
    """A rule set with another lexicon."""

    own: Lexicon

    @property
    def lexicon(self) -> Lexicon:
        return self.own


def with_lexicon(book: RuleSet, lexicon: Lexicon) -> RuleSet:
    """The rule set with another lexicon."""
    other = _Book(book.rules, book.profile, book.language)
    object.__setattr__(other, "own", lexicon)
    return other


def main() -> int:
    """Prints one line for each way of running."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the made call (default 10)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the median is told (default 3)")
    args = parser.parse_args()
    book = load_rules()
    silent, silent_end = call(args.minutes, words=False)
    spoken, spoken_end = call(args.minutes, words=True)
    grown = with_lexicon(book, large(book.lexicon))
    short, short_end = call(1.0, words=True)
    runs: dict[str, Callable[[], float]] = {
        "no words": lambda: cost(book, silent, silent_end, words=False),
        f"words, {len(book.lexicon.source.entries)} phrases": lambda: cost(
            book, spoken, spoken_end, words=True
        ),
        f"words, {PHRASES} phrases": lambda: cost(grown, spoken, spoken_end, words=True),
        "baseline: every rule at every 0.1 s": lambda: naive(book, short, short_end, words=True),
    }
    worst = 0.0
    print(f"{len(book.rules)} rules, {args.minutes:g} min call, budget {BUDGET_MS:g} ms per second of call")
    for name, run in runs.items():
        value = statistics.median(run() for _ in range(args.repeats))
        worst = worst if name.startswith("baseline") else max(worst, value)
        told = f"{value:7.3f} ms/s = {value / 10:6.3f} % of a core, {BUDGET_MS / value:6.1f} x within budget"
        print(f"  {name:<38} {told}")
    return 0 if worst <= BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
