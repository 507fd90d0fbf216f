"""Backtests rules: judges recorded calls with new and with old rules, and compares the alerts.

Each recording is turned into facts once (and cached, see ``facts.py``); then both sets of rules are judged on
the same facts. Calls are distributed over processes; the result does not depend on their number.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from functools import lru_cache
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

import msgspec

from monitor.errors import BadInput
from monitor.events import Event
from monitor.review.collection import Recorded
from monitor.review.damage import Damage, vocabulary
from monitor.review.facts import FactsCache, facts_of
from monitor.review.ruletest import Figures, Outcome, Raised, figures, judge
from monitor.rules.rule_set import RuleSet, load_rules

MOVED = 0.05
"""Greatest difference in opening time, in seconds, at which two alerts count as the same."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The input for judging one call. ``rules``: the sets of rules, new first; null is the bundled one."""

    call: Recorded
    rules: tuple[str | None, ...]
    model: str | None = None
    profile: str = "default"
    cache: str | None = None
    damage: float = 0.0
    seed: int = 1
    judged: tuple[str, ...] | None = None
    """The rules covered by the ground truth; alerts of other rules count neither as right nor as false."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one call under each set of rules; ``failed`` says in one sentence why there is none."""

    call: str
    seconds: float = 0.0
    outcomes: tuple[Outcome, ...] = ()
    failed: str | None = None


class AlertDifference(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that only one of the two sets of rules raises, or that differs between them."""

    rule: str
    new: Raised | None = None
    old: Raised | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a backtest. Figures are by rule; ``total`` is over all rules, new first."""

    calls: int
    hours: float
    rules: dict[str, tuple[Figures, ...]]
    total: tuple[Figures, ...]
    changed: dict[str, tuple[AlertDifference, ...]]
    failed: dict[str, str]


def run(task: Task) -> Result:
    """Judges one call under every set of rules of the task."""
    try:
        facts = facts_of(task.call, task.model, FactsCache(Path(task.cache) if task.cache else None))
        books = [_book(rules, task.profile) for rules in task.rules]
        if task.damage:
            small = books[0].lexicon.source.sets.get("stop", frozenset())
            harm = Damage(vocabulary(facts), small, task.damage, seed=task.seed, call=task.call.call)
            facts = harm.events(facts)
    except BadInput as wrong:
        return Result(call=task.call.call, failed=str(wrong))
    outcomes = tuple(judge(facts, book, task.call, task.judged) for book in books)
    return Result(call=task.call.call, seconds=_length(facts), outcomes=outcomes)


def _length(facts: Sequence[Event]) -> float:
    return max((event.detected_at for event in facts), default=0.0)


@lru_cache(maxsize=4)
def _book(rules: str | None, profile: str) -> RuleSet:
    return load_rules([Path(rules)] if rules else None, profile=profile)


def backtest(
    tasks: Sequence[Task], *, workers: int | None = None, tell: Callable[[Result], None] = lambda _: None
) -> Report:
    """Judges every task; ``tell`` is called for each call as it is done."""
    results: list[Result] = []
    with closing(_results(tasks, min(workers or os.cpu_count() or 1, len(tasks)))) as coming:
        for result in coming:
            tell(result)
            results.append(result)
    order = {task.call.call: place for place, task in enumerate(tasks)}
    return report(sorted(results, key=lambda one: order[one.call]))


def _results(tasks: Sequence[Task], workers: int) -> Generator[Result]:
    if workers <= 1:
        yield from map(run, tasks)
        return
    # spawn: a fork would copy the state of the parent's threads (onnxruntime, rich) without the threads
    with ProcessPoolExecutor(workers, get_context("spawn"), _be_a_good_child) as pool:
        try:
            for future in as_completed([pool.submit(run, task) for task in tasks]):
                yield future.result()
        except BaseException:  # most likely Ctrl-C: the remaining calls are cancelled
            for worker in active_children():
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            raise


def _be_a_good_child() -> None:
    """Sets up a worker: it ignores Ctrl-C, which the parent handles, and ends if the parent is gone.

    A terminal sends Ctrl-C to every process of the group. A parent that was killed cannot end its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def report(results: Sequence[Result]) -> Report:
    """Sums up the results: the figures of all calls, and the differences between two sets of rules."""
    good = [one for one in results if one.failed is None]
    hours = sum(one.seconds for one in good) / 3600.0
    sets = range(len(good[0].outcomes)) if good else range(0)
    by_set = [[one.outcomes[place] for one in good] for place in sets]
    names = sorted({name for outcomes in by_set for outcome in outcomes for name in _named(outcome)})
    changed = {one.call: changes(*one.outcomes) for one in good if len(one.outcomes) == 2}
    return Report(
        calls=len(good),
        hours=round(hours, 4),
        rules={name: tuple(figures(outcomes, hours, name) for outcomes in by_set) for name in names},
        total=tuple(figures(outcomes, hours) for outcomes in by_set),
        changed={call: found for call, found in changed.items() if found},
        failed={one.call: one.failed for one in results if one.failed is not None},
    )


def _named(outcome: Outcome) -> set[str]:
    return {one.rule for one in outcome.raised} | set(outcome.missed) | set(outcome.found)


def changes(new: Outcome, old: Outcome) -> tuple[AlertDifference, ...]:
    """The alerts that differ between the two sets of rules, by time."""
    left = list(old.raised)
    found: list[AlertDifference] = []
    for one in new.raised:
        same = [other for other in left if other.rule == one.rule and abs(other.at - one.at) <= MOVED]
        if same:
            left.remove(same[0])
            if same[0].level != one.level:
                found.append(AlertDifference(rule=one.rule, new=one, old=same[0]))
        else:
            found.append(AlertDifference(rule=one.rule, new=one))
    found += [AlertDifference(rule=one.rule, old=one) for one in left]
    return tuple(sorted(found, key=_when))


def _when(change: AlertDifference) -> tuple[float, str]:
    raised = change.new or change.old
    return (raised.at if raised else 0.0, change.rule)
