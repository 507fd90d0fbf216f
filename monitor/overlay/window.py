"""The overlay's window: frameless, always on top, never in the way. See ``desk.py`` for what
stands around it.

It never takes the focus and lets every click through. X11 window managers would stack and focus it like
any other window, so there it goes past them (``X11BypassWindowManagerHint``; without it clicks land on the
overlay).
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QApplication, QWidget

from monitor import clock
from monitor.events import Event
from monitor.overlay.card import Card
from monitor.overlay.link import State
from monitor.overlay.look import WIDTH, Box, Dot, Part, Picture, Shape, Words, picture
from monitor.overlay.place import Corner, Place, save_place, top_left
from monitor.overlay.view import View

FADE_IN, FADE_OUT = 0.18, 0.3
TICK, FRAME = 100, 16
"""Milliseconds between looks at the call, and between the pictures of a fade."""

FLAGS = (
    Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool
    | Qt.WindowType.WindowDoesNotAcceptFocus | Qt.WindowType.WindowTransparentForInput
    | Qt.WindowType.X11BypassWindowManagerHint | Qt.WindowType.NoDropShadowWindowHint
)  # fmt: skip
ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "right": Qt.AlignmentFlag.AlignRight,
    "centre": Qt.AlignmentFlag.AlignHCenter,
}
WEIGHTS = {400: QFont.Weight.Normal, 600: QFont.Weight.DemiBold, 700: QFont.Weight.Bold}


class Overlay(QWidget):
    """The window. ``painted`` is emitted when a card is on the screen for the first time, with its text."""

    painted = Signal(str)

    def __init__(self, place: Place, kept: Path) -> None:
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
        self._place, self._kept = place, kept
        self._card: Card | None = None
        self._painted: Card | None = None
        self._fade, self._why, self._turned = 0.0, 0.0, clock.monotonic()
        self._heard_at, self._call_time = clock.monotonic(), 0.0
        self._picture = self._draw()
        self._timer = QTimer(self, timerType=Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.look)
        self._stand()

    # --- what comes in ---

    def hear(self, call: str, news: Event | State) -> None:
        """One event of the hub, or what became of the line."""
        if news == "up":
            self.view.connected()
        elif news == "down":
            self.view.lost()
        elif isinstance(news, Event):
            self.view.take(call, news)
            self._heard_at, self._call_time = clock.monotonic(), self.view.shown.now
        self.look()

    def look(self) -> None:
        """Looks at what is to be shown now, and paints it if it is anything else than before."""
        if self.view.talks:
            self.view.advance(self._call_time + clock.monotonic() - self._heard_at)
        self._turn()
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
        """Where it stands."""
        return self._place.corner

    def stand_at(self, corner: Corner) -> None:
        """Moves to a corner, and remembers it."""
        screen = self.screen().name() if self.screen() else None
        self._place = Place(corner=corner, screen=self._place.screen or screen)
        save_place(self._kept, self._place)
        self._picture = self._draw()
        self._stand()
        self.update()

    # --- inside ---

    def _turn(self) -> None:
        """Fades by the time that has passed; a new card waits until the old one has gone."""
        now = clock.monotonic()
        passed, self._turned = now - self._turned, now
        shown = self.view.shown
        if shown.card is self._card and shown.card is not None:
            self._fade = min(1.0, self._fade + passed / FADE_IN)
            self._why = min(1.0, self._why + passed / FADE_IN) if shown.why else 0.0
        elif self._card is not None and self._fade > 0 and not (shown.card and shown.card.kind == "critical"):
            self._fade = max(0.0, self._fade - passed / FADE_OUT)
        elif shown.card is not None:
            # The first picture already shows the card, faintly: a fade must not cost time to see it.
            self._card, self._fade, self._why = shown.card, 0.25, 0.0
            self._announce(shown.card)
            self.raise_()
        else:
            self._card, self._fade = None, 0.0

    def _announce(self, card: Card) -> None:
        """Tells screen readers; something critical may interrupt them."""
        self.setAccessibleDescription(card.spoken)
        event = QAccessibleAnnouncementEvent(self, card.spoken)
        if card.kind == "critical":
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)

    def _rest(self) -> None:
        """Ticks only while a call goes on, quickly only while something fades, and else not at all."""
        fading = self._card is not self.view.shown.card or (self._card is not None and self._fade < 1)
        fading = fading or (self._card is not None and self.view.shown.why and self._why < 1)
        pause = FRAME if fading else TICK
        if not (fading or self.view.talks):
            self._timer.stop()
        elif not self._timer.isActive() or self._timer.interval() != pause:
            self._timer.start(pause)

    def _draw(self) -> Picture:
        top = self._place.corner.startswith("top")
        return picture(
            self.view.shown, self._measure, card=self._card, fade=self._fade, why=self._why, top=top
        )

    def _stand(self) -> None:
        """The window is as large as its panel, at its corner of its screen."""
        screens = QApplication.screens()
        screen = next((one for one in screens if one.name() == self._place.screen), screens[0])
        free = screen.availableGeometry()
        size = round(WIDTH), round(self._picture.height)
        x, y = top_left(self._place.corner, (free.x(), free.y(), free.width(), free.height()), size)
        self.setGeometry(x, y, *size)

    def _measure(self, text: str, size: float, weight: int, width: float) -> float:
        metrics = QFontMetricsF(self._font(size, weight))
        return metrics.boundingRect(QRectF(0, 0, width, 1000), Qt.TextFlag.TextWordWrap, text).height()

    def _font(self, size: float, weight: int) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(round(size))
        font.setWeight(WEIGHTS[weight])
        return font

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paints the picture."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for part in self._picture.parts:
            paint(painter, part, self._font)
        painter.end()
        if self._card is not None and self._card is not self._painted:
            self._painted = self._card
            self.painted.emit(self._card.say)


def paint(painter: QPainter, part: Part, font: Callable[[float, int], QFont]) -> None:
    """One part of the picture."""
    colour = QColor(part.colour)
    colour.setAlphaF(colour.alphaF() * max(0.0, min(1.0, part.fade)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    match part:
        case Box():
            painter.drawRoundedRect(QRectF(part.x, part.y, part.width, part.height), part.radius, part.radius)
        case Dot():
            if part.ring:
                painter.setPen(QPen(colour, part.ring))
                painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(part.x, part.y), part.radius, part.radius)
        case Shape():
            points = QPolygonF([QPointF(x, y) for x, y in part.points])
            width = part.line or 2.0
            painter.setPen(
                QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
            )
            painter.drawPolyline(points) if part.line else painter.drawPolygon(points)
        case Words():
            painter.setPen(colour)
            painter.setFont(font(part.size, part.weight))
            wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter | ALIGN[part.align]
            painter.drawText(QRectF(part.x, part.y, part.width, part.height), wrap, part.text)
