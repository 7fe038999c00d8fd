"""Carries out the actions of the window."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.control.actions import Actions
from gui.control.dialogs import Dialogs, recordings_folder
from gui.control.session import Session
from gui.panels.help import HelpPage, first_steps_text
from gui.panels.view_bar import STEP_S
from gui.restore.restorer import Restorer
from gui.restore.window import RestoreWindow
from gui.spectrogram.picture import picture, save_picture
from realtime.engine.recorder import Recording
from realtime.sample_rates import SAMPLE_RATE_OUT

MIX_STEP_PERCENT = 5
ZOOM_FACTOR = 1.5
_BLIND_KEYS = ("bypass", "listen_a", "blind", "answer_a", "answer_b")


class Commands(QObject):
    """Connects each of :data:`gui.control.actions.ACTIONS` that is not merely a switch."""

    def __init__(
        self, window: QWidget, session: Session, actions: Actions, dialogs: Dialogs
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._dialogs = dialogs
        self.folder = ""
        """Folder of recordings; empty for the music folder."""
        self.restore_window = RestoreWindow(window, dialogs, self._start_restoring)
        self._actions = actions
        self._functions = self._plain_functions()
        for name in {*self._functions, *_BLIND_KEYS}:
            actions[name].triggered.connect(lambda _=False, name=name: self._run(name))
        session.recording.ended.connect(self._recorded)
        session.recording.refused.connect(lambda text: session.notices.error(text))

    def _plain_functions(self) -> dict[str, Callable[[], object]]:
        session, panels = self._session, self._session.panels
        view, listening = panels.view_bar, panels.listening
        plots = panels.spectrograms.plots
        return {
            "start": session.toggle,
            "refresh": session.refresh,
            "bypass": lambda: listening.set_bypass(not listening.ab.bypass),
            "listen_a": lambda: listening.set_bypass(True),
            "blind": lambda: self.set_blind(True),
            "record": self._record,
            "live": self._to_live,
            "zoom_in": lambda: plots.zoom_time(1 / ZOOM_FACTOR),
            "zoom_out": lambda: plots.zoom_time(ZOOM_FACTOR),
            "copy_values": self._copy_values,
            "copy_picture": lambda: QGuiApplication.clipboard().setImage(
                picture(panels.spectrograms)
            ),
            "save_picture": self._save_picture,
            "back": lambda: view.step(-STEP_S),
            "forward": lambda: view.step(STEP_S),
            "more": lambda: self._turn_mix(MIX_STEP_PERCENT),
            "less": lambda: self._turn_mix(-MIX_STEP_PERCENT),
            "reset": self._reset,
            "open": self._open,
            "save": self._save,
            "export": self._export,
            "dismiss": self._dismiss,
            "folder": self._choose_folder,
            "restore": lambda: self.restore([]),
            "unsilence": self._unsilence,
            "help": lambda: HelpPage(self._window).show(),
            "first_steps": self.show_first_steps,
            "about": self._about,
            "menu": panels.transport.menu.showMenu,
            "quit": self._window.close,
        }

    def _run(self, name: str) -> None:
        """Run an action; in a blind test some keys answer, otherwise those keys do nothing."""
        if self._session.panels.blind and name in _BLIND_KEYS:
            self._run_blind(name)
        elif name in self._functions:
            self._functions[name]()

    def release(self, name: str) -> None:
        """A held key was released: switch back after comparing."""
        if name == "bypass" and not self._session.panels.blind:
            self._run("bypass")

    def set_blind(self, blind: bool) -> None:
        """Show the blind test, or the spectrograms."""
        panels = self._session.panels
        if blind == panels.blind:
            return
        panels.show_blind(blind)
        if blind:
            if not self._session.active:
                self._session.start()
            panels.abx.enter()
        else:
            panels.listening.set_bypass(False)

    def _run_blind(self, name: str) -> None:
        abx = self._session.panels.abx
        match name:
            case "bypass":
                abx.play("B")
            case "listen_a":
                abx.play("A")
            case "blind":
                abx.play("X")
            case _:
                abx.answer(said_b=name == "answer_b")

    def _turn_mix(self, percent: int) -> None:
        mix = self._session.panels.listening.mix
        mix.set_value(mix.value + percent)

    def _reset(self) -> None:
        engine = self._session.engine_thread.engine
        if engine is not None:
            engine.reset_counters()
        pictures = self._session.panels.spectrograms
        for meter in (pictures.input_meter, pictures.output_meter):
            meter.clear_clip()
        pictures.reset_spectra()

    def _open(self) -> None:
        if path := self._dialogs.open_sound(self._window):
            self._session.panels.transport.open_file(path)

    def _save(self) -> None:
        if path := self._dialogs.save_sound(self._window):
            self._session.panels.transport.choose(output_key=path, notify=True)

    def _dismiss(self) -> None:
        panels = self._session.panels
        if panels.banner.notice is not None:
            panels.banner.dismiss()
        elif panels.blind:
            self.set_blind(False)

    def restore(self, paths: list[Path]) -> None:
        """Show the window that restores files, with files and folders added to its list."""
        self.restore_window.add_paths(paths)
        self.restore_window.show()
        self.restore_window.activateWindow()

    def _start_restoring(self, restorer: Restorer) -> None:
        settings = self._session.panels.transport.settings
        # One thread leaves the other cores to the live audio.
        threads = 1 if self._session.active else settings.threads
        restorer.start(model=settings.model, compute=settings.compute, threads=threads)

    def _to_live(self) -> None:
        self._session.panels.spectrograms.plots.show_all()
        self._actions["freeze"].setChecked(False)

    def _copy_values(self) -> None:
        if text := self._session.panels.spectrograms.cursor_text:
            QGuiApplication.clipboard().setText(text)

    def _save_picture(self) -> None:
        path = self._dialogs.save_picture(self._window)
        if not path:
            return
        try:
            save_picture(self._session.panels.spectrograms, Path(path))
        except OSError as error:
            self._session.notices.error(f"The picture could not be written: {error.strerror}")
        else:
            self._session.notices.info(f"Wrote {path}")

    def _unsilence(self) -> None:
        self._session.notices.silenced = ()

    def _choose_folder(self) -> None:
        start = self.folder or recordings_folder()
        self.folder = self._dialogs.folder(self._window, start, "Recordings go to") or self.folder

    def _record(self) -> None:
        session, recording = self._session, self._session.recording
        engine = session.engine_thread.engine
        if recording.active:
            recording.finish()
        elif engine is not None:
            recording.begin(engine, Path(self.folder or recordings_folder()))
        session.panels.transport.show_recording(recording.active)

    def _recorded(self, recording: Recording) -> None:
        notices = self._session.notices
        if recording.error:
            notices.error(recording.error)
        else:
            lost = 1000 * recording.lost_samples / SAMPLE_RATE_OUT
            slow = f" The disk was too slow for {lost:.0f} ms of it." if lost else ""
            names = f"{recording.input_path.name} and {recording.output_path.name}"
            folder = recording.input_path.parent
            notices.info(f"Recorded {recording.seconds:.1f} s: {names} in {folder}.{slow}")

    def _export(self) -> None:
        path = self._dialogs.save_table(self._window)
        if not path:
            return
        panels, notices = self._session.panels, self._session.notices
        about = {
            "input": panels.transport.input.currentText(),
            "model": panels.transport.settings.model,
            "mix": f"{panels.listening.parameters.mix:g}",
            "loudness_match": panels.listening.match_db.text(),
        }
        try:
            panels.abx.write(Path(path), about)
        except OSError as error:
            notices.error(f"The answers could not be written: {error.strerror}")
        else:
            notices.info(f"Wrote {panels.abx.session.total} answers to {path}")

    def show_first_steps(self) -> None:
        """Show the page of the first start."""
        page = HelpPage(self._window, title="First steps", text=first_steps_text())
        page.resize(640, 460)
        page.show()

    def _about(self) -> None:
        QMessageBox.about(
            self._window,
            "About Topoctave",
            "<b>Topoctave</b><br>Gives 22.05 kHz audio its missing top octave, live.<br><br>"
            "MIT licence; the models name their own, see <i>topoctave models</i>.",
        )
