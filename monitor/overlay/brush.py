"""Paints the parts of a picture with Qt, and measures text."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from monitor.overlay.look import Box, Dot, DrawnShape, DrawnText, Part

ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "right": Qt.AlignmentFlag.AlignRight,
    "centre": Qt.AlignmentFlag.AlignHCenter,
}
WEIGHTS = {400: QFont.Weight.Normal, 600: QFont.Weight.DemiBold, 700: QFont.Weight.Bold}


def measure(base: QFont, text: str, size: float, weight: int, width: float) -> float:
    """The height of a text in the family of ``base``, wrapped at a width (logical pixels)."""
    metrics = QFontMetricsF(_font(base, size, weight))
    return metrics.boundingRect(QRectF(0, 0, width, 1000), Qt.TextFlag.TextWordWrap, text).height()


def _font(base: QFont, size: float, weight: int) -> QFont:
    font = QFont(base)
    font.setPixelSize(round(size))
    font.setWeight(WEIGHTS[weight])
    return font


def paint(painter: QPainter, part: Part, base: QFont) -> None:
    """Paints one part, with text in the family of ``base``."""
    colour = QColor(part.colour)
    colour.setAlphaF(colour.alphaF() * max(0.0, min(1.0, part.fade)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    match part:
        case Box():
            if part.line:
                painter.setPen(QPen(colour, part.line))
                painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(part.x, part.y, part.width, part.height), part.radius, part.radius)
        case Dot():
            if part.ring:
                painter.setPen(QPen(colour, part.ring))
                painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(part.x, part.y), part.radius, part.radius)
        case DrawnShape():
            points = QPolygonF([QPointF(x, y) for x, y in part.points])
            width = part.line or 2.0
            painter.setPen(
                QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
            )
            painter.drawPolyline(points) if part.line else painter.drawPolygon(points)
        case DrawnText():
            painter.setPen(colour)
            painter.setFont(_font(base, part.size, part.weight))
            wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter | ALIGN[part.align]
            painter.drawText(QRectF(part.x, part.y, part.width, part.height), wrap, part.text)
