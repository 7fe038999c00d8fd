"""The panels of the window and their layout."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
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
from gui.spectrogram.view import ORIGINAL, RESTORED, Spectrograms
from gui.widgets.theme import Theme
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Snapshot

SIDE_WIDTH = 308


class Panels(QWidget):
    """Transport at the top, spectrograms in the middle, listening and performance at the right."""

    def __init__(self, theme: Theme, settings: Settings, actions: Actions) -> None:
        super().__init__()
        self.transport = Transport(theme, settings, actions)
        self.banner = Banner(theme)
        self.spectrograms = Spectrograms(theme)
        self.view_bar = ViewBar(actions)
        self.listening = Listening(actions)
        self.performance = Performance(theme, actions)
        self.abx = AbxPage(actions)
        self.status = StatusBar()
        self.centre = QStackedWidget()
        self._names = "", ""
        pictures = QWidget()
        _fill(QVBoxLayout(pictures), self.spectrograms, self.view_bar).setStretch(0, 1)
        self.centre.addWidget(pictures)
        self.centre.addWidget(self.abx)
        notes = _fill(QVBoxLayout(), self.banner)
        notes.setContentsMargins(12, 8, 12, 0)
        middle = _fill(QHBoxLayout(), self.centre, self._side())
        middle.setSpacing(4)
        column = _fill(QVBoxLayout(self), self.transport)
        column.addLayout(notes)
        column.addLayout(middle, 1)
        column.addWidget(self.status)

    def _side(self) -> QScrollArea:
        """The right-hand panels; they scroll in a low window."""
        side = QWidget()
        column = _fill(QVBoxLayout(side), self.listening, self.performance)
        column.setContentsMargins(0, 10, 10, 10)
        column.setSpacing(10)
        column.addStretch(1)
        scroll = QScrollArea()
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
        self.centre.setCurrentIndex(int(blind))
        self.listening.set_blind(blind)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        for part in (self.transport, self.banner, self.spectrograms, self.performance):
            part.set_theme(theme)

    def show_models(self, snapshot: Snapshot) -> None:
        """Name what A and B play: two networks, or the original and the restored sound."""
        self._names = snapshot.model_b, snapshot.model
        self.listening.set_names(*self._names)
        self.abx.set_names(*self._names)
        self.show_heard()

    def show_heard(self) -> None:
        """Write over the output's spectrogram what plays."""
        bypass, (a, b) = self.listening.ab.bypass, self._names
        note = ORIGINAL if bypass else RESTORED
        if a:
            note = f"restored by A {a}" if bypass else f"restored by B {b}"
        self.spectrograms.output_plot.note.set_text(note)

    def show_stopped(self, word: str, *, busy: bool = False) -> None:
        """Show that nothing plays; the spectrograms stay."""
        self.spectrograms.follow(None)
        self.spectrograms.input_meter.reset()
        self.spectrograms.output_meter.reset()
        self.performance.show_idle()
        self.view_bar.show_position(None)
        self.transport.show_running(running=False, busy=busy)
        self.status.show_state(word)


def _fill(layout: QBoxLayout, *parts: QWidget) -> QBoxLayout:
    """Add widgets without margins and gaps."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part)
    return layout
