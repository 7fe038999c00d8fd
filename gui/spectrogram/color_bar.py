"""The colour bar: pyqtgraph's ``ColorBarItem`` with a keyboard, in the theme's colours."""

from collections.abc import Iterable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent

from gui.spectrogram.axes import TIME_HEIGHT, ThemedAxis, TickLevels
from gui.spectrogram.color_maps import MIN_DB, ColourMap, color_map
from gui.widgets.text import with_minus
from gui.widgets.theme import Theme

MAX_DB = 0.0
MIN_RANGE_DB = 20.0
_WIDTH = 62
_BAR_WIDTH = 14
_STEP_DB = 2.0


class ColourBar(pg.GraphicsLayoutWidget):
    """Drag an end to move it, the middle to shift the range; double-click for the default."""

    changed = Signal(float, float)
    """Low and high end in dBFS."""

    def __init__(self, theme: Theme, *, low_db: float, high_db: float) -> None:
        super().__init__()
        self._default = (low_db, high_db)
        self._range = (low_db, high_db)
        self.setFixedWidth(_WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip(
            "Levels in dBFS. Drag an end of the bar, or its middle; double-click resets.\n"
            "Keys: up and down shift the range, page up and page down widen it, home resets."
        )
        self.ci.layout.setContentsMargins(4, 0, 2, 0)
        self.ci.layout.setSpacing(0)
        self.item = _Bar(theme, self._default)
        self.ci.addItem(self.item, 0, 0)
        self.ci.layout.setRowFixedHeight(1, TIME_HEIGHT)
        self.unit = pg.LabelItem("dBFS", size="11px", justify="right")
        self.ci.addItem(self.unit, 1, 0)
        self.item.sigLevelsChanged.connect(self._dragged)
        self.item.sigLevelsChangeFinished.connect(lambda: self.set_range(*self.item.levels()))
        self.item.reset.connect(lambda: self.set_range(*self._default))
        self.set_theme(theme)
        self._describe()

    @property
    def range_db(self) -> tuple[float, float]:
        """Low and high end in dBFS."""
        return self._range

    def set_images(self, images: Iterable[Any]) -> None:
        """Control the colours of images, which have ``setLevels`` and ``setColorMap``."""
        self.item.setImageItem(list(images))

    def set_map(self, name: ColourMap) -> None:
        """Use another colour map."""
        self.item.setColorMap(color_map(name))

    def set_range(self, low_db: float, high_db: float) -> None:
        """Set the range, limited to at least 20 dB between -127.5 and 0 dBFS."""
        low = min(max(low_db, MIN_DB), MAX_DB - MIN_RANGE_DB)
        high = min(max(high_db, low + MIN_RANGE_DB), MAX_DB)
        if self.item.levels() != (low, high):
            self.item.setLevels((low, high))
        self._set(low, high)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.setBackground(theme.colour("window"))
        self.item.set_theme(theme)
        self.unit.setText("dBFS", color=theme.muted)

    def _dragged(self) -> None:
        self._set(*self.item.levels())

    def _set(self, low: float, high: float) -> None:
        if (low, high) != self._range:
            self._range = (low, high)
            self._describe()
            self.changed.emit(low, high)

    def _describe(self) -> None:
        low, high = self._range
        self.setAccessibleName(f"Colour range, {low:.0f} to {high:.0f} decibels full scale")

    def _shift(self, by_db: float) -> None:
        low, high = self._range
        by_db = min(max(by_db, MIN_DB - low), MAX_DB - high)
        self.set_range(low + by_db, high + by_db)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Shift the range."""
        self._shift(event.angleDelta().y() / 120 * _STEP_DB)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Shift, widen and reset by keys."""
        low, high = self._range
        match event.key():
            case Qt.Key.Key_Up:
                self._shift(_STEP_DB)
            case Qt.Key.Key_Down:
                self._shift(-_STEP_DB)
            case Qt.Key.Key_PageUp:
                self.set_range(low - 5, high)
            case Qt.Key.Key_PageDown:
                self.set_range(min(low + 5, high - MIN_RANGE_DB), high)
            case Qt.Key.Key_Home:
                self.set_range(*self._default)
            case _:
                event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.item.show_focus(focused=True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus."""
        super().focusOutEvent(event)
        self.item.show_focus(focused=False)


class _LevelAxis(ThemedAxis):
    """Levels of the colours in dBFS."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("right", theme)
        self.setWidth(40)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> TickLevels:  # noqa: N803
        """Both ends, and multiples of 10 dB in between."""
        step = next((s for s in (10, 20, 40) if s / max(maxVal - minVal, 1) * size >= 40), 40)
        room = (maxVal - minVal) * 18 / max(size, 1)
        inner = [
            float(level)
            for level in range(int(minVal // step) * step, 1, step)
            if minVal + room < level < maxVal - room
        ]
        return [(step, [minVal, *inner, maxVal])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Whole decibels."""
        return [with_minus(f"{value:.0f}") for value in values]


class _Bar(pg.ColorBarItem):
    """The bar; emits `reset` on a double-click."""

    reset = Signal()

    def __init__(self, theme: Theme, levels: tuple[float, float]) -> None:
        # `ColorBarItem` passes no axes to `PlotItem`, so its axis is replaced afterwards.
        super().__init__(
            values=levels,
            width=_BAR_WIDTH,
            limits=(MIN_DB, MAX_DB),
            rounding=1,
            colorMapMenu=False,
            pen=theme.colour("text"),
            hoverBrush=theme.colour("text", 40),
        )
        self.layout.setContentsMargins(0, 0, 0, 0)
        for name in ("left", "top", "bottom"):
            self.hideAxis(name)
        self.setAxisItems({"right": _LevelAxis(theme)})
        self.axis = self.getAxis("right")
        self.axis.unlinkFromView()
        self.axis.setRange(*levels)
        self._focused = False

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.axis.set_theme(theme)
        for line in self.region.lines:
            line.setPen(theme.colour("window"))
            line.setHoverPen(theme.colour("accent"))
            line.clearMarkers()
            line.addMarker("|>", position=0, size=7)
            line.addMarker("<|", position=1, size=7)
        self.show_focus(focused=self._focused)

    def show_focus(self, *, focused: bool) -> None:
        """Draw the frame in the colour of the focus."""
        self._focused = focused
        self.vb.setBorder(self._theme.colour("source" if focused else "border"))

    def mouseClickEvent(self, event: Any) -> None:
        """Reset on a double-click."""
        if event.double():
            self.reset.emit()
            event.accept()
