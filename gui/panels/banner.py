"""The message line of the window: errors, warnings and information."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton

from gui.widgets.basic import create, fill, label, set_tone
from gui.widgets.icon import icon
from gui.widgets.theme import Theme

_SIGNS = {"error": ("✕", "bad"), "warning": ("▲", "warn"), "info": ("●", "info")}


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
        self._waiting: list[Notice] = []  # The first is shown.
        self._sign = label("")
        self.text_label = label("", wordWrap=True)
        self.text_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action = QPushButton()
        self._never = create(QPushButton, text="Don't show again", objectName="link")
        self._close = create(QToolButton, objectName="plain", accessibleName="Dismiss")
        self._close.setToolTip("Dismiss (Escape)")
        parts = self._sign, self.text_label, self._action, self._never, self._close
        fill(QHBoxLayout(self), *parts, spacing=10, margins=(12, 6, 6, 6)).setStretch(1, 1)
        self._close.clicked.connect(self.dismiss)
        self._never.clicked.connect(lambda: self._act(self.silenced, "key"))
        self._action.clicked.connect(lambda: self._act(self.acted, "action"))
        self.set_theme(theme)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """The shown notice."""
        return self._waiting[0] if self._waiting else None

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._close.setIcon(icon("close", theme.muted))

    def show_notice(self, notice: Notice) -> None:
        """Show a notice. An error is shown at once and replaces an older one; others wait."""
        if notice.kind == "error":
            self._waiting = [notice, *(n for n in self._waiting if n.kind != "error")]
        elif notice not in self._waiting:
            self._waiting.append(notice)
        self._update()

    def withdraw(self, **fields: str) -> None:
        """Remove notices with these fields, which no longer apply."""
        self._waiting = [
            notice for notice in self._waiting
            if any(getattr(notice, name) != value for name, value in fields.items())
        ]  # fmt: skip
        self._update()

    def dismiss(self) -> None:
        """Remove the shown notice and show the next."""
        del self._waiting[:1]
        self._update()

    def _act(self, signal: SignalInstance, field: str) -> None:
        text = getattr(self.notice, field)
        self.dismiss()
        signal.emit(text)

    def _update(self) -> None:
        self.setVisible(bool(self._waiting))
        if notice := self.notice:
            sign, tone = _SIGNS[notice.kind]
            self._sign.setText(sign)
            set_tone(self._sign, tone)
            set_tone(self, tone)
            self.text_label.setText(notice.text)
            self.text_label.setAccessibleName(f"{notice.kind}: {notice.text}")
            self._action.setText(notice.action)
            self._action.setVisible(bool(notice.action))
            self._never.setVisible(bool(notice.key))
