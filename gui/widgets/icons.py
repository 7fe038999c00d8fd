"""Icons, drawn as paths on a 24 x 24 grid so that they are sharp at every scale."""

from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

GRID = 24.0


class Glyph(Enum):
    """The icons."""

    PLAY = "play"
    STOP = "stop"
    RECORD = "record"
    REFRESH = "refresh"
    LOOP = "loop"
    FREEZE = "freeze"
    MENU = "menu"
    CLOSE = "close"
    WAVE = "wave"
    SPECTRUM = "spectrum"
    HELP = "help"
    BLIND = "blind"
    ARROW = "arrow"
    CHEVRON = "chevron"


def icon(glyph: Glyph, colour: str, *, checked: str | None = None, size: int = 18) -> QIcon:
    """An icon in one colour, and optionally another for the checked state."""
    result = QIcon()
    for state, tint in ((QIcon.State.Off, colour), (QIcon.State.On, checked or colour)):
        for ratio in (1, 2, 3):
            result.addPixmap(_pixmap(glyph, tint, size, ratio), QIcon.Mode.Normal, state)
    return result


def app_icon() -> QIcon:
    """The program's logo: the upper octave lit above the lower one."""
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_logo(painter, QRectF(0, 0, size, size))
        painter.end()
        result.addPixmap(pixmap)
    return result


def paint_logo(painter: QPainter, at: QRectF) -> None:
    """Paint the logo: six bars, their upper halves in the colour of the restored octave."""
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#1d2129"))
    painter.drawRoundedRect(at, at.width() * 0.22, at.width() * 0.22)
    heights = (0.30, 0.52, 0.72, 0.60, 0.40, 0.24)
    step = at.width() * 0.76 / len(heights)
    middle = at.top() + at.height() * 0.56
    for i, height in enumerate(heights):
        left = at.left() + at.width() * 0.12 + i * step + step * 0.16
        width = step * 0.68
        up, down = height * at.height() * 0.55, height * at.height() * 0.42
        painter.setBrush(QColor("#f0a44b"))
        painter.drawRoundedRect(QRectF(left, middle - up, width, up), width / 3, width / 3)
        painter.setBrush(QColor("#6db3f2"))
        gap = at.height() * 0.035
        painter.drawRoundedRect(QRectF(left, middle + gap, width, down), width / 3, width / 3)
    painter.restore()


