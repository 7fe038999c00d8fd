"""The colour bar: pyqtgraph's ``ColorBarItem`` with a keyboard, in the theme's colours."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent

from gui.spectrogram.axes import TIME_HEIGHT, ThemedAxis, level_labels
from gui.spectrogram.color_maps import MIN_DB
from gui.widgets.theme import Theme

MAX_DB = 0.0
MIN_RANGE_DB = 20.0
DEFAULT_RANGE_DB = (-110.0, -20.0)
STEP_DB = 2.0
KEY_STEPS_DB: dict[int, tuple[float, float]] = {
    Qt.Key.Key_Up: (STEP_DB, STEP_DB), Qt.Key.Key_Down: (-STEP_DB, -STEP_DB),
    Qt.Key.Key_PageUp: (-5.0, 0.0), Qt.Key.Key_PageDown: (5.0, 0.0),
}  # fmt: skip
"""Steps of the low and the high end."""


class ColourBar(pg.GraphicsLayoutWidget):
    """Drag an end to move it, the middle to shift the range; double-click for the default."""

    changed = Signal(float, float)
    """Low and high end in dBFS."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.range_db = (0.0, 0.0)
        """Low and high end in dBFS."""
        self.setFixedWidth(62)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip(
            "Levels in dBFS. Drag an end of the bar, or its middle; double-click resets.\n"
            "Keys: up and down shift the range, page up and page down widen it, home resets."
        )
        self.ci.layout.setContentsMargins(4, 0, 2, 0)
        self.ci.layout.setSpacing(0)
        self.item = pg.ColorBarItem(
            values=DEFAULT_RANGE_DB, width=14, limits=(MIN_DB, MAX_DB), colorMapMenu=False,
            pen=theme.colour("text"), hoverBrush=theme.colour("text", 40),
        )  # fmt: skip
        self.item.layout.setContentsMargins(0, 0, 0, 0)
        for name in ("left", "top", "bottom"):
            self.item.hideAxis(name)
        # `ColorBarItem` passes no axes to `PlotItem`, so its axis is replaced afterwards.
        self.item.axis = ThemedAxis("right", theme, level_labels)
        self.item.setAxisItems({"right": self.item.axis})
        self.item.axis.setWidth(40)
        self.item.axis.unlinkFromView()
        self.ci.addItem(self.item, 0, 0)
        self.ci.layout.setRowFixedHeight(1, TIME_HEIGHT)
        self.unit = pg.LabelItem("dBFS", size="11px", justify="right")
        self.ci.addItem(self.unit, 1, 0)
        self.item.sigLevelsChanged.connect(self._report)
        self.item.sigLevelsChangeFinished.connect(lambda: self.set_range(*self.item.levels()))
        self.scene().sigMouseClicked.connect(self._clicked)
        self.set_theme(theme)
        self._reset()

    def set_range(self, low_db: float, high_db: float) -> None:
        """Set the range, limited to at least 20 dB between -127.5 and 0 dBFS."""
        low = min(max(low_db, MIN_DB), MAX_DB - MIN_RANGE_DB)
        self.item.setLevels((low, min(max(high_db, low + MIN_RANGE_DB), MAX_DB)))
        self._report()

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.setBackground(theme.colour("window"))
        self.item.axis.set_theme(theme)
        self.unit.setText("dBFS", color=theme.muted)
        for line in self.item.region.lines:
            line.setPen(theme.colour("window"))
            line.setHoverPen(theme.colour("accent"))
            line.clearMarkers()
            line.addMarker("|>", position=0, size=7)
            line.addMarker("<|", position=1, size=7)
        self._show_focus()

    def _report(self, *_: object) -> None:
        low, high = self.item.levels()
        if (low, high) != self.range_db:
            self.range_db = low, high
            self.setAccessibleName(f"Colour range, {low:.0f} to {high:.0f} decibels full scale")
            self.changed.emit(low, high)

    def _reset(self) -> None:
        self.set_range(*DEFAULT_RANGE_DB)

    def _clicked(self, event: Any) -> None:
        if event.double():
            self._reset()

    def _move(self, low_by: float, high_by: float) -> None:
        low, high = self.range_db
        if low_by == high_by:
            low_by = high_by = min(max(low_by, MIN_DB - low), MAX_DB - high)
        self.set_range(min(low + low_by, high + high_by - MIN_RANGE_DB), high + high_by)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Shift the range."""
        steps = event.angleDelta().y() / 120
        self._move(steps * STEP_DB, steps * STEP_DB)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Shift, widen and reset by keys."""
        if event.key() == Qt.Key.Key_Home:
            self._reset()
        elif event.key() in KEY_STEPS_DB:
            self._move(*KEY_STEPS_DB[event.key()])
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Show the focus."""
        handled = super().event(event)
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._show_focus()
        return bool(handled)

    def _show_focus(self) -> None:
        self.item.vb.setBorder(self._theme.colour("source" if self.hasFocus() else "border"))
