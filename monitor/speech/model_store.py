"""Models: where they are stored, and which recogniser a call gets.

A model is looked for on this machine first: in the folder that ``MONITOR_MODELS`` names (for sites without a
network), then in the caches of the Hugging Face client. Only a model that was asked for by name is
downloaded, and ``fetch`` is the only function here that uses the network.

A call can use a model by name or folder, the bundled model, the script of a recording (``--model script``),
or none. The bundled model was trained on synthetic speech only and hallucinates fluent sentences on real
voices, so it is chosen by default only for the project's own recordings (identified by checksums).
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from monitor.errors import BadInput
from monitor.resources import resource
from monitor.speech.native_thread import run_in_native_thread
from monitor.speech.recogniser import Recogniser

BUNDLED = "demo-en-synthetic"
"""The name of the bundled model."""

REPOSITORIES = {
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
"""The models that can be named, and their repositories on the Hugging Face hub."""

DOWNLOADED_FILES = ("model.bin", "config.json", "tokenizer.json", "preprocessor_config.json", "vocabulary.*")
"""The files that are downloaded of a model."""

HUB_TIMEOUT = 5.0
"""Seconds within which the hub must answer."""

REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")
"""The files that make a folder a converted Whisper model."""

_BY_HAND = (
    "copy its folder here and say --model PATH (or set MONITOR_MODELS to the folder that holds it), "
    "or say --model none."
)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One line of ``monitor models``: a model that can be named, and its folder if it is on this machine."""

    name: str
    folder: str | None
    megabytes: int = 0
    remark: str = ""


def list_models() -> list[StoredModel]:
    """Every model that can be named."""
    bundled = bundled_folder()
    models = [
        _listed("bundled", bundled if is_model(bundled) else None, f"{BUNDLED}, for bundled recordings only")
    ]
    return models + [_listed(name, find(name)) for name in REPOSITORIES]


def _listed(name: str, folder: Path | None, remark: str = "") -> StoredModel:
    if folder is None:
        return StoredModel(name, None, remark=remark)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return StoredModel(name, str(folder), max(1, round(size / 1e6)), remark)


def find(name: str) -> Path | None:
    """The folder of the model ``name`` on this machine, or None."""
    return next((folder for folder in _places(name) if is_model(folder)), None)


def is_model(folder: Path) -> bool:
    """Whether ``folder`` holds a complete converted Whisper model."""
    return all((folder / file).is_file() for file in REQUIRED_FILES)


def bundled_folder() -> Path:
    """The folder of the bundled model."""
    return resource(f"models/{BUNDLED}")


def fetch(name: str) -> Path:
    """Downloads the model ``name``, with a progress bar on a terminal, and returns its folder.

    After an interruption, the next attempt continues where it stopped. Raises ``BadInput`` when the model
    cannot be downloaded.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise BadInput(
            f"The model {name} is not on this machine, and HF_HUB_OFFLINE forbids downloading it; {_BY_HAND}"
        )
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if not os.isatty(2):
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    try:
        folder = run_in_native_thread(lambda: _fetched(REPOSITORIES[name]))
    except Exception as wrong:  # noqa: BLE001 - the hub's client raises its own, httpx's and OSError
        raise BadInput(
            f"The model {name} is not on this machine and cannot be downloaded ({_reason(wrong)}); {_BY_HAND}"
        ) from None
    if not is_model(folder):
        raise BadInput(f"What the hub sent for {name} into {folder} is not a whole model; fetch it again.")
    return folder


def _fetched(repository: str) -> Path:
    """Downloads one file after the other, so that only this thread has to be waited for."""
    import huggingface_hub

    asked = huggingface_hub.HfApi().model_info(repository, timeout=HUB_TIMEOUT)
    files = [file.rfilename for file in asked.siblings or () if _wanted(file.rfilename)]
    paths = [
        Path(huggingface_hub.hf_hub_download(repository, file, revision=asked.sha, etag_timeout=HUB_TIMEOUT))
        for file in files
    ]
    return paths[0].parent if paths else Path(repository)


def _wanted(file: str) -> bool:
    return any(fnmatch(file, pattern) for pattern in DOWNLOADED_FILES)


def _reason(wrong: Exception) -> str:
    """The cause in a few words; the client's own messages have several lines."""
    if isinstance(wrong, OSError) and wrong.strerror:
        return wrong.strerror
    kinds = {kind.__name__ for kind in type(wrong).__mro__}
    unreachable = any("Connect" in kind or "Timeout" in kind for kind in kinds)
    return "the hub does not answer" if unreachable else type(wrong).__name__


def _places(name: str) -> Iterator[Path]:
    repository = REPOSITORIES[name]
    if own := os.environ.get("MONITOR_MODELS"):
        yield Path(own) / name
        yield Path(own) / repository.rpartition("/")[2]
    for cache in hub_caches():
        snapshots = cache / f"models--{repository.replace('/', '--')}" / "snapshots"
        if snapshots.is_dir():
            yield from sorted(snapshots.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)


