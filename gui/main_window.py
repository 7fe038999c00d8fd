"""The main window: makes the parts, connects them, remembers, and ends in good order."""

from dataclasses import replace

from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from gui.control.actions import Commands
from gui.control.dialogs import Dialogs
from gui.control.engine_thread import one_line
from gui.control.menu import build_menu
from gui.control.refresh_timer import Ticker
from gui.control.session import Session
from gui.control.user_settings import Memory, Remembered
from gui.engine_interface import Services
from gui.panels.layout import Panels
from gui.panels.shortcuts import Keyboard
from gui.panels.transport import find_file
from gui.widgets import theme as themes
from gui.widgets.icons import app_icon
from gui.widgets.theme import ThemeChoice
from realtime.engine.settings import Settings
from realtime.errors import TopoctaveError
from realtime.inference.model_file import ModelInfo


class MainWindow(QMainWindow):
    """The whole program.

    Args:
        services: The engine and the devices.
        memory: What is remembered.
        settings: What the command line asked for; None for what is remembered.
        dialogs: Who asks for files.
    """

    def __init__(
        self,
        services: Services,
        memory: Memory,
        settings: Settings | None = None,
        dialogs: Dialogs | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("Topoctave")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(1080, 600)
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self._asked = settings
        self._memory = memory
        self._kept: Remembered = memory.load()
        self._closed = False
        self.theme = themes.resolve(self._kept.theme)
        self.panels = Panels(self.theme, settings or self._kept_settings())
        self.setCentralWidget(self.panels)
        self.session = Session(self.panels, services, asked=settings, remembered=self._kept)
        self.commands = Commands(self, self.session, dialogs or Dialogs())
        self.ticker = Ticker(self, self.session)
        self._keyboard = Keyboard(self, self.commands.act, self.commands.release)
        self._connect()
        self.panels.transport.set_models(self._models(services))
        self._restore()
        self.session.begin()

    def _kept_settings(self) -> Settings:
        kept = self._kept
        return Settings(model=kept.model, block_samples=kept.block_samples, loop=kept.loop)

    def _models(self, services: Services) -> list[ModelInfo]:
        try:
            return services.list_models()
        except (TopoctaveError, OSError) as error:
            # One damaged file must not keep the window from opening.
            self.session.notices.error(one_line(error))
            return []

    def _connect(self) -> None:
        panels, act = self.panels, self.commands.act
        transport, view, listening = panels.transport, panels.view_bar, panels.listening
        transport.toggled.connect(self.session.toggle)
        transport.changed.connect(self.session.settings_changed)
        transport.refresh_asked.connect(self.session.refresh)
        for asked, action in (
            (transport.open_asked, "open"),
            (transport.save_asked, "save"),
            (transport.record_asked, "record"),
            (listening.blind_asked, "blind"),
            (panels.performance.reset_asked, "reset"),
            (panels.abx.export_asked, "export"),
        ):
            asked.connect(lambda name=action: act(name))
        listening.changed.connect(self._parameters_changed)
        view.sought.connect(self._seek)
        view.looped.connect(self._loop)
        view.scale_chosen.connect(lambda scale: self._look(scale=scale))
        view.spectrum_toggled.connect(lambda on: self._look(spectrum=on))
        view.wave_toggled.connect(lambda on: self._look(wave=on))
        view.freeze_toggled.connect(panels.spectrograms.set_frozen)
        panels.spectrograms.read_out.connect(panels.status.read_out.setText)
        panels.spectrograms.range_changed.connect(
            lambda low, high: self._look(low_db=low, high_db=high)
        )
        panels.abx.bypass_wanted.connect(listening.set_bypass)
        panels.abx.left.connect(lambda: self.commands.set_blind(False))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_theme)

    def _restore(self) -> None:
        kept, view = self._kept, self.panels.view_bar
        self.commands.folder = kept.folder
        self.panels.listening.restore(kept.parameters, match=kept.match)
        view.loop.setChecked(self.panels.transport.settings.loop)
        view.spectrum.setChecked(kept.look.spectrum)
        view.wave.setChecked(kept.look.wave)
        view.scales[kept.look.scale].setChecked(True)
        self.panels.spectrograms.set_look(kept.look)
        geometry = self._memory.geometry()
        if geometry is not None:
            self.restoreGeometry(geometry)
        self.panels.transport.menu.setMenu(
            build_menu(
                self,
                act=self.commands.act,
                colour_map=kept.look.colour_map,
                choose_map=lambda chosen: self._look(colour_map=chosen),
                theme=kept.theme,
                choose_theme=self.set_theme_choice,
            )
        )

    def _parameters_changed(self) -> None:
        self.ticker.parameters_changed()
        self.panels.spectrograms.set_bypass(self.panels.listening.ab.bypass)
        self.session.controller.parameters = self.panels.listening.parameters

    def _seek(self, seconds: float) -> None:
        engine = self.session.controller.engine
        if engine is not None:
            engine.seek(seconds)

    def _loop(self, loop: bool) -> None:
        transport = self.panels.transport
        if loop != transport.settings.loop:
            transport.set_loop(loop)
            if self.session.active and not transport.input_is_device:
                self.session.restart()

    def _look(self, **changes: object) -> None:
        look = replace(self._kept.look, **changes)  # type: ignore[arg-type]
        if look != self._kept.look:
            self._kept = replace(self._kept, look=look)
            self.panels.spectrograms.set_look(look)

    def set_theme_choice(self, choice: ThemeChoice) -> None:
        """Dark, light, or like the system."""
        self._kept = replace(self._kept, theme=choice)
        self._apply_theme()

    def _apply_theme(self, *_: object) -> None:
        theme = themes.resolve(self._kept.theme)
        if theme != self.theme:
            self.theme = theme
            app = QApplication.instance()
            if isinstance(app, QApplication):
                themes.apply(app, theme)
            self.panels.set_theme(theme)

    def _remember(self) -> None:
        transport, listening = self.panels.transport, self.panels.listening
        settings = transport.settings
        kept = replace(
            self._kept,
            match=listening.match.isChecked(),
            # Without what the loudness match added.
            parameters=replace(listening.parameters, output_gain_db=listening.output_gain.value),
            silenced=self.session.notices.silenced,
            folder=self.commands.folder,
        )
        if self._asked is None:
            given, played = transport.input.chosen, transport.output.chosen
            kept = replace(
                kept,
                input_key=given.key if given else "",
                # A file that was written is not to be written over by the next start.
                output_key=played.key if played and not find_file(played.key) else "",
                model=settings.model,
                block_samples=settings.block_samples,
                loop=settings.loop,
            )
        self._memory.save(kept)
        self._memory.save_geometry(self.saveGeometry())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take sound files."""
        if _dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Play what was dropped."""
        if path := _dropped_file(event):
            event.acceptProposedAction()
            self.panels.transport.choose(input_key=path, told=True)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """A key that is held may be let go on any widget; what the widget leaves comes here."""
        self._keyboard.key_released(event)
        super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything within two seconds, and remember."""
        if not self._closed:
            self._closed = True
            self.ticker.stop()
            self._remember()
            self.session.close()
        super().closeEvent(event)


def _dropped_file(event: QDropEvent) -> str:
    """Path of the first sound file that is dragged, or nothing."""
    paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path for path in paths if find_file(path)), "")
