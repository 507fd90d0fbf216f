"""Which recogniser a call gets: by name, by path, bundled, the script of the recording, or none.

Models are looked for on this machine first: ``MONITOR_MODELS``, then the caches of the Hugging Face hub.
Only a model that was asked for by name is ever fetched. The bundled model was trained on synthetic
speech alone and invents fluent sentences on real voices, so it is used by itself only on the project's
own recordings (known by the checksums beside them).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from monitor.errors import BadInput
from monitor.resources import resource
from monitor.speech.apart import apart
from monitor.speech.recogniser import Recogniser
from monitor.speech.store import BUNDLED, NAMES, NEEDED, bundled_folder, fetch, find, is_model

BUNDLED_NOTICE = (
    "The bundled model knows only the project's synthetic voices; "
    "on real voices it invents sentences, so do not trust these words."
)
NO_WORDS_NOTICE = (
    "Words are off: the bundled model is for the project's own recordings only, and no other is on this "
    "machine; `monitor models get base.en` fetches one, --model bundled uses it all the same."
)
OWN_SUMS = "fixtures/audio/SHA256SUMS"

PREFERRED = ("base.en", "small.en", "distil-small.en", "tiny.en", "base", "small")
"""What is taken, if it is here, when nothing was asked for: what a desk machine can decode in time."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A recogniser before it is loaded: ``recogniser()`` loads it. ``notice`` is for status and screen."""

    name: str
    recogniser: Callable[[], Recogniser | None]
    notice: str | None = None


def choose(model: str | None, recordings: Sequence[Path] = (), agent_channel: int | None = None) -> Choice:
    """What ``--model`` asks for; without it, what fits ``recordings`` (none of them: a live call).

    ``agent_channel`` is the channel of ``recordings`` that is heard as the agent's, where that is known.
    Raises ``BadInput`` when the model is unknown, broken, or cannot be had.
    """
    if model is None:
        return _by_itself(recordings)
    if model == "none":
        return Choice("none", lambda: None)
    if model in ("bundled", BUNDLED):
        return _bundled(None if are_own(recordings) else BUNDLED_NOTICE)
    if model == "script" or model.startswith("script:"):
        return _script(model.removeprefix("script").removeprefix(":"), recordings, agent_channel)
    if is_model(Path(model)):
        return _whisper(Path(model), Path(model).resolve().name)
    if model in NAMES:
        return _whisper(find(model) or fetch(model), model)
    raise BadInput(unknown(model))


def unknown(model: str) -> str:
    """The sentence for a model that is neither known nor a folder."""
    if Path(model).is_dir():
        missing = next(file for file in NEEDED if not (Path(model) / file).is_file())
        return f"The folder {model} holds no converted Whisper model: {missing} is missing."
    near = get_close_matches(model, [*NAMES, "bundled", "script", "none"], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{model} is neither a known model nor a model's folder{meant}; `monitor models` lists them."


def are_own(recordings: Sequence[Path]) -> bool:
    """Whether all of ``recordings`` are the project's own, by their content."""
    if not recordings:
        return False
    sums = _own_sums()
    return all(_sha256(path) in sums for path in recordings)


def _by_itself(recordings: Sequence[Path]) -> Choice:
    if are_own(recordings) and is_model(bundled_folder()):
        return _bundled(None)
    for name in PREFERRED:
        if folder := find(name):
            return _whisper(folder, name)
    return Choice("none", lambda: None, NO_WORDS_NOTICE)


def _bundled(notice: str | None) -> Choice:
    folder = bundled_folder()
    if not is_model(folder):
        raise BadInput(
            f"The bundled model is missing from {folder}; install the monitor again, or say --model none."
        )
    return Choice(BUNDLED, partial(_load, folder, BUNDLED), notice)


def _whisper(folder: Path, name: str) -> Choice:
    return Choice(name, partial(_load, folder, name))


def _load(folder: Path, name: str) -> Recogniser:
    """The model, warmed up; Ctrl-C is heard while it is read from the disk."""
    from monitor.speech.whisper import Whisper

    def load() -> Whisper:
        whisper = Whisper(folder, name)
        whisper.warm_up()
        return whisper

    return apart(load)


def _script(path: str, recordings: Sequence[Path], agent_channel: int | None) -> Choice:
    from monitor.speech.script import NAME, ScriptRecogniser, script_beside

    if not path and not recordings:
        raise BadInput("--model script reads the JSON beside a recording; a live call has none.")
    reader = ScriptRecogniser(Path(path) if path else script_beside(recordings[0]), agent_channel)
    return Choice(NAME, lambda: reader, "The words come from the recording's script, not from a recogniser.")


def _own_sums() -> frozenset[str]:
    try:
        lines = resource(OWN_SUMS).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.split()[0] for line in lines if line.strip())


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # the source says what is wrong with the file
