"""Where the overlay stands, and that it stands there again tomorrow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import msgspec
import platformdirs

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
CORNERS: tuple[Corner, ...] = get_args(Corner)

MARGIN = 16


class OverlayPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The corner, and the name of the screen (none: the main one, whichever that is)."""

    corner: Corner = "bottom-right"
    screen: str | None = None


def place_file() -> Path:
    """Where the place is kept."""
    return Path(platformdirs.user_config_dir("call-monitor")) / "overlay.json"


def load_place(path: Path) -> OverlayPosition:
    """The place that was kept; the default one where there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=OverlayPosition)
    except (OSError, msgspec.DecodeError):
        return OverlayPosition()


def save_place(path: Path, place: OverlayPosition) -> None:
    """Keeps the place. A machine on which that cannot be done loses only the habit."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(place))
    except OSError:
        return


def told_apart(names: Sequence[str]) -> list[str]:
    """The names of the screens; where several are called the same, the later ones with their number."""
    found: list[str] = []
    for name in names:
        again = sum(one == name or one.startswith(f"{name} (") for one in found)
        found.append(f"{name} ({again + 1})" if again else name)
    return found


def top_left(
    corner: Corner, screen: tuple[int, int, int, int], size: tuple[int, int], margin: int = MARGIN
) -> tuple[int, int]:
    """The window's corner on a screen (x, y, width, height of what no taskbar covers)."""
    x, y, width, height = screen
    left = x + margin if corner.endswith("left") else x + width - margin - size[0]
    top = y + margin if corner.startswith("top") else y + height - margin - size[1]
    return left, top