def _pixmap(glyph: Glyph, colour: str, size: int, ratio: int) -> QPixmap:
    pixmap = QPixmap(QSize(size * ratio, size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / GRID, size / GRID)
    pen = QPen(QColor(colour), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    _DRAWERS[glyph](painter, QColor(colour))
    painter.end()
    return pixmap


def _fill(painter: QPainter, colour: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)


def _play(painter: QPainter, colour: QColor) -> None:
    _fill(painter, colour)
    painter.drawPolygon(QPolygonF([QPointF(7, 4.5), QPointF(20, 12), QPointF(7, 19.5)]))


def _stop(painter: QPainter, colour: QColor) -> None:
    _fill(painter, colour)
    painter.drawRoundedRect(QRectF(6, 6, 12, 12), 1.5, 1.5)


def _record(painter: QPainter, colour: QColor) -> None:
    _fill(painter, colour)
    painter.drawEllipse(QPointF(12, 12), 6.5, 6.5)


def _arc(painter: QPainter, start: int, span: int) -> None:
    painter.drawArc(QRectF(4.5, 4.5, 15, 15), start * 16, span * 16)


def _refresh(painter: QPainter, _colour: QColor) -> None:
    _arc(painter, 40, 290)
    painter.drawPolyline(QPolygonF([QPointF(18.5, 3.2), QPointF(18.2, 7.6), QPointF(13.8, 7.4)]))


def _loop(painter: QPainter, _colour: QColor) -> None:
    path = QPainterPath(QPointF(4.5, 12.5))
    path.cubicTo(4.5, 8, 6, 7, 9, 7)
    path.lineTo(18.5, 7)
    painter.drawPath(path)
    painter.drawPolyline(QPolygonF([QPointF(16, 4.2), QPointF(19, 7), QPointF(16, 9.8)]))
    path = QPainterPath(QPointF(19.5, 11.5))
    path.cubicTo(19.5, 16, 18, 17, 15, 17)
    path.lineTo(5.5, 17)
    painter.drawPath(path)
    painter.drawPolyline(QPolygonF([QPointF(8, 14.2), QPointF(5, 17), QPointF(8, 19.8)]))


def _freeze(painter: QPainter, _colour: QColor) -> None:
    for turn in range(3):
        painter.save()
        painter.translate(12, 12)
        painter.rotate(60 * turn)
        painter.drawLine(QPointF(0, -8.5), QPointF(0, 8.5))
        for end in (-1, 1):
            tip = QPointF(0, end * 5.4)
            painter.drawLine(tip, QPointF(-2.4, end * 8))
            painter.drawLine(tip, QPointF(2.4, end * 8))
        painter.restore()


def _menu(painter: QPainter, _colour: QColor) -> None:
    for y in (6.5, 12, 17.5):
        painter.drawLine(QPointF(4.5, y), QPointF(19.5, y))


def _close(painter: QPainter, _colour: QColor) -> None:
    painter.drawLine(QPointF(7, 7), QPointF(17, 17))
    painter.drawLine(QPointF(17, 7), QPointF(7, 17))


def _wave(painter: QPainter, _colour: QColor) -> None:
    for x, half in ((4, 2), (8, 6), (12, 9), (16, 5), (20, 2.5)):
        painter.drawLine(QPointF(x, 12 - half), QPointF(x, 12 + half))


def _spectrum(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolyline(
        QPolygonF([QPointF(*at) for at in
                   ((3.5, 17), (7, 6), (10, 12), (13, 9.5), (16, 15), (20.5, 18))])
    )  # fmt: skip


def _help(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QPointF(12, 12), 8.5, 8.5)
    path = QPainterPath(QPointF(9.5, 9.8))
    path.cubicTo(9.5, 6.2, 14.6, 6.4, 14.5, 9.6)
    path.cubicTo(14.4, 11.6, 12, 11.6, 12, 13.8)
    painter.drawPath(path)
    _fill(painter, colour)
    painter.drawEllipse(QPointF(12, 16.8), 1.1, 1.1)


def _blind(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolyline(QPolygonF([QPointF(7, 6), QPointF(17, 18)]))
    painter.drawPolyline(QPolygonF([QPointF(17, 6), QPointF(7, 18)]))
    painter.drawRoundedRect(QRectF(3.2, 3.2, 17.6, 17.6), 4, 4)


def _arrow(painter: QPainter, _colour: QColor) -> None:
    painter.drawLine(QPointF(4, 12), QPointF(19, 12))
    painter.drawPolyline(QPolygonF([QPointF(14, 7), QPointF(19.5, 12), QPointF(14, 17)]))


def _chevron(painter: QPainter, _colour: QColor) -> None:
    painter.drawPolyline(QPolygonF([QPointF(7, 10), QPointF(12, 15), QPointF(17, 10)]))


_DRAWERS: dict[Glyph, Callable[[QPainter, QColor], None]] = {
    Glyph.PLAY: _play,
    Glyph.STOP: _stop,
    Glyph.RECORD: _record,
    Glyph.REFRESH: _refresh,
    Glyph.LOOP: _loop,
    Glyph.FREEZE: _freeze,
    Glyph.MENU: _menu,
    Glyph.CLOSE: _close,
    Glyph.WAVE: _wave,
    Glyph.SPECTRUM: _spectrum,
    Glyph.HELP: _help,
    Glyph.BLIND: _blind,
    Glyph.ARROW: _arrow,
    Glyph.CHEVRON: _chevron,
}
