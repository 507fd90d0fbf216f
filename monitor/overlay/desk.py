"""The overlay's process, its tray menu, and its commands from desktop shortcuts.

The overlay takes neither focus nor clicks, so the agent controls it through the tray menu, or through
``monitor overlay --press WHAT``, which a desktop can bind to a key and which notifies the running overlay.
"""

import getpass
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QGuiApplication, QIcon, QPainter, QPixmap, QScreen
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from monitor.client.address import HubAddress
from monitor.errors import BadInput
from monitor.overlay.link import Link
from monitor.overlay.look import SIDES
from monitor.overlay.place import CORNERS, Corner, load_place, place_file
from monitor.overlay.presses import PRESSES, Press
from monitor.overlay.window import Overlay

PATIENCE_MS = 1000

Choice = TypeVar("Choice", bound=str)


class Bridge(QObject):
    """Passes events from the link's thread to the window's thread, by Qt signals."""

    heard = Signal(str, object)


class Desk:
    """The overlay with its tray menu and its local socket for commands."""

    def __init__(self, overlay: Overlay, link: Link) -> None:
        self.overlay = overlay
        self._link = link
        self._menu = self._built_menu()
        self._tray = QSystemTrayIcon(tray_icon(), overlay)
        self._tray.setToolTip("Call monitor")
        self._tray.setContextMenu(self._menu)
        self._tray.show()
        self._keys = QLocalServer(overlay)
        self._keys.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._keys.newConnection.connect(self._pressed)
        if not self._keys.listen(socket_name()):
            QLocalServer.removeServer(socket_name())  # left by an overlay that was killed
            self._keys.listen(socket_name())

    @property
    def has_tray(self) -> bool:
        """Whether this desktop shows tray icons."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def press(self, what: Press) -> None:
        """Carries out a command."""
        view = self.overlay.view
        match what:
            case "hide":
                self.overlay.setVisible(not self.overlay.isVisible())
            case "quit":
                QApplication.quit()
            case "acknowledge" | "wrong" | "snooze":
                asked = view.order(what)
                if what == "acknowledge":
                    view.put_away()
                if asked:
                    self._link.send(*asked)
        self.overlay.look()

    def _built_menu(self) -> QMenu:
        menu = QMenu()
        for what, text in PRESSES.items():
            if what == "quit":
                menu.addMenu(self._corners(menu))
                menu.addMenu(self._screens(menu))
                menu.addSeparator()
            menu.addAction(text).triggered.connect(partial(self.press, what))
        return menu

    def _corners(self, parent: QMenu) -> QMenu:
        menu = QMenu("Corner", parent)
        names = {corner: corner.replace("-", " ").capitalize() for corner in CORNERS}
        menu.aboutToShow.connect(lambda: offer(menu, names, self.overlay.corner, self.overlay.stand_at))
        return menu

    def _screens(self, parent: QMenu) -> QMenu:
        menu = QMenu("Screen", parent)
        overlay = self.overlay
        menu.aboutToShow.connect(
            lambda: offer(menu, {name: name for name in overlay.screens}, overlay.on_screen, overlay.stand_on)
        )
        return menu

    def _pressed(self) -> None:
        socket = self._keys.nextPendingConnection()
        if socket.waitForReadyRead(PATIENCE_MS):
            asked = bytes(socket.readAll().data()).decode("ascii", "replace").strip()
            if asked in PRESSES:
                self.press(next(what for what in PRESSES if what == asked))
        socket.disconnectFromServer()


def offer(
    menu: QMenu, choices: Mapping[Choice, str], chosen: Choice, choose: Callable[[Choice], None]
) -> None:
    """Fills a menu with the current choices, with the chosen one marked."""
    menu.clear()
    group = QActionGroup(menu)
    for choice, text in choices.items():
        action = QAction(text, menu, checkable=True)
        action.setChecked(choice == chosen)
        action.triggered.connect(partial(choose, choice))
        group.addAction(action)
        menu.addAction(action)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The requested position of the overlay; null values leave the saved one unchanged."""

    agent: str | None = None
    corner: Corner | None = None
    screen: str | None = None
    contrast: bool | None = None


