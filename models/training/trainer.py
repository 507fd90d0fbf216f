"""The training loop: on several processes, resumable, indifferent to being paused."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from . import batches, losses, restore
from .network import Shape, Whisper
from .phones import INVENTORY
from .schedule import Plan, Progress, learning_rate, share_done
from .tokens import Vocabulary

#: A step that seems to take longer than this was a pause of the process.
LONGEST_STEP = 10.0
#: The classifiers, which only training needs.
HEADS = ("frame_tokens.", "encoder.phones.")


def _produce(queue: Any, plan: Plan, seed: int) -> None:
    """Body of the process that prepares batches."""
    torch.set_num_threads(1)
    vocabulary = Vocabulary(plan.tokenizer)
    for batch in batches.stream(plan.shards, vocabulary, seed, plan.max_frames):
        queue.put(batch)


def _prefetched(plan: Plan, seed: int) -> Iterator[batches.Batch]:
    """Batches prepared by another process, a few ahead."""
    context = mp.get_context("spawn")
    queue = context.Queue(maxsize=12)
    worker = context.Process(target=_produce, args=(queue, plan, seed), daemon=True)
    worker.start()
    try:
        while True:
            yield queue.get(timeout=900)
    finally:
        worker.terminate()


class Trainer:
    """A model, its optimiser and the progress, all in one checkpoint."""

    def __init__(self, plan: Plan, rank: int = 0) -> None:
        self.plan, self.rank, self.weights = plan, rank, losses.Weights()
        torch.set_num_threads(1)
        torch.manual_seed(plan.seed)
        vocabulary = Vocabulary(plan.tokenizer)
        shape = Shape(len(vocabulary.tokens), frame_tokens=vocabulary.end + 1, frame_phones=len(INVENTORY))
        self.model, self.progress = Whisper(shape), Progress()
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}],
            lr=plan.rate,
            betas=(0.9, 0.98),
            fused=True,
        )

    def load(self, path: Path) -> None:
        """Continue a run."""
        saved = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.progress = Progress(**saved["progress"])

    def begin(self, start: Path) -> None:
        """Begin a new run with the weights of a checkpoint or of a converted folder."""
        if start.is_dir():
            restore.restore(self.model, start)
        else:
            saved = torch.load(start, map_location="cpu", weights_only=True)
            self.model.load_state_dict(saved["model"])

    def save(self) -> None:
        """Write the checkpoint in one move, so that a reader never sees half of it."""
        partial = self.plan.output.with_suffix(".part")
        torch.save(
            {
                "shape": self.model.shape.as_dict(),
                "model": self.model.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "progress": vars(self.progress),
            },
            partial,
        )
        partial.replace(self.plan.output)

    def step(self, batch: batches.Batch, rate: float) -> list[float]:
        """One update; returns the parts of the loss."""
        heads_only = self.progress.steps < self.plan.heads_first
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.startswith(HEADS) or not heads_only)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        parts = losses.compute(self.model, batch)
        self.optimiser.zero_grad()
        parts.total(self.weights).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return parts.values()

    def _meet(self, done: float, count: int) -> tuple[float, int]:
        """Average the weights over the processes; all take the first one's share done.

        Between two meetings each process trains on its own: on a busy machine, waiting for each
        other at every step would cost more than it gains.
        """
        processes = self.plan.processes
        if processes == 1:
            return done, count
        values = torch.tensor([done if self.rank == 0 else 0.0, count], dtype=torch.float64)
        distributed.all_reduce(values)
        weights = [p.detach() for p in self.model.parameters()]
        flat = torch.cat([w.flatten() for w in weights])
        distributed.all_reduce(flat)
        flat /= processes
        for weight, average in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
            weight.copy_(average.view_as(weight))
        return float(values[0]), int(values[1])

    def run(self) -> Progress:
        """Train to the end of the plan."""
        plan, progress = self.plan, self.progress
        log = _Log(plan.output.with_suffix(".log.jsonl"), plan.log_every)
        saved = before = time.monotonic()
        count, done = 0, 0.0
        for batch in _prefetched(plan, 1000 * (plan.seed + progress.presentations) + self.rank):
            done = share_done(plan, progress, time.time())
            rate = learning_rate(plan, progress, done)
            values = self.step(batch, rate)
            now = time.monotonic()
            progress.seconds += min(LONGEST_STEP, now - before)
            before = now
            progress.steps += 1
            count += len(batch)
            if self.rank == 0:
                log.add(values, progress, rate)
            if progress.steps % plan.meet_every:
                continue
            done, together = self._meet(done, count)
            progress.presentations, count = progress.presentations + together, 0
            if done >= 1.0:
                break
            if self.rank == 0 and now - saved > plan.save_every:
                self.save()
                saved = now
        if self.rank == 0:
            self.save()
        return progress


class _Log:
    """Averages of the loss, one JSON line every so many steps."""

    def __init__(self, path: Path, every: int) -> None:
        self._path, self._every = path, every
        self._rows: list[list[float]] = []

    def add(self, values: list[float], progress: Progress, rate: float) -> None:
        """Collect one step."""
        self._rows.append(values)
        if len(self._rows) < self._every:
            return
        means = [round(sum(column) / len(column), 4) for column in zip(*self._rows, strict=True)]
        names = ("tokens", "attention", "frame_tokens", "phones")
        line = {
            **vars(progress),
            "rate": round(rate, 7),
            "cpu": round(time.process_time()),
            **dict(zip(names, means, strict=True)),
        }
        line["seconds"] = round(progress.seconds, 1)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._rows = []


def _work(rank: int, plan: Plan, start: Path | None) -> None:
    """Body of one training process."""
    if plan.processes > 1:
        rendezvous = plan.output.with_suffix(".rendezvous").absolute()
        distributed.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=plan.processes
        )
    trainer = Trainer(plan, rank)
    if plan.output.exists():
        trainer.load(plan.output)
    elif start is not None:
        trainer.begin(start)
    trainer.run()


def train(plan: Plan, start: Path | None = None) -> None:
    """Train, or continue when the output exists; this process is the first of them.

    Its id is written beside the checkpoint (`.pid`): stopping and continuing it pauses the
    whole training, since the others wait for it at their next step.
    """
    plan.output.parent.mkdir(parents=True, exist_ok=True)
    plan.output.with_suffix(".rendezvous").unlink(missing_ok=True)
    plan.output.with_suffix(".pid").write_text(f"{os.getpid()}\n", encoding="utf-8")
    context = mp.get_context("spawn")
    others = [context.Process(target=_work, args=(rank, plan, start)) for rank in range(1, plan.processes)]
    for process in others:
        process.start()
    _work(0, plan, start)
    for process in others:
        process.join()
