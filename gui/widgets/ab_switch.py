"""The A/B switch: two halves, of which the playing one is highlighted."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.theme import Theme, base_font


class AbSwitch(QWidget):
    """A is the original (bypass), B the restored sound."""

    chosen = Signal(bool)
    """True for A (bypass)."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._bypass = False
        self._hover: bool | None = None
        self.setMouseTracking(True)
        self.setFixedHeight(76)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(
            "A: the input upsampled without the network. B: with the restored octave.\n"
            "Press B on the keyboard to switch, hold it to compare."
        )
        self.set_bypass(False)

    def sizeHint(self) -> QSize:
        """The width of the panel."""
        return QSize(260, 76)

    @property
    def bypass(self) -> bool:
        """True if A plays."""
        return self._bypass

    def set_bypass(self, bypass: bool) -> None:
        """Show A or B as playing."""
        self._bypass = bypass
        self._update_accessible_name()
        self.update()

    def _update_accessible_name(self) -> None:
        heard = "A, original" if self._bypass else "B, restored"
        # Disabled in a blind test: a screen reader must not read the answer.
        said = f"listening to {heard}" if self.isEnabled() else "hidden"
        self.setAccessibleName(f"A B comparison, {said}")

    def changeEvent(self, event: QEvent) -> None:
        """Hide the accessible state while disabled."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._update_accessible_name()

    def _half(self, x: float) -> bool:
        return x < self.width() / 2

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the pressed half."""
        if event.button() is Qt.MouseButton.LeftButton and self.isEnabled():
            self.chosen.emit(self._half(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the half under the mouse."""
        self._hover = self._half(event.position().x())
        self.update()

    def leaveEvent(self, event: object) -> None:
        """Remove the highlight."""
        self._hover = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows choose, Enter and Space switch."""
        match event.key():
            case Qt.Key.Key_Left:
                self.chosen.emit(True)
            case Qt.Key.Key_Right:
                self.chosen.emit(False)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.chosen.emit(not self._bypass)
            case _:
                super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both halves."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self.theme
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.colour("source" if self.hasFocus() else "border"), 1))
        painter.setBrush(theme.colour("track"))
        painter.drawRoundedRect(frame, 9, 9)
        middle = frame.center().x()
        for is_a, letter, word in ((True, "A", "Original"), (False, "B", "Restored")):
            left = frame.left() if is_a else middle
            half = QRectF(left, frame.top(), frame.width() / 2, frame.height())
            self._paint_half(painter, half.adjusted(4, 4, -4, -4), is_a, letter, word)
        painter.end()

    def _paint_half(
        self, painter: QPainter, box: QRectF, is_a: bool, letter: str, word: str
    ) -> None:
        theme = self.theme
        lit = is_a is self._bypass and self.isEnabled()
        name = "source" if is_a else "accent"
        if lit or self._hover is is_a:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(name if lit else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        ink = theme.colour(f"on_{name}" if lit else "muted")
        painter.setPen(ink)
        painter.setFont(base_font(26, weight=QFont.Weight.Bold))
        painter.drawText(box.adjusted(0, 4, 0, -22), Qt.AlignmentFlag.AlignCenter, letter)
        painter.setFont(base_font(12, weight=QFont.Weight.DemiBold))
        text = f"{word}, playing" if lit else word
        painter.drawText(box.adjusted(0, 38, 0, -4), Qt.AlignmentFlag.AlignCenter, text)
