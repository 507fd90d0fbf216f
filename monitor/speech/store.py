"""Where models are: on this machine first, then, when asked, on the Hugging Face hub.

``MONITOR_MODELS`` names a folder that holds models (as an air-gapped site has them); after it come the
caches of the hub's own client. ``fetch`` is the only thing here that uses the network.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import BadInput
from monitor.resources import resource

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
    except Exception as wrong:  # noqa: BLE001 - the hub's client raises its own, httpx's and OSError
        raise BadInput(
            f"The model {name} is not on this machine and cannot be fetched "
            f"({type(wrong).__name__}); {_BY_HAND}"
        ) from None
    if not is_model(folder):
        raise BadInput(f"What the hub sent for {name} into {folder} is not a whole model; fetch it again.")
    return folder


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
