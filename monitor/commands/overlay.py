"""``monitor overlay``: the agent's overlay on the desktop, in a process of its own."""

import argparse
import os
import sys
from pathlib import Path

from monitor.errors import BadInput
from monitor.overlay.presses import PRESSES

EPILOG = """\
examples:
  monitor overlay                                     calls of the hub on this machine
  monitor overlay --url wss://hub.example --agent anna --token-file anna.token
  monitor overlay --corner top-right --screen DP-2    remembered from then on
  monitor overlay --press snooze                      bind this to a key of your desktop
The overlay takes neither focus nor clicks. Its menu is in the tray; each entry can also be bound to a key
with --press (acknowledge, wrong, snooze, hide, quit). It needs Qt: pip install "pyside6-essentials<6.12"."""

BROKEN = "6.12.0"
"""On Python 3.11 this PySide6 drops a reference to ``None`` with each call, until the interpreter dies."""

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "overlay",
        help="Show the agent's overlay on the desktop",
        description="Shows one card at a time on top of everything, and a thin strip: both sides' speech, "
        "their levels against normal, your talk share, and a dot for the connection to the hub.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", default="ws://127.0.0.1:8765", help="the hub (default ws://127.0.0.1:8765)")
    parser.add_argument("--agent", metavar="NAME", help="show the calls of this agent (default: any)")
    parser.add_argument("--corner", choices=CORNERS, help="corner of the screen (default: the last one used)")
    parser.add_argument("--screen", metavar="NAME", help="screen to use (default: the last one used)")
    parser.add_argument(
        "--contrast", choices=("high", "normal"), help="contrast (default: the desktop's setting)"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for that hub (or set MONITOR_TOKEN)"
    )
    parser.add_argument(
        "--press", choices=tuple(PRESSES), help="send this action to the running overlay and exit"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Shows the overlay until it is quit; the exit code."""
    _need_qt()
    _need_screen()
    from monitor.overlay.desk import Wish, run_overlay, tell_running

    if args.press:
        if not tell_running(args.press):
            raise BadInput("No overlay is running on this screen; start it with `monitor overlay`.")
        return 0
    from monitor.client.address import parse_hub
    from monitor.client.credentials import read_token

    hub = parse_hub(args.url, lambda: read_token(args.token_file))
    contrast = None if args.contrast is None else args.contrast == "high"
    wish = Wish(agent=args.agent, corner=args.corner, screen=args.screen, contrast=contrast)
    return run_overlay(hub, wish)


def _need_qt() -> None:
    import importlib.metadata
    import importlib.util

    if importlib.util.find_spec("PySide6") is None:
        raise BadInput('The overlay needs Qt, which is not installed: pip install "pyside6-essentials<6.12".')


def _need_screen() -> None:
    """Qt ends the whole process where it finds no screen; so it is looked for before, and told."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return
    x11, wayland = os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY")
    if not (x11 or wayland):
        raise BadInput("There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set); start the "
                       "overlay on the agent's desktop.")  # fmt: skip
    if not x11:
        return
    import ctypes.util

    if ctypes.util.find_library("xcb-cursor") is None:
        raise BadInput("Qt needs the library libxcb-cursor here; on Debian or Ubuntu: "
                       "apt-get install libxcb-cursor0.")  # fmt: skip
    # Wayland lets no window choose its place or stay on top; through XWayland it may.
    os.environ["QT_QPA_PLATFORM"] = "xcb"
