"""Starts and ends recordings; never blocks the window."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gui.panels.view_bar import format_time
from realtime.engine.recorder import Recorder, Recording
from realtime.errors import AudioFileError

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.

CLOSE_TIMEOUT_S = 1.0
"""Limit for a slow disk: the window must close within two seconds."""


class RecordingControl(QObject):
    """Owns at most one recorder."""

    ended = Signal(object)
    """A finished :class:`realtime.engine.recorder.Recording`, possibly with an error."""
    refused = Signal(str)
    """Why the recording could not start, in one line."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recorder: Recorder | None = None

    @property
    def active(self) -> bool:
        """True while recording or closing the files."""
        return self._recorder is not None

    def begin(self, engine: Engine, folder: Path) -> bool:
        """Start to record an engine; False if the files cannot be made."""
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
        """Request the end; :meth:`poll` reports it."""
        if self._recorder is not None:
            self._recorder.finish()

    def poll(self) -> str:
        """Status text of the recording; emits `ended` when it has ended."""
        recorder = self._recorder
        if recorder is None:
            return ""
        if not recorder.running:
            self._recorder = None
            self.ended.emit(recorder.stop())
            return ""
        return f"Recording {format_time(recorder.recording().seconds)}"

    def close(self) -> Recording | None:
        """End the recording when the window closes; waits at most :data:`CLOSE_TIMEOUT_S`."""
        recorder, self._recorder = self._recorder, None
        return recorder.stop(timeout_s=CLOSE_TIMEOUT_S) if recorder is not None else None
