"""The message line of the window: errors, warnings and information."""

from collections import deque
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton

from gui.widgets.basic import label
from gui.widgets.icon import icon
from gui.widgets.theme import Theme

_SIGNS = {"error": "✕", "warning": "▲", "info": "●"}


@dataclass(frozen=True)
class Notice:
    """One message.

    Attributes:
        kind: error, warning or info.
        text: One line.
        key: Identifies the notice for "don't show again"; empty if it always shows.
        action: Text of the button, emitted by :attr:`Banner.acted`; empty for none.
    """

    kind: str
    text: str
    key: str = ""
    action: str = ""


class Banner(QFrame):
    """Shows one notice at a time, errors first; hidden without one."""

    silenced = Signal(str)
    """Key of a notice that must not be shown again."""
    acted = Signal(str)
    """The action whose button was pressed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.theme = theme
        self.notice: Notice | None = None
        self._waiting: deque[Notice] = deque()
        self._sign = label("")
        self._text = label("")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action = QPushButton()
        self._never = QPushButton("Don't show again")
        self._never.setObjectName("link")
        self._close = QToolButton()
        self._close.setObjectName("plain")
        self._close.setAccessibleName("Dismiss")
        self._close.setToolTip("Dismiss (Escape)")
        for button in (self._action, self._never, self._close):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10)
        row.addWidget(self._sign)
        row.addWidget(self._text, 1)
        row.addWidget(self._action)
        row.addWidget(self._never)
        row.addWidget(self._close)
        self._close.clicked.connect(self.dismiss)
        self._never.clicked.connect(self._silence)
        self._action.clicked.connect(self._act)
        self.set_theme(theme)
        self.hide()

    @property
    def text_label(self) -> QLabel:
        """The label with the text."""
        return self._text

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.theme = theme
        self._close.setIcon(icon("close", theme.muted))
        if self.notice is not None:
            self._show(self.notice)

    def show_notice(self, notice: Notice) -> None:
        """Show a notice. An error is shown at once; others wait."""
        if notice == self.notice or notice in self._waiting:
            return
        if self.notice is None or notice.kind == "error":
            if self.notice is not None and self.notice.kind != "error":
                self._waiting.appendleft(self.notice)
            self._show(notice)
        else:
            self._waiting.append(notice)

    def withdraw(self, *, kind: str = "", key: str = "") -> None:
        """Remove notices that no longer apply."""
        self._waiting = deque(n for n in self._waiting if not _matches(n, kind, key))
        if self.notice is not None and _matches(self.notice, kind, key):
            self.dismiss()

    def dismiss(self) -> None:
        """Remove the current notice and show the next."""
        if self._waiting:
            self._show(self._waiting.popleft())
        else:
            self.notice = None
            self.hide()

    def _show(self, notice: Notice) -> None:
        self.notice = notice
        self.setProperty("kind", notice.kind)
        self.style().unpolish(self)
        self.style().polish(self)
        colour = {"error": "bad", "warning": "warn"}.get(notice.kind, "source")
        self._sign.setText(_SIGNS[notice.kind])
        self._sign.setStyleSheet(f"color: {getattr(self.theme, colour)}")
        self._text.setText(notice.text)
        self._text.setAccessibleName(f"{notice.kind}: {notice.text}")
        self._action.setText(notice.action)
        self._action.setVisible(bool(notice.action))
        self._never.setVisible(bool(notice.key))
        self.show()

    def _silence(self) -> None:
        if self.notice is not None:
            self.silenced.emit(self.notice.key)
            self.dismiss()

    def _act(self) -> None:
        if self.notice is not None:
            action = self.notice.action
            self.dismiss()
            self.acted.emit(action)


def _matches(notice: Notice, kind: str, key: str) -> bool:
    return (not kind or notice.kind == kind) and (not key or notice.key == key)
