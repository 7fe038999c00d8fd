"""Icons from SVG files, in the theme's colours and sharp at every scale."""

from functools import lru_cache
from importlib import resources

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer


def icon(name: str, colour: str, *, checked: str = "") -> QIcon:
    """An icon of 16 pixels in one colour, and optionally another for the checked state.

    Args:
        name: Name of the file in ``gui/widgets/icons``.
        colour: Colour of what the file draws in ``currentColor``.
        checked: Colour of the checked state; empty for the same.
    """
    result = QIcon()
    for state, tint in ((QIcon.State.Off, colour), (QIcon.State.On, checked or colour)):
        for ratio in (1, 2, 3):
            pixmap = _pixmap(name, tint, 16 * ratio)
            pixmap.setDevicePixelRatio(ratio)
            result.addPixmap(pixmap, QIcon.Mode.Normal, state)
    return result


def app_icon() -> QIcon:
    """The program's logo."""
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(_pixmap("logo", "", size))
    return result


@lru_cache(maxsize=128)
def _pixmap(name: str, colour: str, pixels: int) -> QPixmap:
    file = resources.files("gui.widgets").joinpath("icons", f"{name}.svg")
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(file.read_bytes().replace(b"currentColor", colour.encode())).render(painter)
    painter.end()
    return pixmap
