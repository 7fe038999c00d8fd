"""Draws the spectrograms with axes and colour bar into an image or an SVG file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView

from gui.spectrogram.view import Spectrograms

NO_CACHE = QGraphicsItem.CacheMode.NoCache
SCALE = 2
"""Pixels of a picture per pixel of the window."""


def picture(view: Spectrograms) -> QImage:
    """The plots and the colour bar as an image."""
    image = QImage(_size(view) * SCALE, QImage.Format.Format_RGB32)
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
        generator.setSize(_size(view))
        generator.setViewBox(QRect(0, 0, _size(view).width(), _size(view).height()))
        generator.setTitle("Topoctave")
        _draw(view, QPainter(generator))
    elif not picture(view).save(str(path)):
        raise OSError(0, "the disk is full", str(path))


def _size(view: Spectrograms) -> QSize:
    plots, bar = view.plots, view.colour_bar
    return QSize(plots.width() + bar.width(), plots.height())


@contextmanager
def _uncached(view: QGraphicsView) -> Iterator[None]:
    """Draw items themselves instead of their cached pixels, which would blur when scaled."""
    cached = [item for item in view.scene().items() if item.cacheMode() != NO_CACHE]
    modes = [item.cacheMode() for item in cached]
    for item in cached:
        item.setCacheMode(NO_CACHE)
    try:
        yield
    finally:
        for item, mode in zip(cached, modes, strict=True):
            item.setCacheMode(mode)


def _draw(view: Spectrograms, painter: QPainter) -> None:
    size = _size(view)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), view.plots.backgroundBrush())
    left = 0
    for part in (view.plots, view.colour_bar):
        place = QRectF(left, 0, part.width(), part.height())
        with _uncached(part):
            part.render(painter, place, part.rect())
        left += part.width()
    painter.end()
