"""The main window: creates and connects the panels, restores and saves settings, closes."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu

from gui.control.actions import Actions
from gui.control.commands import Commands
from gui.control.dialogs import Dialogs
from gui.control.engine_thread import one_line
from gui.control.keyboard import Keyboard
from gui.control.menu import build_menu, choice_menu, recent_menu, thread_choices
from gui.control.refresh_timer import RefreshTimer
from gui.control.session import Session
from gui.control.user_settings import Preferences, UserSettings
from gui.engine_interface import Services
from gui.panels.layout import Panels
from gui.panels.transport import is_audio_file
from gui.restore.window import dropped_paths
from gui.spectrogram.analysis.spectra import Slope
from gui.spectrogram.color_maps import ColourMap
from gui.spectrogram.frequency_scale import Scale
from gui.widgets import theme as themes
from gui.widgets.icon import app_icon
from gui.widgets.theme import ThemeChoice
from realtime.engine.settings import Settings
from realtime.errors import TopoctaveError
from realtime.inference.model_file import ModelInfo


class MainWindow(QMainWindow):
    """The window of the program.

    Args:
        services: The engine and the devices.
        user_settings: Loads and saves the settings.
        settings: Settings of the command line; None for the saved ones.
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
        self.setWindowIcon(app_icon())
        self.setMinimumSize(1080, 600)
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self._requested = settings
        self._user_settings = user_settings
        self._preferences: Preferences = user_settings.load()
        self._closed = False
        self.theme = themes.resolve(self._preferences.theme)
        self.window_actions = Actions(self)
        self.window_actions.set_theme(self.theme)
        self.panels = Panels(self.theme, settings or self._saved_settings(), self.window_actions)
        self.setCentralWidget(self.panels)
        self.session = Session(
            self.panels, services, requested=settings, preferences=self._preferences
        )
        self.commands = Commands(self, self.session, self.window_actions, dialogs or Dialogs())
        self.refresh_timer = RefreshTimer(self, self.session)
        self._keyboard = Keyboard(self, self.window_actions, self.commands.release)
        self._connect()
        self.panels.transport.set_models(self._models(services))
        self._restore()
        self.session.begin()

    def _saved_settings(self) -> Settings:
        saved = self._preferences
        return Settings(
            model=saved.model,
            block_samples=saved.block_samples,
            loop=saved.loop,
            compute=saved.compute,
            threads=saved.threads or None,
        )

    def _models(self, services: Services) -> list[ModelInfo]:
        try:
            return services.list_models()
        except (TopoctaveError, OSError) as error:
            # One damaged model file must not prevent the window from opening.
            self.session.notices.error(one_line(error))
            return []

    def _connect(self) -> None:
        panels, actions = self.panels, self.window_actions
        transport, view, listening = panels.transport, panels.view_bar, panels.listening
        transport.changed.connect(self.session.settings_changed)
        listening.changed.connect(self._parameters_changed)
        view.seek_requested.connect(self._seek)
        actions["loop"].toggled.connect(self._loop)
        for scale in Scale:
            actions[scale.value].triggered.connect(
                lambda _=False, chosen=scale: self._change_view(scale=chosen)
            )
        actions["spectrum"].toggled.connect(lambda on: self._change_view(spectrum=on))
        actions["wave"].toggled.connect(lambda on: self._change_view(wave=on))
        for name in ("long_term", "hold"):
            actions[name].toggled.connect(partial(self._change_spectrum, name))
        actions["freeze"].toggled.connect(self._freeze)
        actions["loop_picture"].toggled.connect(panels.spectrograms.loop.set_wanted)
        panels.spectrograms.freeze_requested.connect(actions["freeze"].setChecked)
        panels.spectrograms.menu_requested.connect(self._show_plot_menu)
        panels.spectrograms.read_out.connect(panels.status.read_out.setText)
        panels.spectrograms.range_changed.connect(
            lambda low, high: self._change_view(low_db=low, high_db=high)
        )
        panels.abx.bypass_requested.connect(listening.set_bypass)
        panels.abx.closed.connect(lambda: self.commands.set_blind(False))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_theme)

    def _restore(self) -> None:
        preferences, actions = self._preferences, self.window_actions
        self.commands.folder = preferences.folder
        self.panels.listening.restore(preferences.parameters, match=preferences.match)
        actions["loop"].setChecked(self.panels.transport.settings.loop)
        for name in ("long_term", "hold", "spectrum", "wave"):
            actions[name].setChecked(getattr(preferences.view, name))
        self._freeze(False)
        actions[preferences.view.scale.value].setChecked(True)
        self.panels.spectrograms.set_view_settings(preferences.view)
        geometry = self._user_settings.geometry()
        if geometry is not None:
            self.restoreGeometry(geometry)
        self.panels.transport.menu.setMenu(build_menu(self, actions, self._submenus()))

    def _submenus(self) -> list[QMenu]:
        preferences, transport = self._preferences, self.panels.transport
        settings = transport.settings
        return [
            recent_menu(
                self,
                lambda: self.session.recent_files,
                lambda path: transport.open_file(path),
            ),
            choice_menu(
                "Compute on", self,
                [("auto", "Automatic"), ("cpu", "CPU"), ("cuda", "GPU (CUDA)")],
                settings.compute, lambda compute: transport.change(compute=compute),
            ),
            choice_menu(
                "CPU threads", self, thread_choices(), settings.threads or 0,
                lambda threads: transport.change(threads=threads or None),
            ),
            choice_menu(
                "Colours of the spectrograms", self,
                [(kind, kind.label) for kind in ColourMap],
                preferences.view.colour_map, lambda kind: self._change_view(colour_map=kind),
            ),
            choice_menu(
                "Slope of the spectra", self, [(slope, slope.label) for slope in Slope],
                preferences.view.slope, lambda slope: self._change_view(slope=slope),
            ),
            choice_menu(
                "Theme", self, [(theme, theme.label) for theme in ThemeChoice],
                preferences.theme, self.set_theme_choice,
            ),
        ]  # fmt: skip

    def _show_plot_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in (
            "live",
            "freeze",
            "loop_picture",
            "long_term",
            "hold",
            "copy_values",
            "copy_picture",
            "save_picture",
        ):
            menu.addAction(self.window_actions[name])
        menu.popup(at)

    def _parameters_changed(self) -> None:
        self.refresh_timer.parameters_changed()
        self.panels.spectrograms.set_bypass(self.panels.listening.ab.bypass)
        self.session.engine_thread.parameters = self.panels.listening.parameters

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

    def _change_spectrum(self, name: str, on: bool) -> None:
        self._change_view(**{name: on})
        if on:
            self.window_actions["spectrum"].setChecked(True)

    def _loop(self, loop: bool) -> None:
        transport = self.panels.transport
        if loop != transport.settings.loop:
            transport.set_loop(loop)
            if self.session.active and not transport.input_is_device:
                self.session.restart()

    def _change_view(self, **changes: object) -> None:
        view_settings = replace(self._preferences.view, **changes)  # type: ignore[arg-type]
        if view_settings != self._preferences.view:
            self._preferences = replace(self._preferences, view=view_settings)
            self.panels.spectrograms.set_view_settings(view_settings)

    def set_theme_choice(self, choice: ThemeChoice) -> None:
        """Use the dark, the light or the system's theme."""
        self._preferences = replace(self._preferences, theme=choice)
        self._apply_theme()

    def _apply_theme(self, *_: object) -> None:
        theme = themes.resolve(self._preferences.theme)
        if theme != self.theme:
            self.theme = theme
            app = QApplication.instance()
            if isinstance(app, QApplication):
                themes.apply(app, theme)
            self.window_actions.set_theme(theme)
            self.panels.set_theme(theme)

    def _save_settings(self) -> None:
        transport, listening = self.panels.transport, self.panels.listening
        settings = transport.settings
        preferences = replace(
            self._preferences,
            match=listening.match.isChecked(),
            # Without the gain of the loudness match.
            parameters=replace(listening.parameters, output_gain_db=listening.output_gain.value),
            silenced=self.session.notices.silenced,
            folder=self.commands.folder,
            recent=self.session.recent_files,
        )
        if self._requested is None:
            source, destination = transport.input.chosen, transport.output.chosen
            preferences = replace(
                preferences,
                input_key=source.key if source else "",
                # The next start must not overwrite a written file.
                output_key=destination.key
                if destination and not is_audio_file(destination.key)
                else "",
                model=settings.model,
                block_samples=settings.block_samples,
                loop=settings.loop,
                compute=settings.compute,
                threads=settings.threads or 0,
            )
        self._user_settings.save(preferences)
        self._user_settings.save_geometry(self.saveGeometry())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept sound files."""
        if dropped_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Play a dropped file; restore several files or a folder."""
        paths = dropped_paths(event)
        if not paths:
            return
        event.acceptProposedAction()
        if len(paths) == 1 and not paths[0].is_dir():
            self.panels.transport.open_file(str(paths[0]))
        else:
            self.commands.restore(paths)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Forward key releases that the focused widget ignored."""
        self._keyboard.key_released(event)
        super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything within two seconds and save the settings."""
        if not self._closed:
            self._closed = True
            self.refresh_timer.stop()
            self._save_settings()
            self.commands.restore_window.close()
            self.session.close()
        super().closeEvent(event)
