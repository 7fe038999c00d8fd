"""Draws the spectrograms with axes and colour bar into an image or an SVG file."""

from pathlib import Path

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem

from gui.spectrogram.view import Spectrograms

SCALE = 2
"""Pixels of a picture per pixel of the window."""


def picture(view: Spectrograms) -> QImage:
    """The plots and the colour bar as an image."""
    image = QImage(_area(view).size() * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    _draw(view, QPainter(image))
    return image


def save_picture(view: Spectrograms, path: Path) -> None:
    """Write the plots and the colour bar as PNG or, by the file's suffix, as SVG.

    Raises:
        OSError: if the file cannot be written.
    """
    # Reports a missing folder or permission with the system's reason.
    with path.open("wb"):
        pass
    if path.suffix.lower() == ".svg":
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(_area(view).size())
        generator.setViewBox(_area(view))
        generator.setTitle("Topoctave")
        _draw(view, QPainter(generator))
    elif not picture(view).save(str(path)):
        raise OSError(0, "the disk is full", str(path))


def _area(view: Spectrograms) -> QRect:
    return QRect(0, 0, view.plots.width() + view.colour_bar.width(), view.plots.height())


def _draw(view: Spectrograms, painter: QPainter) -> None:
    painter.fillRect(_area(view), view.plots.backgroundBrush())
    left = 0
    for part in (view.plots, view.colour_bar):
        # Items draw themselves, because their cached pixels would blur when scaled.
        modes = {item: item.cacheMode() for item in part.scene().items()}
        for item in modes:
            item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        part.render(painter, QRectF(left, 0, part.width(), part.height()), part.rect())
        for item, mode in modes.items():
            item.setCacheMode(mode)
        left += part.width()
    painter.end()
