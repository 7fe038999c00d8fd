"""The main window: creates and connects the panels, restores and saves settings, closes."""

import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QMainWindow,
    QMenu,
    QWidget,
)

from gui.control.actions import MENU, PLOT_MENU, Actions
from gui.control.commands import Commands
from gui.control.dialogs import Dialogs
from gui.control.engine_thread import Services, one_line
from gui.control.refresh_timer import RefreshTimer
from gui.control.session import Session
from gui.control.user_settings import Preferences, UserSettings
from gui.panels.layout import Panels
from gui.panels.transport import is_audio_file
from gui.restore.jobs import dropped_paths
from gui.spectrogram.analysis.spectra import Slope
from gui.spectrogram.color_bar import ColourBar
from gui.spectrogram.color_maps import ColourMap
from gui.spectrogram.frequency_scale import Scale
from gui.spectrogram.view import ViewSettings
from gui.widgets import theme as themes
from gui.widgets.ab_switch import AbSwitch
from gui.widgets.theme import ThemeChoice
from realtime.engine.settings import Settings
from realtime.errors import TopoctaveError
from realtime.inference.model_file import ModelInfo

CLOSE_S = 1.5
"""Limit for all that must end, so that the window closes within two seconds."""
_MOVES = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home)

SPECTRUM_ACTIONS = ("spectrum", "long_term", "hold", "wave")
"""Checkable actions that are fields of :class:`gui.spectrogram.view.ViewSettings`."""


