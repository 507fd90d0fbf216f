"""The overlay's window: frameless, always on top, without focus. ``desk.py`` runs it.

It never takes the focus and lets clicks through. X11 window managers would stack and focus it like any other
window, so on X11 it bypasses them (``X11BypassWindowManagerHint``; without it clicks land on the overlay).
"""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent, QScreen
from PySide6.QtWidgets import QApplication, QWidget

from monitor import clock
from monitor.events import Event
from monitor.overlay.brush import measure, paint
from monitor.overlay.card import Card
from monitor.overlay.link import State
from monitor.overlay.look import SHADE, WIDTH, Picture, in_contrast, picture
from monitor.overlay.place import MARGIN, Corner, OverlayPosition, save_place, told_apart, top_left
from monitor.overlay.view import View

FADE_IN, FADE_OUT = 0.18, 0.3
TICK, FRAME = 100, 16
"""Milliseconds between updates, and between the frames of a fade."""

QUIET = 250
"""Milliseconds without an event after which all missed events have arrived."""

FLAGS = (
    Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool
    | Qt.WindowType.WindowDoesNotAcceptFocus | Qt.WindowType.WindowTransparentForInput
    | Qt.WindowType.X11BypassWindowManagerHint | Qt.WindowType.NoDropShadowWindowHint
)  # fmt: skip


