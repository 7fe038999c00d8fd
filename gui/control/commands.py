"""Carries out the actions of the window."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.control.actions import Actions
from gui.control.dialogs import Dialogs
from gui.control.session import Session
from gui.panels.help import HelpPage, first_steps_text
from gui.panels.view_bar import STEP_S
from gui.restore.window import RestoreWindow
from gui.spectrogram.picture import picture, save_picture

MIX_STEP_PERCENT = 5
ZOOM_FACTOR = 1.5
HOLD_S = 0.3
"""Releasing the key of the A/B switch after this time switches back, so that holding compares."""


class Commands(QObject):
    """Connects each of :data:`gui.control.actions.ACTIONS` that is not merely a switch."""

    def __init__(
        self, window: QWidget, session: Session, actions: Actions, dialogs: Dialogs
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._panels = session.panels
        self._actions = actions
        self._dialogs = dialogs
        self._switched_at = math.inf
        self.restore_window = RestoreWindow(window, dialogs, self._restore_options)
        for name, function in self._functions().items():
            actions[name].triggered.connect(lambda _=False, run=function: run())
        session.panels.abx.closed.connect(lambda: self.set_blind(False))

    def _functions(self) -> dict[str, Callable[[], object]]:
        session, panels, window, dialogs = self._session, self._panels, self._window, self._dialogs
        view, plots, abx = panels.view_bar, panels.spectrograms.plots, panels.abx
        listening, mix = panels.listening, panels.listening.mix
        clipboard = QGuiApplication.clipboard()
        return {
            "start": session.toggle,
            "refresh": session.refresh,
            # In a blind test the keys of A, B and X play, and do not tell which is which.
            "bypass": lambda: abx.play("B") if panels.blind else self._switch(),
            "listen_a": lambda: abx.play("A") if panels.blind else listening.set_bypass(True),
            "blind": lambda: abx.play("X") if panels.blind else self.set_blind(True),
            "answer_a": lambda: self._answer(said_b=False),
            "answer_b": lambda: self._answer(said_b=True),
            "record": self._record,
            "live": self._to_live,
            "zoom_in": lambda: plots.zoom_time(1 / ZOOM_FACTOR),
            "zoom_out": lambda: plots.zoom_time(ZOOM_FACTOR),
            "copy_values": self._copy_values,
            "copy_picture": lambda: clipboard.setImage(picture(panels.spectrograms)),
            "save_picture": self._save_picture,
            "back": lambda: view.step(-STEP_S),
            "forward": lambda: view.step(STEP_S),
            "more": lambda: mix.set_value(mix.value + MIX_STEP_PERCENT),
            "less": lambda: mix.set_value(mix.value - MIX_STEP_PERCENT),
            "reset": self._reset,
            "open": lambda: self.open(dialogs.open(window, "Open a sound file")),
            "save": self._save,
            "export": self._export,
            "dismiss": self._dismiss,
            "folder": self._choose_folder,
            "restore": lambda: self.restore([]),
            "unsilence": lambda: setattr(session.notices, "silenced", ()),
            "help": lambda: HelpPage(window).show(),
            "first_steps": self.show_first_steps,
            "about": self._about,
            "menu": panels.transport.menu.showMenu,
            "quit": window.close,
        }

    def _switch(self) -> None:
        self._switched_at = time.monotonic()
        self._panels.listening.set_bypass(not self._panels.listening.ab.bypass)

    def key_released(self, event: QKeyEvent) -> None:
        """Switch A/B back if its key was held."""
        if event.isAutoRepeat() or QKeySequence(event.key()) != self._actions["bypass"].shortcut():
            return
        since, self._switched_at = self._switched_at, math.inf
        if time.monotonic() - since > HOLD_S and not self._panels.blind:
            self._panels.listening.set_bypass(not self._panels.listening.ab.bypass)

    def set_blind(self, blind: bool) -> None:
        """Show the blind test, or the spectrograms."""
        panels = self._panels
        if blind == panels.blind:
            return
        panels.show_blind(blind)
        if blind:
            if not self._session.active:
                self._session.start()
            panels.abx.enter()
        else:
            panels.listening.set_bypass(False)

    def _answer(self, *, said_b: bool) -> None:
        if self._panels.blind:
            self._panels.abx.answer(said_b=said_b)

    def _reset(self) -> None:
        engine = self._session.engine_thread.engine
        if engine is not None:
            engine.reset_counters()
        pictures = self._panels.spectrograms
        for meter in (pictures.input_meter, pictures.output_meter):
            meter.clear_clip()
        pictures.reset_spectra()

    def open(self, paths: list[Path]) -> None:
        """Play a file; restore several files or a folder."""
        if len(paths) == 1 and not paths[0].is_dir():
            self._panels.transport.open_file(str(paths[0]))
        elif paths:
            self.restore(paths)

    def _save(self) -> None:
        kinds = "WAV (*.wav);;FLAC (*.flac)"
        if path := self._dialogs.save(self._window, "Write the output to", "restored.wav", kinds):
            self._panels.transport.choose(output_key=path, notify=True)

    def _dismiss(self) -> None:
        if self._panels.banner.notice is not None:
            self._panels.banner.dismiss()
        else:
            self.set_blind(False)

    def restore(self, paths: list[Path]) -> None:
        """Show the window that restores files, with files and folders added to its list."""
        self.restore_window.add_paths(paths)
        self.restore_window.show()
        self.restore_window.activateWindow()

    def _restore_options(self) -> dict[str, object]:
        settings = self._panels.transport.settings
        # One thread leaves the other cores to the live audio.
        threads = 1 if self._session.active else settings.threads
        return {"model": settings.model, "compute": settings.compute, "threads": threads}

    def _to_live(self) -> None:
        self._panels.spectrograms.plots.show_all()
        self._actions["freeze"].setChecked(False)

    def _copy_values(self) -> None:
        if text := self._panels.spectrograms.cursor_text:
            QGuiApplication.clipboard().setText(text)

    def _choose_folder(self) -> None:
        recording = self._session.recording
        chosen = self._dialogs.folder(self._window, "Recordings go to", recording.folder)
        recording.folder = chosen or recording.folder

    def _record(self) -> None:
        recording = self._session.recording
        recording.toggle(self._session.engine_thread.engine)
        self._panels.transport.show_recording(recording.active)

    def _save_picture(self) -> None:
        path = self._dialogs.save(
            self._window, "Save picture", "topoctave.png", "PNG (*.png);;SVG (*.svg)"
        )
        self._write(path, "the picture", lambda p: save_picture(self._panels.spectrograms, p))

    def _export(self) -> None:
        panels = self._panels
        about = {
            "input": panels.transport.input.currentText(),
            "model": panels.transport.settings.model,
            "model_b": panels.transport.settings.model_b,
            "mix": f"{panels.listening.parameters.mix:g}",
            "loudness_match": panels.listening.match_db.text(),
        }
        path = self._dialogs.save(self._window, "Export answers", "abx.csv", "CSV (*.csv)")
        answers = f"the {panels.abx.session.total} answers"
        self._write(path, answers, lambda p: panels.abx.session.export(p, about=about))

    def _write(self, path: str, what: str, write: Callable[[Path], None]) -> None:
        """Write a file that the user has named, if any, and show the result."""
        if not path:
            return
        try:
            write(Path(path))
        except OSError as error:
            self._session.notices.error(f"{what} could not be written: {error.strerror}")
        else:
            self._session.notices.info(f"Wrote {what} to {path}")

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