def run_overlay(hub: HubAddress, wish: Wish) -> int:
    """Shows the overlay until it is quit; returns the exit code."""
    app = QApplication([sys.argv[0]])
    app.setApplicationName("call-monitor-overlay")
    app.setApplicationDisplayName("Call monitor")
    app.setQuitOnLastWindowClosed(False)
    if running():
        raise BadInput("An overlay is on this screen already; `monitor overlay --press quit` ends it.")
    overlay = Overlay(load_place(place_file()), place_file(), contrast=wish.contrast)
    if wish.screen:
        if wish.screen not in overlay.screens:
            raise BadInput(f"There is no screen {wish.screen} here; there is {', '.join(overlay.screens)}.")
        overlay.stand_on(wish.screen)
    if wish.corner:
        overlay.stand_at(wish.corner)
    follow_screens(app, overlay)
    bridge = Bridge()
    bridge.heard.connect(overlay.hear, Qt.ConnectionType.QueuedConnection)
    link = Link(hub, bridge.heard.emit, wish.agent, say=_say)
    desk = Desk(overlay, link)
    overlay.show()
    link.start()
    if not desk.has_tray:
        sys.stderr.write(
            "monitor: this desktop shows no tray icons; bind `monitor overlay --press acknowledge` "
            "(or wrong, snooze, hide, quit) to keys instead.\n"
        )
    beat = _let_signals_in(app)
    code = app.exec()
    beat.stop()
    link.stop()
    return code


def _say(text: str) -> None:
    sys.stderr.write(f"monitor: {text}\n")
    sys.stderr.flush()


def follow_screens(app: QGuiApplication, overlay: Overlay) -> None:
    """Keeps the overlay in its position while screens are added, removed or resized.

    Qt signals the removal of a screen before it moves the windows on it, so the overlay moves one turn of the
    event loop later.
    """
    later = QTimer(overlay, singleShot=True, interval=0)
    later.timeout.connect(overlay.stand)

    def watch(screen: QScreen) -> None:
        screen.availableGeometryChanged.connect(later.start)
        later.start()

    app.screenAdded.connect(watch)
    app.screenRemoved.connect(later.start)
    app.primaryScreenChanged.connect(later.start)
    for screen in app.screens():
        watch(screen)


def _let_signals_in(app: QCoreApplication) -> QTimer:
    """Lets Python handle Ctrl-C, which it does only while its code runs: a timer wakes it in Qt's loop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.quit())
    beat = QTimer()
    beat.timeout.connect(lambda: None)
    beat.start(500)
    return beat


def socket_name() -> str:
    """The name of the local socket of this user's overlay on this display."""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or ""
    return "call-monitor-overlay-" + "".join(c if c.isalnum() else "-" for c in getpass.getuser() + display)


def running() -> bool:
    """Whether an overlay answers on this display."""
    socket = QLocalSocket()
    socket.connectToServer(socket_name())
    return bool(socket.waitForConnected(PATIENCE_MS))


def tell_running(what: Press) -> bool:
    """Sends a command to the running overlay; returns False if none is running."""
    app = QCoreApplication.instance() or QCoreApplication([sys.argv[0]])
    socket = QLocalSocket(app)
    socket.connectToServer(socket_name())
    if not socket.waitForConnected(PATIENCE_MS):
        return False
    socket.write(what.encode("ascii"))
    return bool(socket.waitForBytesWritten(PATIENCE_MS))


def tray_icon() -> QIcon:
    """The tray icon: a small version of the strip, on the overlay's dark background."""
    pixmap = QPixmap(64, 64)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#ff141a21"))
    painter.drawRoundedRect(2, 2, 60, 60, 16, 16)
    for side, top, width in (("agent", 20, 26), ("caller", 36, 38)):
        painter.setBrush(QColor(SIDES["caller" if side == "caller" else "agent"]))
        painter.drawRoundedRect(13, top, width, 8, 4, 4)
    painter.end()
    return QIcon(pixmap)
