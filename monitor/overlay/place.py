"""The overlay's position on the screen, which is saved between runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import msgspec
import platformdirs

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
CORNERS: tuple[Corner, ...] = get_args(Corner)

MARGIN = 16


class OverlayPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The corner, and the name of the screen (null: the primary one)."""

    corner: Corner = "bottom-right"
    screen: str | None = None


def place_file() -> Path:
    """The path of the saved position."""
    return Path(platformdirs.user_config_dir("call-monitor")) / "overlay.json"


def load_place(path: Path) -> OverlayPosition:
    """Loads the saved position, or the default if there is none or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=OverlayPosition)
    except (OSError, msgspec.DecodeError):
        return OverlayPosition()


def save_place(path: Path, place: OverlayPosition) -> None:
    """Saves the position. A failure is ignored: the overlay then starts at the default position."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(place))
    except OSError:
        return


def told_apart(names: Sequence[str]) -> list[str]:
    """The names of the screens, made unique by a number after the later ones of equal names."""
    found: list[str] = []
    for name in names:
        again = sum(one == name or one.startswith(f"{name} (") for one in found)
        found.append(f"{name} ({again + 1})" if again else name)
    return found


def top_left(
    corner: Corner, screen: tuple[int, int, int, int], size: tuple[int, int], margin: int = MARGIN
) -> tuple[int, int]:
    """The top left corner of the window; ``screen`` is x, y, width, height of the area without taskbars."""
    x, y, width, height = screen
    left = x + margin if corner.endswith("left") else x + width - margin - size[0]
    top = y + margin if corner.startswith("top") else y + height - margin - size[1]
    return left, top