def hub_caches() -> list[Path]:
    """The cache folders of the Hugging Face client, the most specific setting first."""
    env = os.environ
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    settings = [env.get("HF_HUB_CACHE"), env.get("HUGGINGFACE_HUB_CACHE")]
    if home := env.get("HF_HOME"):
        settings.append(str(Path(home) / "hub"))
    folders = [Path(setting).expanduser() for setting in settings if setting]
    return list(
        dict.fromkeys([*folders, cache / "huggingface" / "hub", Path.home() / ".cache/huggingface/hub"])
    )


BUNDLED_NOTICE = (
    "The bundled model was trained on the project's synthetic voices only; "
    "on real voices it hallucinates, so do not trust these words."
)
NO_WORDS_NOTICE = (
    "Speech recognition is off: the bundled model is for the project's own recordings only, and no other "
    "model is installed; `monitor models get base.en` downloads one, --model bundled uses it anyway."
)
BUNDLED_CHECKSUMS = "fixtures/audio/SHA256SUMS"

PREFERRED = ("base.en", "small.en", "distil-small.en", "tiny.en", "base", "small")
"""Models that are taken by default if they are on this machine: what a desktop machine can decode in time."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A recogniser before it is loaded: ``recogniser()`` loads it. ``notice`` is shown to the user."""

    name: str
    recogniser: Callable[[], Recogniser | None]
    notice: str | None = None


def choose(
    model: str | None, recordings: Sequence[Path] = (), agent_channel: int | None = None
) -> ModelChoice:
    """The recogniser that ``--model`` names; without it, the one that fits ``recordings`` (none: a live
    call).

    ``agent_channel`` is the channel of ``recordings`` that is taken as the agent's, where that is known.
    Raises ``BadInput`` when the model is unknown, damaged, or cannot be downloaded.
    """
    if model is None:
        return _by_itself(recordings)
    if model == "none":
        return ModelChoice("none", lambda: None)
    if model in ("bundled", BUNDLED):
        return _bundled(None if are_bundled_recordings(recordings) else BUNDLED_NOTICE)
    if model == "script" or model.startswith("script:"):
        return _script(model.removeprefix("script").removeprefix(":"), recordings, agent_channel)
    if is_model(Path(model)):
        return _whisper(Path(model), Path(model).resolve().name)
    if model in REPOSITORIES:
        return _whisper(find(model) or fetch(model), model)
    raise BadInput(unknown_model(model))


def unknown_model(model: str) -> str:
    """The error message for a model that is neither a known name nor a folder."""
    if Path(model).is_dir():
        missing = next(file for file in REQUIRED_FILES if not (Path(model) / file).is_file())
        return f"The folder {model} holds no converted Whisper model: {missing} is missing."
    near = get_close_matches(model, [*REPOSITORIES, "bundled", "script", "none"], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{model} is neither a known model nor a model's folder{meant}; `monitor models` lists them."


def are_bundled_recordings(recordings: Sequence[Path]) -> bool:
    """Whether all of ``recordings`` are the project's own, by their content."""
    if not recordings:
        return False
    sums = _own_sums()
    return all(_sha256(path) in sums for path in recordings)


def _by_itself(recordings: Sequence[Path]) -> ModelChoice:
    if are_bundled_recordings(recordings) and is_model(bundled_folder()):
        return _bundled(None)
    for name in PREFERRED:
        if folder := find(name):
            return _whisper(folder, name)
    return ModelChoice("none", lambda: None, NO_WORDS_NOTICE)


def _bundled(notice: str | None) -> ModelChoice:
    folder = bundled_folder()
    if not is_model(folder):
        raise BadInput(
            f"The bundled model is missing from {folder}; install the monitor again, or say --model none."
        )
    return ModelChoice(BUNDLED, partial(_load, folder, BUNDLED), notice)


def _whisper(folder: Path, name: str) -> ModelChoice:
    return ModelChoice(name, partial(_load, folder, name))


def _load(folder: Path, name: str) -> Recogniser:
    """Loads the model and warms it up; Ctrl-C works meanwhile."""
    from monitor.speech.whisper import Whisper

    def load() -> Whisper:
        whisper = Whisper(folder, name)
        whisper.warm_up()
        return whisper

    return run_in_native_thread(load)


def _script(path: str, recordings: Sequence[Path], agent_channel: int | None) -> ModelChoice:
    from monitor.speech.reference_recogniser import NAME, ReferenceRecogniser, script_beside

    if not path and not recordings:
        raise BadInput("--model script reads the JSON beside a recording; a live call has none.")
    reader = ReferenceRecogniser(Path(path) if path else script_beside(recordings[0]), agent_channel)
    return ModelChoice(
        NAME, lambda: reader, "The words come from the recording's script, not from a recogniser."
    )


def _own_sums() -> frozenset[str]:
    try:
        lines = resource(BUNDLED_CHECKSUMS).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.split()[0] for line in lines if line.strip())


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # the source says what is wrong with the file
