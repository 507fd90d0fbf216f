"""Where models are: on this machine first, then, when asked, on the Hugging Face hub.

``MONITOR_MODELS`` names a folder that holds models (as an air-gapped site has them); after it come the
caches of the hub's own client. ``fetch`` is the only thing here that uses the network.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from monitor.errors import BadInput
from monitor.resources import resource
from monitor.speech.apart import apart

BUNDLED = "demo-en-synthetic"

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

FILES = ("model.bin", "config.json", "tokenizer.json", "preprocessor_config.json", "vocabulary.*")
"""What is fetched of a model."""

REACHED_WITHIN = 5.0
"""Seconds in which the hub has to answer."""

NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""The files without which a folder is no model of ours."""

_BY_HAND = (
    "copy its folder here and say --model PATH (or set MONITOR_MODELS to the folder that holds it), "
    "or say --model none."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of ``monitor models``: a model that can be named, and where it lies if it is here."""

    name: str
    folder: str | None
    megabytes: int = 0
    remark: str = ""


def listed() -> list[Listed]:
    """Every model that can be named."""
    bundled = bundled_folder()
    models = [
        _listed("bundled", bundled if is_model(bundled) else None, f"{BUNDLED}, for the own recordings")
    ]
    return models + [_listed(name, find(name)) for name in NAMES]


def _listed(name: str, folder: Path | None, remark: str = "") -> Listed:
    if folder is None:
        return Listed(name, None, remark=remark)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return Listed(name, str(folder), max(1, round(size / 1e6)), remark)


def find(name: str) -> Path | None:
    """The folder of the model ``name`` on this machine."""
    return next((folder for folder in _places(name) if is_model(folder)), None)


def is_model(folder: Path) -> bool:
    """Whether ``folder`` holds a converted Whisper model, whole."""
    return all((folder / file).is_file() for file in NEEDED)


def bundled_folder() -> Path:
    """Where the model lies that travels with the monitor."""
    return resource(f"models/{BUNDLED}")


def fetch(name: str) -> Path:
    """Fetches the model ``name`` from the hub; a progress bar shows on a terminal.

    What was fetched before an interruption is kept, and the next attempt goes on from there. Raises
    ``BadInput`` in one sentence when the model cannot be had.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise BadInput(
            f"The model {name} is not on this machine, and HF_HUB_OFFLINE forbids fetching it; {_BY_HAND}"
        )
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if not os.isatty(2):
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    try:
        folder = apart(lambda: _fetched(NAMES[name]))
    except Exception as wrong:  # noqa: BLE001 - the hub's client raises its own, httpx's and OSError
        raise BadInput(
            f"The model {name} is not on this machine and cannot be fetched ({_reason(wrong)}); {_BY_HAND}"
        ) from None
    if not is_model(folder):
        raise BadInput(f"What the hub sent for {name} into {folder} is not a whole model; fetch it again.")
    return folder


def _fetched(repository: str) -> Path:
    """Fetches one file after the other, so that nothing but this thread has to be waited for."""
    import huggingface_hub

    asked = huggingface_hub.HfApi().model_info(repository, timeout=REACHED_WITHIN)
    files = [file.rfilename for file in asked.siblings or () if _wanted(file.rfilename)]
    paths = [
        Path(
            huggingface_hub.hf_hub_download(repository, file, revision=asked.sha, etag_timeout=REACHED_WITHIN)
        )
        for file in files
    ]
    return paths[0].parent if paths else Path(repository)


def _wanted(file: str) -> bool:
    return any(fnmatch(file, pattern) for pattern in FILES)


def _reason(wrong: Exception) -> str:
    """Why it did not work, for people; the client's own texts run over several lines."""
    if isinstance(wrong, OSError) and wrong.strerror:
        return wrong.strerror
    kinds = {kind.__name__ for kind in type(wrong).__mro__}
    unreachable = any("Connect" in kind or "Timeout" in kind for kind in kinds)
    return "the hub does not answer" if unreachable else type(wrong).__name__


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
