"""The A/B switch: two halves, of which the playing one is highlighted."""

import html

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from gui.widgets.basic import set_tone
from gui.widgets.theme import base_font

HALF_WIDTH = 122
_HALF = (
    "<div style='font-size: 26px; font-weight: 700'>{}</div>"
    "<div style='font-size: 12px; font-weight: 600'>{}</div>"
)


class AbSwitch(QFrame):
    """A is what bypass plays, the original or a second network; B is the network."""

    chosen = Signal(bool)
    """True for A (bypass)."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("switch")
        self.setFixedHeight(76)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.bypass = False
        """True if A plays; see :meth:`set_bypass`."""
        self._halves = {"A": QLabel(), "B": QLabel()}
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 4, 4)
        for half in self._halves.values():
            half.setAlignment(Qt.AlignmentFlag.AlignCenter)
            half.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
            row.addWidget(half)
        self.set_names("", "")

    def set_names(self, a: str, b: str) -> None:
        """Name two networks; an empty `a` names the original and the restored sound."""
        self._names = {"A": a or "Original", "B": b if a else "Restored"}
        what = "A: the input upsampled without the network. B: with the restored octave."
        if a:
            what = f"A: the network {a}. B: the network {b}."
        self.setToolTip(f"{what}\nPress B on the keyboard to switch, hold it to compare.")
        self._update()

    def set_bypass(self, bypass: bool) -> None:
        """Show A or B as playing."""
        self.bypass = bypass
        self._update()

    def _update(self) -> None:
        # Disabled in a blind test: neither the eye nor a screen reader must get the answer.
        heard = "" if not self.isEnabled() else "A" if self.bypass else "B"
        metrics = QFontMetrics(base_font(12, weight=QFont.Weight.DemiBold))
        for letter, half in self._halves.items():
            word = self._names[letter]
            if letter == heard and metrics.horizontalAdvance(f"{word}, playing") <= HALF_WIDTH:
                word = f"{word}, playing"
            word = metrics.elidedText(word, Qt.TextElideMode.ElideRight, HALF_WIDTH)
            half.setText(_HALF.format(letter, html.escape(word)))
            set_tone(half, letter if letter == heard else "")
        said = f"listening to {heard}, {self._names[heard]}" if heard else "hidden"
        self.setAccessibleName(f"A B comparison, {said}")

    def changeEvent(self, event: QEvent) -> None:
        """Hide what plays while disabled."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the pressed half."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.chosen.emit(event.position().x() < self.width() / 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose, Enter and Space switch."""
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right as key:
                self.chosen.emit(key == Qt.Key.Key_Left)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.chosen.emit(not self.bypass)
            case _:
                super().keyPressEvent(event)
