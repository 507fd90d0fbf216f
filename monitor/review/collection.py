"""Finds the recorded calls in a folder: audio with its ground truth, journals, call scripts."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from monitor.errors import BadInput
from monitor.review.callscript import SUFFIXES as SCRIPTS
from monitor.review.callscript import is_script, read_script
from monitor.review.truth import Truth, load_truth, recordings, truth_beside
from monitor.sources.journal import SUFFIXES as JOURNALS

SOUND = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".au", ".aiff", ".mp4"})


class WantedCalls(msgspec.Struct, frozen=True):
    """An alert that must open between ``begin`` and ``end``; with ``may``, one that need not.

    ``words`` and ``wordless`` as in ``ExpectedAlert``: expected only with, or only without, a recogniser.
    """

    rule: str
    begin: float
    end: float
    may: bool = False
    words: bool = False
    wordless: bool = False


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One call on disk, and what is known about it.

    ``wanted`` is null without ground truth about alerts. ``whole``: every other alert of a rule that needs
    words is a false one; otherwise only other alerts of level warn and above are.
    """

    call: str
    kind: str
    paths: tuple[str, ...]
    agent_channel: int = 1
    wanted: tuple[WantedCalls, ...] | None = None
    allowed: tuple[str, ...] = ()
    whole: bool = False


def calls_in(folder: Path) -> list[Recorded]:
    """All calls below ``folder``, by name.

    Raises:
        BadInput: There are none.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give the folder that holds the recorded calls.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise BadInput(f"The folder {folder} cannot be read; check who may read it.")
    found = sorted(_calls(folder), key=lambda call: (call.call, call.paths))
    names = Counter(call.call for call in found)
    found = [call if names[call.call] == 1 else _by_path(call, folder) for call in found]
    if not found:
        raise BadInput(
            f"There are no calls below {folder}: no sound, no journal (.jsonl) and no script (.yaml)."
        )
    return found


def _by_path(call: Recorded, folder: Path) -> Recorded:
    """The call named after its file, because another call has the same name."""
    return msgspec.structs.replace(call, call=Path(call.paths[0]).relative_to(folder).as_posix())


def _calls(folder: Path) -> Iterator[Recorded]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    claimed: set[Path] = set()
    for path in paths:
        truth = _truth(path)
        if truth is not None:
            sound = recordings(truth, path)
            if all(one.exists() for one in sound):
                claimed |= set(sound)
                yield _from_truth(truth, sound)
    for path in paths:
        if path.suffix.lower() in SCRIPTS:
            if is_script(path):
                yield _from_script(path)
        elif path.suffix.lower() in JOURNALS:
            yield Recorded(call=path.stem, kind="journal", paths=(str(path),))
        elif path.suffix.lower() in SOUND and path not in claimed:
            yield from _bare(path, claimed)


def _truth(path: Path) -> Truth | None:
    if path.suffix.lower() != ".json":
        return None
    try:
        return load_truth(path)
    except BadInput:
        return None  # some other JSON file


def _from_truth(truth: Truth, sound: list[Path]) -> Recorded:
    wanted = tuple(
        WantedCalls(one.rule, one.from_, one.to, one.may, one.words, one.wordless)
        for one in truth.expected_alerts
    )
    return Recorded(
        call=truth.call, kind="sound", paths=tuple(map(str, sound)), agent_channel=truth.agent_channel,
        wanted=wanted, allowed=truth.allowed_alerts,
    )  # fmt: skip


def _from_script(path: Path) -> Recorded:
    script = read_script(path)
    wanted = tuple(WantedCalls(one.rule, one.from_, one.to) for one in script.alerts)
    return Recorded(
        call=script.call, kind="script", paths=(str(path),), wanted=wanted, allowed=tuple(script.allowed),
        whole=True,
    )  # fmt: skip


def _bare(path: Path, claimed: set[Path]) -> Iterator[Recorded]:
    """Audio without ground truth: one stereo file, or the caller's and the agent's mono files."""
    if ".caller" in path.name:
        agent = path.with_name(path.name.replace(".caller", ".agent"))
        if agent.exists():
            claimed.add(agent)
            yield Recorded(call=truth_beside(path).stem, kind="sound", paths=(str(path), str(agent)))
            return
    if ".agent" in path.name and path.with_name(path.name.replace(".agent", ".caller")).exists():
        return  # handled with the caller's file
    yield Recorded(call=path.stem, kind="sound", paths=(str(path),))