class Overlay(QWidget):
    """The window. ``painted`` is emitted with a card's text when it is first on the screen."""

    painted = Signal(str)

    def __init__(self, place: OverlayPosition, kept: Path, *, contrast: bool | None = None) -> None:
        super().__init__(None, FLAGS)
        for attribute in (
            Qt.WidgetAttribute.WA_TranslucentBackground,
            Qt.WidgetAttribute.WA_ShowWithoutActivating,
            Qt.WidgetAttribute.WA_X11DoNotAcceptFocus,
        ):
            self.setAttribute(attribute)
        self.setWindowTitle("Call monitor")
        self.setAccessibleName("Call monitor")
        self.view = View()
        self._place, self._kept, self._contrast = place, kept, contrast
        self._card: Card | None = None
        self._painted: Card | None = None
        self._fade, self._why, self._turned = 0.0, 0.0, clock.monotonic()
        self._heard_at, self._call_time = clock.monotonic(), 0.0
        self._picture = self._draw()
        self._timer = QTimer(self, timerType=Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.look)
        self._caught_up = QTimer(self, singleShot=True, interval=QUIET)
        self._caught_up.timeout.connect(self._catch_up)
        self._stand()

    # --- input ---

    def hear(self, call: str, news: Event | State) -> None:
        """Processes one event of the hub, or a change of the connection."""
        if news in ("down", "refused"):
            self.view.lost(refused=news == "refused")
        elif isinstance(news, Event):
            self.view.take(call, news)
            self._heard_at, self._call_time = clock.monotonic(), self.view.shown.now
        else:
            self.view.connected(resumed=news == "back")
        if self.view.catching_up:
            self._caught_up.start()
        self.look()

    def _catch_up(self) -> None:
        self.view.caught_up()
        self.look()

    def look(self) -> None:
        """Updates what is shown, and repaints if it has changed."""
        if self.view.talks:
            self.view.advance(self._call_time + clock.monotonic() - self._heard_at)
        self._turn()
        self._describe()
        drawn = self._draw()
        if drawn != self._picture:
            taller = drawn.height != self._picture.height
            self._picture = drawn
            if taller:
                self._stand()
            self.update()
        self._rest()

    @property
    def corner(self) -> Corner:
        """The corner of the screen at which the overlay is."""
        return self._place.corner

    def stand_at(self, corner: Corner) -> None:
        """Moves to a corner and saves it."""
        self._move(OverlayPosition(corner=corner, screen=self._place.screen))

    @property
    def screens(self) -> dict[str, QScreen]:
        """The screens by name, the primary one first."""
        found = QApplication.screens()
        return dict(zip(told_apart([one.name() for one in found]), found, strict=True))

    @property
    def on_screen(self) -> str:
        """The current screen: the chosen one, or the primary one while that is disconnected."""
        names = self.screens
        return self._place.screen if self._place.screen in names else next(iter(names), "")

    def stand_on(self, screen: str) -> None:
        """Moves to another screen and saves it, even while that screen is disconnected."""
        self._move(OverlayPosition(corner=self._place.corner, screen=screen))

    def stand(self) -> None:
        """Moves to its position again after a change of the screens."""
        self._stand()
        self.update()

    # --- inside ---

    def _move(self, place: OverlayPosition) -> None:
        self._place = place
        save_place(self._kept, place)
        self._picture = self._draw()
        self._stand()
        self.update()

    def _turn(self) -> None:
        """Advances the fade by the elapsed time; a new card waits until the old one has gone."""
        now = clock.monotonic()
        passed, self._turned = now - self._turned, now
        shown = self.view.shown
        if shown.card is self._card and shown.card is not None:
            self._fade = min(1.0, self._fade + passed / FADE_IN)
            self._why = min(1.0, self._why + passed / FADE_IN) if shown.why else 0.0
        elif self._card is not None and self._fade > 0 and not (shown.card and shown.card.kind == "critical"):
            self._fade = max(0.0, self._fade - passed / FADE_OUT)
        elif shown.card is not None:
            # The first frame already shows the card faintly, so that the fade does not delay it.
            self._card, self._fade, self._why = shown.card, 0.25, 0.0
            self._announce(shown.card)
            self.raise_()
        else:
            self._card, self._fade = None, 0.0

    def _announce(self, card: Card) -> None:
        """Announces the card to screen readers; a critical one may interrupt them."""
        event = QAccessibleAnnouncementEvent(self, card.spoken)
        if card.kind == "critical":
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)

    def _describe(self) -> None:
        """Sets the text that a screen reader finds on the window."""
        spoken = self.view.shown.spoken
        if spoken != self.accessibleDescription():
            self.setAccessibleDescription(spoken)

    def _rest(self) -> None:
        """Sets the timer: fast during a fade, slow during a call, and stopped otherwise."""
        fading = self._card is not self.view.shown.card or (self._card is not None and self._fade < 1)
        fading = fading or (self._card is not None and self.view.shown.why and self._why < 1)
        pause = FRAME if fading else TICK
        if not (fading or self.view.talks):
            self._timer.stop()
        elif not self._timer.isActive() or self._timer.interval() != pause:
            self._timer.start(pause)

    def _draw(self) -> Picture:
        top = self._place.corner.startswith("top")
        drawn = picture(
            self.view.shown,
            partial(measure, self.font()),
            card=self._card,
            fade=self._fade,
            why=self._why,
            top=top,
        )
        strong = wants_contrast() if self._contrast is None else self._contrast
        return in_contrast(drawn) if strong else drawn

    def _stand(self) -> None:
        """Sizes the window to the panel with its shadow, and puts it at its corner of its screen."""
        screen = self.screens.get(self.on_screen)
        if screen is None:
            return  # no screen at all, as while a dock is unplugged; Qt signals when one is added
        free = screen.availableGeometry()
        size = round(WIDTH) + 2 * SHADE, round(self._picture.height) + 2 * SHADE
        whole = free.x(), free.y(), free.width(), free.height()
        self.setGeometry(*top_left(self._place.corner, whole, size, MARGIN - SHADE), *size)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paints the picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(SHADE, SHADE)
        for part in self._picture.parts:
            paint(painter, part, self.font())
        painter.end()
        if self._card is not None and self._card is not self._painted:
            self._painted = self._card
            self.painted.emit(self._card.say)


def wants_contrast() -> bool:
    """Whether the desktop requests high contrast; False if Qt cannot tell (before 6.10)."""
    hints = QApplication.styleHints()
    if not hasattr(hints, "accessibility"):
        return False
    return hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast
