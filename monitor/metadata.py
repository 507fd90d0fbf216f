"""Reads the metadata of a call (``--meta call.yaml``). docs/rules.md lists the fields."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from monitor.config import convert, read_yaml
from monitor.errors import BadInput

Points = Annotated[float, msgspec.Meta(ge=0, le=100)]
"""Difficulty, 0 to 100."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that the bundled rules use. Other fields are allowed and passed on unchanged."""

    direction: Literal["in", "out"] | None = None
    queue: str | None = None
    team: str | None = None
    brief: str | None = None
    last_difficulty: Points | None = None
    previous_call_difficulty: Points | None = None
    difficult_calls_2h: Annotated[float, msgspec.Meta(ge=0)] | None = None
    handover: dict[str, str | float] | None = None
    ask_feedback: bool | None = None
    queue_median_seconds: Annotated[float, msgspec.Meta(gt=0)] | None = None


def read_meta(path: Path) -> dict[str, Any]:
    """Reads the metadata in a YAML file.

    Raises:
        BadInput: The file cannot be read, or a known field has the wrong type.
    """
    plain = read_yaml(path) or {}
    if not isinstance(plain, dict):
        raise BadInput(
            f"{path} does not hold fields with values; write the metadata as lines such as `direction: in`."
        )
    convert(plain, Known, str(path))
    return plain
