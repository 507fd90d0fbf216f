"""Computes the facts of recorded calls and caches them, so that audio is processed once for many rule sets.

The key of a cache entry is a hash of everything that the facts depend on: the audio, the core's settings and
code, and the recogniser. Entries are compressed journals. They contain transcripts, so they are stored in the
user's cache folder, readable by the user alone, and expire.
"""

import gzip
import zlib
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from monitor import clock
from monitor.config import CallSettings, load_call_settings
from monitor.errors import BadInput
from monitor.events import DERIVED, Event
from monitor.resources import resource
from monitor.review.callscript import read_script, script_facts
from monitor.review.collection import Recorded
from monitor.review.truth import truth_beside
from monitor.sources.journal import read_journal
from monitor.wire import envelope as wire

KEPT_DAYS = 30.0
"""Days after their last use after which entries are deleted."""

_CORE = ("audio", "speech", "sources", "call.py", "inputs.py", "events.py", "session.py", "dialogue/roles.py")
_DAY = 86_400.0


class FactsCache:
    """A cache of facts in ``folder``; null disables it."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> list[Event] | None:
        """The facts of ``key``, or null if they are absent or incomplete."""
        path = self._path(key)
        if path is None or not path.exists():
            return None
        try:
            lines = gzip.decompress(path.read_bytes()).splitlines()
            events = [wire.decode(line)[1] for line in lines]
            path.touch()
        except (OSError, EOFError, BadInput, zlib.error):
            path.unlink(missing_ok=True)  # truncated, or of another version
            return None
        return events

    def put(self, key: str, call: str, events: list[Event]) -> None:
        """Stores the facts of ``key``."""
        path = self._path(key)
        if path is None:
            return
        lines = [wire.encode(event, call=call, sequence=number) for number, event in enumerate(events)]
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=path.parent, delete=False) as half:  # for the user's eyes only
            half.write(gzip.compress(b"\n".join(lines), 5, mtime=0))
        Path(half.name).replace(path)

    def sweep(self) -> None:
        """Deletes entries that have not been used for ``KEPT_DAYS``."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if clock.unix() - path.stat().st_mtime > KEPT_DAYS * _DAY:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{key}.jsonl.gz"


def default_folder() -> Path:
    """The default folder of the cache."""
    from platformdirs import user_cache_path

    return user_cache_path("call-monitor") / "facts"


def facts_of(call: Recorded, model: str | None, cache: FactsCache) -> list[Event]:
    """The facts of a recorded call, from ``call.started`` on; ``model`` as in ``monitor replay``."""
    path = Path(call.paths[0])
    if call.kind == "script":
        return script_facts(read_script(path))
    if call.kind == "journal":
        return [event for event in read_journal(path).events if not isinstance(event, DERIVED)]
    from monitor.session import replay_events
    from monitor.speech.model_store import choose

    paths = [Path(one) for one in call.paths]
    model = model or choose(None, paths).name
    key = _key(call, model, load_call_settings())
    known = cache.get(key)
    if known is not None:
        return known
    heard = replay_events(paths, model=model, agent_channel=call.agent_channel)
    events = [event for event in heard if not isinstance(event, DERIVED)]
    cache.put(key, call.call, events)
    return events


def _key(call: Recorded, model: str, settings: CallSettings) -> str:
    """The hash of all that the facts depend on (rules are not included)."""
    digest = sha256(msgspec.json.encode(msgspec.structs.replace(settings, rules=CallSettings().rules)))
    digest.update(f"{model}/{_model_print(model)}/{call.agent_channel}/{core_print()}".encode())
    paths = [Path(one) for one in call.paths]
    if model.startswith("script"):
        paths.append(truth_beside(paths[0]))  # the words come from there
    for path in paths:
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _model_print(model: str) -> str:
    """A fingerprint of the model at a path: names, sizes and times of its files."""
    from monitor.speech.model_store import BUNDLED, REPOSITORIES, bundled_folder, find

    known = find(model) if model in REPOSITORIES else None
    place = bundled_folder() if model == BUNDLED else known or Path(model)
    if not place.is_dir():
        return ""
    files = sorted(one for one in place.iterdir() if one.is_file())
    return ";".join(f"{one.name}:{one.stat().st_size}:{one.stat().st_mtime_ns}" for one in files)


@lru_cache(maxsize=1)
def core_print() -> str:
    """The hash of the code that computes facts."""
    root = Path(__file__).resolve().parent.parent
    digest = sha256()
    for name in _CORE:
        for path in sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name]:
            digest.update(path.read_bytes())
    silero = resource("models/silero")
    for path in sorted(silero.glob("*.onnx")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
