"""The panels of the window and their layout."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.control.actions import Actions
from gui.panels.abx import AbxPage
from gui.panels.banner import Banner
from gui.panels.listening import Listening
from gui.panels.performance import Performance
from gui.panels.status_bar import StatusBar
from gui.panels.transport import Transport
from gui.panels.view_bar import ViewBar
from gui.spectrogram.view import Spectrograms
from gui.widgets.theme import Theme
from realtime.engine.settings import Settings

SIDE_WIDTH = 308


class Panels(QWidget):
    """Transport at the top, spectrograms in the middle, listening and performance at the right."""

    def __init__(self, theme: Theme, settings: Settings, actions: Actions) -> None:
        super().__init__()
        self.transport = Transport(theme, settings, actions)
        self.banner = Banner(theme)
        self.spectrograms = Spectrograms(theme)
        self.view_bar = ViewBar(actions)
        self.listening = Listening(theme, actions)
        self.performance = Performance(theme, actions)
        self.abx = AbxPage(actions)
        self.status = StatusBar(theme)
        self.centre = QStackedWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        pictures = QWidget()
        _column(pictures, self.spectrograms, self.view_bar, stretched=self.spectrograms)
        self.centre.addWidget(pictures)
        self.centre.addWidget(self.abx)
        middle = QHBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(4)
        middle.addWidget(self.centre, 1)
        middle.addWidget(self._side())
        notes = QVBoxLayout()
        notes.setContentsMargins(12, 8, 12, 0)
        notes.addWidget(self.banner)
        column = _column(self, self.transport)
        column.addLayout(notes)
        column.addLayout(middle, 1)
        column.addWidget(self.status)

    def _side(self) -> QScrollArea:
        """The right-hand panels; they scroll in a low window."""
        side = QWidget()
        column = _column(side, self.listening, self.performance)
        column.setContentsMargins(0, 10, 10, 10)
        column.setSpacing(10)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFixedWidth(SIDE_WIDTH)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(side)
        return scroll

    @property
    def blind(self) -> bool:
        """True while the blind test replaces the spectrograms."""
        return self.centre.currentWidget() is self.abx

    def show_blind(self, blind: bool) -> None:
        """Show the blind test or the spectrograms."""
        self.centre.setCurrentIndex(1 if blind else 0)
        self.listening.set_blind(blind)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self.transport.set_theme(theme)
        self.banner.set_theme(theme)
        self.spectrograms.set_theme(theme)
        self.listening.set_theme(theme)
        self.performance.set_theme(theme)
        self.status.set_theme(theme)

    def show_stopped(self, word: str, *, busy: bool = False) -> None:
        """Show that nothing plays; the spectrograms stay."""
        self.spectrograms.follow(None)
        self.spectrograms.input_meter.reset()
        self.spectrograms.output_meter.reset()
        self.performance.show_idle()
        self.view_bar.show_position(None)
        self.transport.show_running(running=False, busy=busy)
        self.status.show_state(word)


def _column(parent: QWidget, *parts: QWidget, stretched: QWidget | None = None) -> QVBoxLayout:
    column = QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        column.addWidget(part, 1 if part is stretched else 0)
    return column
