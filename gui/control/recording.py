"""The recorder as the window sees it: one at a time, never waited for."""

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.engine_interface import Engine
from gui.panels.view_bar import format_time
from realtime.errors import AudioFileError
from realtime.files.recorder import Recorder, Recording


class RecordingControl(QObject):
    """Starts, watches and ends a recorder."""

    ended = Signal(object)
    """A :class:`realtime.files.recorder.Recording`, whole or ended by an error."""
    refused = Signal(str)
    """One line: why it could not begin."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recorder: Recorder | None = None

    @property
    def active(self) -> bool:
        """Something is being recorded, or being finished."""
        return self._recorder is not None

    def begin(self, engine: Engine, folder: Path) -> bool:
        """Record an engine from now on; False if it was refused."""
        try:
            recorder = Recorder(
                engine.input_tap,
                engine.output_tap,
                delay_samples=engine.tap_delay_samples,
                folder=folder,
                stem=datetime.now().strftime("topoctave %Y-%m-%d %H.%M.%S"),
            )
        except AudioFileError as error:
            self.refused.emit(str(error))
            return False
        recorder.start()
        self._recorder = recorder
        return True

    def finish(self) -> None:
        """Ask it to end; :meth:`look` tells when it has."""
        if self._recorder is not None:
            self._recorder.finish()

    def look(self) -> str:
        """What to say about it now; notices its end."""
        recorder = self._recorder
        if recorder is None:
            return ""
        if not recorder.running:
            self._recorder = None
            self.ended.emit(recorder.stop())
            return ""
        return f"Recording {format_time(recorder.recording().seconds)}"

    def close(self) -> Recording | None:
        """End and wait, when the window closes."""
        recorder, self._recorder = self._recorder, None
        return recorder.stop() if recorder is not None else None
