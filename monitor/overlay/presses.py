"""What an agent can ask of the overlay, from the tray or by a key of the desktop."""

from typing import Literal

Press = Literal["acknowledge", "wrong", "snooze", "hide", "quit"]

PRESSES: dict[Press, str] = {
    "acknowledge": "Acknowledge",
    "wrong": "This was wrong",
    "snooze": "Snooze 5 minutes",
    "hide": "Hide or show",
    "quit": "Quit",
}
"""The words of the menu."""
