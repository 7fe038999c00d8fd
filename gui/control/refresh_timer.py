"""The only timer: reads the engine's snapshot and taps, and updates the panels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from gui.control.notices import sentence
from gui.control.session import Session
from gui.control.warnings import SILENT, TOO_SLOW, OverloadDetector, SilenceDetector
from gui.spectrogram.analysis.loudness_match import LoudnessMatch
from realtime.engine.snapshot import Snapshot, State

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.

REFRESH_MS = 33
TEXT_REFRESHES = 5
"""Refreshes per update of numbers: 6 updates a second are readable; pictures get 30."""
ACCESSIBLE_NAME_REFRESHES = 30
SETTLE_S = 0.25
"""Time after a parameter change until loudness is measured again."""


class RefreshTimer(QObject):
    """Updates the window 30 times a second."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._matches = {True: LoudnessMatch(), False: LoudnessMatch()}  # By bypass.
        self._silence = SilenceDetector()
        self._overload = OverloadDetector()
        self._engine: Engine | None = None
        self._shown_notice = ""
        self._count = 0
        self._last = time.monotonic()
        self._changed_at = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def stop(self) -> None:
        """Stop updating."""
        self._timer.stop()

    def parameters_changed(self) -> None:
        """Pause the loudness measurement across a parameter change."""
        self._changed_at = time.monotonic()

    def refresh(self) -> None:
        """Update once."""
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        self._count += 1
        slow = self._count % TEXT_REFRESHES == 0
        session, panels = self._session, self._session.panels
        if slow:
            panels.status.show_recording(session.recording.poll())
            panels.transport.show_recording(session.recording.active)
        engine = session.engine_thread.engine
        if engine is not self._engine:
            self._engine = engine
            for match in self._matches.values():
                match.reset()
            self._silence, self._overload = SilenceDetector(), OverloadDetector()
            self._shown_notice = ""
        if engine is None:
            return
        snapshot = engine.snapshot()
        if snapshot.state is State.FAILED:
            session.lost(snapshot.error)
        elif snapshot.state is State.FINISHED:
            session.finished()
        else:
            self._check(snapshot, elapsed)
            # A hidden window neither draws nor computes spectra.
            if self._visible():
                self._show(snapshot, elapsed, slow=slow)

    def _visible(self) -> bool:
        window = self._window
        return window.isVisible() and not window.isMinimized() and window.windowHandle().isExposed()

    def _check(self, snapshot: Snapshot, elapsed_s: float) -> None:
        session, notices = self._session, self._session.notices
        silent = self._silence.update(snapshot, elapsed_s)
        if silent and session.panels.transport.input_is_device:
            notices.warn(SILENT)
        if self._overload.update(snapshot, elapsed_s):
            notices.warn(TOO_SLOW)
        if snapshot.notice != self._shown_notice:
            self._shown_notice = snapshot.notice
            if snapshot.notice:
                notices.info(sentence(snapshot.notice))

    def _show(self, snapshot: Snapshot, elapsed_s: float, *, slow: bool) -> None:
        panels = self._session.panels
        pictures = panels.spectrograms
        if not panels.blind:
            pictures.advance()
            pictures.input_meter.set_level(snapshot.input_level, elapsed_s)
            pictures.output_meter.set_level(snapshot.output_level, elapsed_s)
            self._measure_loudness(snapshot)
        if slow:
            self._session.position_s = snapshot.position_s
            panels.performance.show_snapshot(snapshot)
            panels.view_bar.show_position(snapshot)
        if self._count % ACCESSIBLE_NAME_REFRESHES == 0:
            pictures.input_meter.describe()
            pictures.output_meter.describe()

    def _measure_loudness(self, snapshot: Snapshot) -> None:
        """Measure input and output loudness while a network plays."""
        panels, parameters = self._session.panels, self._session.engine_thread.parameters
        pictures = panels.spectrograms
        settled = time.monotonic() - self._changed_at > SETTLE_S
        if pictures.latest is None or not settled:
            return
        if parameters.bypass and not snapshot.model_b:
            return
        input_columns, output_columns = pictures.latest
        if 0 < len(input_columns.power) * pictures.hop_s < SETTLE_S:
            match = self._matches[parameters.bypass]
            match.update(
                input_columns.power,
                output_columns.power,
                hop_s=pictures.hop_s,
                output_gain_db=parameters.output_gain_db,
            )
            panels.listening.set_match_gain(match.gain_db)
