"""Command line: `python -m models.training --help`."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

BUNDLED = Path(__file__).resolve().parent.parent / "demo-en-synthetic"
RECORDINGS = BUNDLED.parent.parent / "fixtures" / "audio"
EXAMPLES = """examples:
  python -m models.training all --work build/asr                 everything, from nothing to the folder
  python -m models.training sentences --seed 1 --count 20        look at the sentences
  python -m models.training shards --work build/asr --count 14   speak 14 x 2,000 utterances
  python -m models.training train --work build/asr               train, or continue
  python -m models.training train --work build/asr --until 18:30 the same, annealed by that time
  python -m models.training convert --work build/asr --to build/asr/model
  python -m models.training evaluate --work build/asr --model models/demo-en-synthetic
  python -m models.training calls --work build/asr --count 12     unseen calls for benchmarks/streaming.py
"""


def sentences(options: argparse.Namespace) -> None:
    """Print utterances of the grammar."""
    from . import grammar

    for text in grammar.sentences(options.seed, options.count):
        print(text)


def tokenizer(options: argparse.Namespace) -> None:
    """Learn the tokenizer, unless there is one already."""
    from . import grammar, tokens

    target = options.work / "tokenizer.json"
    if not target.exists():
        tokens.train(grammar.sentences(0, 40_000), target)


def shards(options: argparse.Namespace) -> None:
    """Speak the shards that are missing."""
    from . import grammar
    from . import shards as store

    for number in range(options.count):
        target = options.work / "shards" / f"train{number:03d}"
        if target.with_suffix(".jsonl").exists():
            continue
        texts = grammar.sentences(number, options.size)
        kept = store.write(store.synthesise(texts, number), target)
        print(f"{target.name}: {kept} utterances", flush=True)


def _deadline(clock: str | None) -> float | None:
    """The next time that the clock shows HH:MM."""
    if clock is None:
        return None
    hour, minute = map(int, clock.split(":"))
    now = time.localtime()
    today = time.mktime((*now[:3], hour, minute, 0, 0, 0, -1))
    return today if today > time.time() else today + 86_400


def train(options: argparse.Namespace) -> None:
    """Train, or continue from the checkpoint in the work folder."""
    from . import schedule, trainer

    from_folder = options.start is not None and options.start.is_dir()
    if from_folder and not (options.work / "tokenizer.json").exists():
        options.work.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(options.start / "tokenizer.json", options.work / "tokenizer.json")
    plan = schedule.Plan(
        options.work / "shards",
        options.tokenizer or options.work / "tokenizer.json",
        options.work / "model.pt",
        presentations=options.presentations,
        deadline=_deadline(options.until),
        rate=options.rate,
        decay_from=options.decay_from,
        heads_first=schedule.HEADS_FIRST if from_folder else 0,
        processes=options.processes,
    )
    trainer.train(plan, options.start)


def convert(options: argparse.Namespace) -> None:
    """Convert the checkpoint."""
    from .convert import convert as converted

    converted(options.work / "model.pt", options.tokenizer or options.work / "tokenizer.json", options.to)


def evaluate(options: argparse.Namespace) -> None:
    """Measure word error rates."""
    from . import evaluate as evaluation

    rows = evaluation.report(options.model, options.work / "shards", options.clips)
    recorded = evaluation.recorded_clips(RECORDINGS)
    result = {
        "rows": rows,
        "recordings": evaluation.measure(evaluation.ShortWindows(options.model), recorded).summary(),
        "nothing": evaluation.false_words(options.model),
    }
    (options.work / "evaluation.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps({name: result[name] for name in ("recordings", "nothing")}))


def calls(options: argparse.Namespace) -> None:
    """Write made-up calls of seen and unseen voices, clean and over the telephone."""
    from . import calls as made
    from . import evaluate as evaluation

    banned = evaluation.training_texts(options.work / "shards")
    for held in (False, True):
        for phone in (False, True):
            for number in range(options.count):
                print(made.write(options.work / "calls", number, held, phone, banned), flush=True)


def everything(options: argparse.Namespace) -> None:
    """All steps one after the other; each continues what it finds."""
    for step in (tokenizer, shards, train, convert, evaluate):
        print(f"== {step.__name__}", flush=True)
        step(options)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "all": everything,
    "sentences": sentences,
    "tokenizer": tokenizer,
    "shards": shards,
    "train": train,
    "convert": convert,
    "evaluate": evaluate,
    "calls": calls,
}


def parser() -> argparse.ArgumentParser:
    """One parser: the steps share their options."""
    result = argparse.ArgumentParser(
        prog="python -m models.training",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("command", choices=COMMANDS, help="the step to run; `all` runs every one")
    add = result.add_argument
    add("--work", type=Path, default=Path("build/asr"), help="folder for data and checkpoints")
    add("--seed", type=int, default=0, help="of the sentences printed")
    add("--count", type=int, default=14, help="shards to speak, or sentences to print")
    add("--size", type=int, default=2000, help="utterances per shard")
    add("--presentations", type=int, default=250_000, help="clips to train on, repeats counted")
    add("--until", metavar="HH:MM", help="anneal to the end by this time instead")
    add("--rate", type=float, default=1e-3, help="peak learning rate")
    add("--processes", type=int, default=2, help="training processes, one core each")
    add("--decay-from", type=float, default=0.35, help="share of the run after which the rate falls")
    add("--start", type=Path, help="checkpoint or converted folder whose weights a new run begins with")
    add("--tokenizer", type=Path, help="use this tokenizer instead of the work folder's")
    add("--to", type=Path, default=BUNDLED, help="model folder to write")
    add("--model", type=Path, default=BUNDLED, help="model folder to measure")
    add("--clips", type=int, default=150, help="test clips per set")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    options = parser().parse_args(arguments)
    COMMANDS[options.command](options)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
