"""Which recogniser a call gets: by name, by path, bundled, the script of the recording, or none.

Models are looked for on this machine first: ``MONITOR_MODELS``, then the caches of the Hugging Face hub.
Only a model that was asked for by name is ever fetched. The bundled model was trained on synthetic
speech alone and invents fluent sentences on real voices, so it is used by itself only on the project's
own recordings (known by the checksums beside them).
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from monitor.errors import BadInput
from monitor.resources import resource
from monitor.speech.recogniser import Recogniser

BUNDLED = "demo-en-synthetic"
BUNDLED_NOTICE = (
    "The bundled model knows only the project's synthetic voices; "
    "on real voices it invents sentences, so do not trust these words."
)
NO_WORDS_NOTICE = (
    "Words are off: the bundled model is for the project's own recordings only, and no other is on this "
    "machine; `monitor models get base.en` fetches one, --model bundled uses it all the same."
)
OWN_SUMS = "fixtures/audio/SHA256SUMS"

NAMES = {
    **{
        size: f"Systran/faster-whisper-{size}"
        for size in ("tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium",
                     "large-v1", "large-v2", "large-v3")
    },
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
}  # fmt: skip
"""The models that can be named, and where the hub keeps them."""

PREFERRED = ("base.en", "small.en", "distil-small.en", "tiny.en", "base", "small")
"""What is taken, if it is here, when nothing was asked for: what a desk machine can decode in time."""

NEEDED = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Choice:
    """A recogniser before it is loaded: ``recogniser()`` loads it. ``notice`` is for status and screen."""

    name: str
    recogniser: Callable[[], Recogniser | None]
    notice: str | None = None


def choose(model: str | None, recordings: Sequence[Path] = ()) -> Choice:
    """What ``--model`` asks for; without it, what fits ``recordings`` (none of them: a live call).

    Raises ``BadInput`` when the model is unknown, broken, or cannot be had.
    """
    if model is None:
        return _by_itself(recordings)
    if model == "none":
        return Choice("none", lambda: None)
    if model == "bundled":
        return _bundled(None if are_own(recordings) else BUNDLED_NOTICE)
    if model == "script" or model.startswith("script:"):
        return _script(model.removeprefix("script").removeprefix(":"), recordings)
    if is_model(Path(model)):
        return _whisper(Path(model), Path(model).resolve().name)
    if model in NAMES:
        return _whisper(find(model) or fetch(model), model)
    raise BadInput(_unknown(model))


def find(name: str) -> Path | None:
    """The folder of the model ``name`` on this machine."""
    return next((folder for folder in _places(name) if is_model(folder)), None)


def is_model(folder: Path) -> bool:
    """Whether ``folder`` holds a converted Whisper model, whole."""
    return all((folder / file).is_file() for file in NEEDED)


def bundled_folder() -> Path:
    """Where the model lies that travels with the monitor."""
    return resource(f"models/{BUNDLED}")


def are_own(recordings: Sequence[Path]) -> bool:
    """Whether all of ``recordings`` are the project's own, by their content."""
    if not recordings:
        return False
    sums = _own_sums()
    return all(_sha256(path) in sums for path in recordings)


def fetch(name: str) -> Path:
    """Fetches the model ``name`` from the hub; a progress bar shows on a terminal.

    Raises ``BadInput`` in one sentence when that cannot be done.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise BadInput(
            f"The model {name} is not on this machine, and HF_HUB_OFFLINE forbids fetching it; {_BY_HAND}"
        )
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if not os.isatty(2):
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    import huggingface_hub

    try:
        patterns = [*NEEDED, "preprocessor_config.json", "vocabulary.*"]
        folder = Path(huggingface_hub.snapshot_download(NAMES[name], allow_patterns=patterns, etag_timeout=5))
    except Exception:  # noqa: BLE001 - the hub's client raises its own, requests', httpx's and OSError
        raise BadInput(
            f"The model {name} is not on this machine, and the hub cannot be reached; {_BY_HAND}"
        ) from None
    if not is_model(folder):
        raise BadInput(f"What the hub sent for {name} into {folder} is not a whole model; fetch it again.")
    return folder


_BY_HAND = (
    "copy its folder here and say --model PATH (or set MONITOR_MODELS to the folder that holds it), "
    "or say --model none."
)


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
    from monitor.speech.whisper import Whisper

    return Whisper(folder, name)


def _script(path: str, recordings: Sequence[Path]) -> Choice:
    from monitor.speech.script import NAME, ScriptRecogniser, script_beside

    if not path and not recordings:
        raise BadInput("--model script reads the JSON beside a recording; a live call has none.")
    reader = ScriptRecogniser(Path(path) if path else script_beside(recordings[0]))
    return Choice(NAME, lambda: reader, "The words come from the recording's script, not from a recogniser.")


def _places(name: str) -> Iterator[Path]:
    repository = NAMES[name]
    if own := os.environ.get("MONITOR_MODELS"):
        yield Path(own) / name
        yield Path(own) / repository.rpartition("/")[2]
    for cache in hub_caches():
        snapshots = cache / f"models--{repository.replace('/', '--')}" / "snapshots"
        if snapshots.is_dir():
            yield from sorted(snapshots.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)


def hub_caches() -> list[Path]:
    """Where the hub's client keeps what it fetched, the most particular setting first."""
    env = os.environ
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    settings = [env.get("HF_HUB_CACHE"), env.get("HUGGINGFACE_HUB_CACHE")]
    if home := env.get("HF_HOME"):
        settings.append(str(Path(home) / "hub"))
    folders = [Path(setting).expanduser() for setting in settings if setting]
    return list(
        dict.fromkeys([*folders, cache / "huggingface" / "hub", Path.home() / ".cache/huggingface/hub"])
    )


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


def _unknown(model: str) -> str:
    if Path(model).is_dir():
        missing = next(file for file in NEEDED if not (Path(model) / file).is_file())
        return f"The folder {model} holds no converted Whisper model: {missing} is missing."
    near = get_close_matches(model, [*NAMES, "bundled", "script", "none"], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"--model {model} is neither a known model nor a model's folder{meant}; `monitor models` lists them."
    )
