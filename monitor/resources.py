"""Where the files that travel with the monitor lie: in the wheel, or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parent)


def resource(name: str) -> Path:
    """The path of a bundled file or folder, for example ``configs/rules``.

    A wheel carries it under ``monitor/_data``; a checkout has it beside ``monitor``.
    """
    for root in _ROOTS:
        if (root / name).exists():
            return root / name
    return _ROOTS[-1] / name
