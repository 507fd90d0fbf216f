"""What a training run is to do, how far it is, and how fast it learns there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Rate and number of steps of the classifiers on their own, after a start from a converted folder.
HEADS_RATE = 3e-3
HEADS_FIRST = 250


@dataclass(frozen=True)
class Plan:
    """Where to train, how long and how fast."""

    shards: Path
    tokenizer: Path
    output: Path
    presentations: int = 400_000
    #: Optional: anneal to the end by this time (seconds since the epoch) instead.
    deadline: float | None = None
    rate: float = 1e-3
    warm_up: int = 200
    #: Steps in which only the classifiers learn, as after a start from a converted folder.
    heads_first: int = 0
    #: From this share of the run on, the learning rate falls linearly to 0.
    decay_from: float = 0.35
    #: Of each process.
    max_frames: int = 2600
    #: Steps that the processes take on their own before their weights are averaged.
    meet_every: int = 16
    #: One process with one thread per core beats one process with several threads.
    processes: int = 2
    seed: int = 1
    save_every: float = 120.0
    log_every: int = 100


@dataclass
class Progress:
    """What a run has done so far."""

    steps: int = 0
    presentations: int = 0
    #: Seconds spent training, pauses left out.
    seconds: float = 0.0


def share_done(plan: Plan, progress: Progress, now: float) -> float:
    """0 at the start, 1 at the end of the run; pauses do not count as work done."""
    if plan.deadline is None:
        return min(1.0, progress.presentations / plan.presentations)
    left = max(0.0, plan.deadline - now)
    return progress.seconds / (progress.seconds + left) if left else 1.0


def learning_rate(plan: Plan, progress: Progress, done: float) -> float:
    """Warm-up, plateau, then linearly down to 0."""
    if progress.steps < plan.heads_first:
        return HEADS_RATE
    warm = min(1.0, (progress.steps - plan.heads_first + 1) / plan.warm_up)
    falling = 1.0 if done < plan.decay_from else (1 - done) / (1 - plan.decay_from)
    return plan.rate * warm * falling