class MainWindow(QMainWindow):
    """The window of the program.

    Args:
        services: The engine and the devices.
        user_settings: Loads and saves the settings.
        settings: Settings to use instead of the saved ones, which then stay as they are.
        dialogs: File dialogs.
    """

    def __init__(
        self,
        services: Services,
        user_settings: UserSettings,
        settings: Settings | None = None,
        dialogs: Dialogs | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("Topoctave")
        self.setMinimumSize(1080, 600)
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self._user_settings = user_settings
        self._saves_settings = settings is None
        self._preferences = user_settings.load()
        self._view = self._preferences.view
        self._closed = False
        self.theme = themes.resolve(self._preferences.theme)
        self.window_actions = Actions(self)
        self.window_actions.set_theme(self.theme)
        settings = settings or self._preferences.settings
        self.panels = Panels(self.theme, settings, self.window_actions)
        self.setCentralWidget(self.panels)
        self.session = Session(self.panels, services, settings, self._preferences)
        self.commands = Commands(self, self.session, self.window_actions, dialogs or Dialogs())
        self.refresh_timer = RefreshTimer(self, self.session)
        self._restore()
        self._connect()
        self.panels.transport.set_models(self._models(services))
        self.session.refresh(rescan=False)

    def _models(self, services: Services) -> list[ModelInfo]:
        try:
            return services.list_models()
        except (TopoctaveError, OSError) as error:
            # One damaged model file must not prevent the window from opening.
            self.session.notices.error(one_line(error))
            return []

    def _restore(self) -> None:
        preferences, actions, panels = self._preferences, self.window_actions, self.panels
        actions.choose("theme", preferences.theme)
        actions.choose("colours", preferences.view.colour_map)
        actions.choose("scale", preferences.view.scale)
        actions.choose("slope", preferences.view.slope)
        for name in SPECTRUM_ACTIONS:
            actions[name].setChecked(getattr(preferences.view, name))
        self._freeze(False)
        actions["loop"].setChecked(panels.transport.settings.loop)
        panels.spectrograms.set_view_settings(preferences.view)
        panels.listening.restore(preferences.parameters, match=preferences.match)
        self._parameters_changed()
        self.restoreGeometry(QByteArray.fromBase64(preferences.geometry.encode()))

    def _connect(self) -> None:
        panels, actions, groups = self.panels, self.window_actions, self.window_actions.groups
        transport, pictures = panels.transport, panels.spectrograms
        transport.changed.connect(self.session.settings_changed)
        panels.listening.changed.connect(self._parameters_changed)
        panels.abx.bypass_requested.connect(panels.listening.set_bypass)
        panels.view_bar.seek_requested.connect(self._seek)
        actions["loop"].toggled.connect(self._loop)
        actions["freeze"].toggled.connect(self._freeze)
        actions["loop_picture"].toggled.connect(pictures.loop.set_wanted)
        pictures.freeze_requested.connect(actions["freeze"].setChecked)
        pictures.menu_requested.connect(self._show_plot_menu)
        pictures.read_out.connect(panels.status.read_out.setText)
        for name in ("long_term", "hold"):
            # They change what the spectrum shows, so it is shown.
            actions[name].toggled.connect(
                lambda on: actions["spectrum"].setChecked(on or actions["spectrum"].isChecked())
            )
        for changed in (*(actions[name].toggled for name in SPECTRUM_ACTIONS),
                        *(groups[name].triggered for name in ("scale", "colours", "slope")),
                        pictures.range_changed):  # fmt: skip
            changed.connect(self._change_view)
        groups["compute"].triggered.connect(lambda action: transport.change(compute=action.data()))
        groups["threads"].triggered.connect(
            lambda action: transport.change(threads=action.data() or None)
        )
        groups["theme"].triggered.connect(self._apply_theme)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_theme)
        self._recent = QMenu("Recent files", self, toolTipsVisible=True)
        self._recent.triggered.connect(lambda action: transport.open_file(action.data()))
        menu = actions.menu(MENU, {"recent": self._recent})
        menu.aboutToShow.connect(self._update_menu)
        transport.menu.setMenu(menu)

    def _update_menu(self) -> None:
        settings = self.panels.transport.settings
        self.window_actions.choose("compute", settings.compute)
        self.window_actions.choose("threads", settings.threads or 0)
        self._recent.clear()
        for path in self.session.recent_files:
            action = self._recent.addAction(Path(path).name)
            action.setData(path)
            action.setToolTip(path)

    def _show_plot_menu(self, at: QPoint) -> None:
        menu = self.window_actions.menu(PLOT_MENU)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def _parameters_changed(self) -> None:
        self.refresh_timer.parameters_changed()
        self.panels.show_heard()
        engine = self.session.engine_thread.engine
        if engine is not None:
            engine.parameters = self.panels.listening.parameters

    def _seek(self, seconds: float) -> None:
        engine = self.session.engine_thread.engine
        if engine is not None:
            engine.seek(seconds)

    def _freeze(self, frozen: bool) -> None:
        actions = self.window_actions
        self.panels.spectrograms.set_frozen(frozen)
        # The key loops the frozen picture, or the file.
        actions["loop"].setShortcut("" if frozen else "L")
        actions["loop_picture"].setEnabled(frozen)
        if not frozen:
            actions["loop_picture"].setChecked(False)

    def _loop(self, loop: bool) -> None:
        transport = self.panels.transport
        if loop != transport.settings.loop:
            transport.set_loop(loop)
            if self.session.active and not transport.input_is_device:
                self.session.restart()

    def _change_view(self, *_: object) -> None:
        actions = self.window_actions
        low_db, high_db = self.panels.spectrograms.colour_bar.range_db
        view = ViewSettings(
            scale=Scale(actions.chosen("scale")),
            colour_map=ColourMap(actions.chosen("colours")),
            low_db=low_db,
            high_db=high_db,
            slope=Slope(actions.chosen("slope")),
            **{name: actions[name].isChecked() for name in SPECTRUM_ACTIONS},
        )
        if view != self._view:
            self._view = view
            self.panels.spectrograms.set_view_settings(view)

    def _apply_theme(self, *_: object) -> None:
        theme = themes.resolve(ThemeChoice(self.window_actions.chosen("theme")))
        if theme != self.theme:
            self.theme = theme
            app = QApplication.instance()
            if isinstance(app, QApplication):
                themes.apply(app, theme)
            self.window_actions.set_theme(theme)
            self.panels.set_theme(theme)

    def _save_settings(self) -> None:
        transport, listening, session = self.panels.transport, self.panels.listening, self.session
        settings = self._preferences.settings
        if self._saves_settings:
            settings = transport.settings
            source, target = transport.input.chosen, transport.output.chosen
            if source is not None and target is not None:
                # The next start must not overwrite a written file.
                output = "default" if is_audio_file(target.key) else target.key
                settings = replace(settings, input=source.key, output=output)
        self._user_settings.save(
            Preferences(
                settings=settings,
                # The next start plays B, without the gain of the loudness match.
                parameters=replace(
                    listening.parameters, bypass=False, output_gain_db=listening.output_gain.value
                ),
                view=self._view,
                match=listening.match.isChecked(),
                theme=ThemeChoice(self.window_actions.chosen("theme")),
                silenced=session.notices.silenced,
                folder=session.recording.folder,
                recent=session.recent_files,
                geometry=self.saveGeometry().toBase64().toStdString(),
            )
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept sound files and folders."""
        dropped_paths(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Play a dropped file; restore several files or a folder."""
        self.commands.open(dropped_paths(event))

    def event(self, event: QEvent) -> bool:
        """Leave a key to the focused widget if it wants it, although it is a shortcut.

        Qt asks with a ``ShortcutOverride`` event, which the window gets after the widget.
        """
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.setAccepted(_is_wanted_by(self.focusWidget(), event))
            return event.isAccepted()
        return super().event(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Handle key releases that the focused widget ignored."""
        self.commands.key_released(event)
        super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the settings and stop everything within two seconds."""
        if not self._closed:
            self._closed = True
            deadline = time.monotonic() + CLOSE_S
            self.refresh_timer.stop()
            self._save_settings()
            # Asks the worker to end; what is slow to end is waited for at the same time.
            self.commands.restore_window.close()
            self.session.close(deadline)
            self.commands.restore_window.wait(deadline)
        super().closeEvent(event)


def _is_wanted_by(widget: QWidget | None, event: QKeyEvent) -> bool:
    """Whether a focused widget has its own use for a key."""
    key = event.key()
    if event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
        return False
    if isinstance(widget, QComboBox):
        return not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    if key == Qt.Key.Key_Space:
        # After tabbing to a button, Space means the button.
        return isinstance(widget, QAbstractButton | AbSwitch | ColourBar)
    return key in _MOVES and isinstance(widget, QAbstractSlider | AbSwitch | ColourBar)
