"""Files that a command writes when it is done: whether it could, is asked before the long work begins."""

import os
from pathlib import Path

from monitor.errors import BadInput


def refuse_no_file(out: Path, example: str = "report.html") -> None:
    """Raises ``BadInput`` where ``out`` is no place for a file, or none that may be written."""
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"--out {out} is not a file in a folder that exists; name one, such as {example}.")
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise BadInput(f"The report cannot be written to {out}; name a file with --out that may be written.")
