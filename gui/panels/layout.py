"""The panels of the window and their layout."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QHBoxLayout,
    QScrollArea,
    QSlider,
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
from gui.widgets.basic import create, fill
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
        pictures, side = QWidget(), QWidget()
        fill(QVBoxLayout(pictures), self.spectrograms, self.view_bar).setStretch(0, 1)
        self.centre.addWidget(pictures)
        self.centre.addWidget(self.abx)
        panels = self.listening, self.performance, None
        fill(QVBoxLayout(side), *panels, spacing=10, margins=(0, 10, 10, 10))
        # The panels at the right scroll in a low window.
        scroll = create(QScrollArea, widgetResizable=True, focusPolicy=Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFixedWidth(SIDE_WIDTH)
        scroll.setWidget(side)
        notes = fill(QVBoxLayout(), self.banner, margins=(12, 8, 12, 0))
        middle = fill(QHBoxLayout(), self.centre, scroll, spacing=4)
        fill(QVBoxLayout(self), self.transport, notes, middle, self.status).setStretch(2, 1)
        for widget in self.findChildren(QWidget):
            if isinstance(widget, QAbstractButton | QComboBox | QSlider):
                # A click leaves the space bar and the arrow keys to the window.
                widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

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
        for part in (self.transport, self.banner, self.spectrograms, self.performance.ratio):
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
        name = (f"A {a}" if bypass else f"B {b}") if a else ""
        self.spectrograms.set_bypass(bypass, name)

    def show_stopped(self, word: str, *, busy: bool = False) -> None:
        """Show that nothing plays; the spectrograms stay."""
        self.spectrograms.follow(None)
        self.spectrograms.input_meter.reset()
        self.spectrograms.output_meter.reset()
        self.performance.show_idle()
        self.view_bar.show_position(None)
        self.transport.show_running(running=False, busy=busy)
        self.status.show_state(word)
