"""Starts and ends recordings; never blocks the window."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths

from gui.control.notices import Notices
from gui.panels.view_bar import format_time
from realtime.engine.recorder import Recorder, Recording
from realtime.errors import AudioFileError
from realtime.sample_rates import SAMPLE_RATE_OUT

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.


class RecordingControl:
    """Owns at most one recorder, and reports its result.

    Args:
        notices: Shows results and errors.
        folder: Folder of recordings; empty for one in the music folder.
    """

    def __init__(self, notices: Notices, folder: str) -> None:
        music = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MusicLocation)
        self.folder = folder or str(Path(music or Path.home()) / "Topoctave")
        self._notices = notices
        self._recorder: Recorder | None = None

    @property
    def active(self) -> bool:
        """True while recording or closing the files."""
        return self._recorder is not None

    def toggle(self, engine: Engine | None) -> None:
        """Start to record an engine, or end the recording."""
        if engine is None or self.active:
            self.finish()
            return
        try:
            self._recorder = Recorder(
                engine.input_tap,
                engine.output_tap,
                delay_samples=engine.tap_delay_samples,
                folder=Path(self.folder),
                stem=datetime.now().strftime("topoctave %Y-%m-%d %H.%M.%S"),
            )
        except AudioFileError as error:
            self._notices.error(str(error))
        else:
            self._recorder.start()

    def finish(self) -> None:
        """Request the end; :meth:`poll` reports it."""
        if self._recorder is not None:
            self._recorder.finish()

    def poll(self) -> str:
        """Status text of the recording; reports a recording that has ended."""
        recorder = self._recorder
        if recorder is None:
            return ""
        if recorder.running:
            return f"Recording {format_time(recorder.recording().seconds)}"
        self._recorder = None
        self._report(recorder.stop())
        return ""

    def close(self, deadline: float) -> None:
        """End the recording, and wait until this time of ``time.monotonic`` at most."""
        if self._recorder is not None:
            self._recorder.stop(timeout_s=max(0, deadline - time.monotonic()))
            self._recorder = None

    def _report(self, recording: Recording) -> None:
        if recording.error:
            self._notices.error(recording.error)
            return
        lost_ms = 1000 * recording.lost_samples / SAMPLE_RATE_OUT
        slow = f" The disk was too slow for {lost_ms:.0f} ms of it." if lost_ms else ""
        names = f"{recording.input_path.name} and {recording.output_path.name}"
        folder = recording.input_path.parent
        self._notices.info(f"Recorded {recording.seconds:.1f} s: {names} in {folder}.{slow}")
