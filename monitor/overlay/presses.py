"""The commands of the overlay, given from the tray menu or by a desktop shortcut."""

from typing import Literal

Press = Literal["acknowledge", "wrong", "snooze", "hide", "quit"]

PRESSES: dict[Press, str] = {
    "acknowledge": "Acknowledge",
    "wrong": "This was wrong",
    "snooze": "Snooze 5 minutes",
    "hide": "Hide or show",
    "quit": "Quit",
}
"""The menu text of each command."""
