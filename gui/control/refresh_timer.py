"""The only timer: reads the engine's snapshot and taps, and updates the panels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from gui.control.notices import SILENT, TOO_SLOW, sentence
from gui.control.session import Session
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
SILENCE_S = 2.0
"""Digital silence of this length means a muted or blocked microphone; real ones have noise."""
OVERLOAD_S = 3.0
"""Equal to the averaging time of the real-time ratio."""


class Lasting:
    """Tells whether a condition has held for `limit_s` seconds without a break."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._held_s = 0.0

    def update(self, holds: bool, elapsed_s: float) -> bool:
        """Whether the condition has lasted, `elapsed_s` after the last update."""
        self._held_s = self._held_s + elapsed_s if holds else 0.0
        return self._held_s >= self._limit_s


class RefreshTimer(QTimer):
    """Updates the window 30 times a second."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window, interval=REFRESH_MS)
        self._window = window
        self._session = session
        self._count = 0
        self._last = time.monotonic()
        self._changed_at = 0.0
        self._follow(None)
        self.timeout.connect(self.refresh)
        self.start()

    def _follow(self, engine: Engine | None) -> None:
        self._engine = engine
        self._matches = {True: LoudnessMatch(), False: LoudnessMatch()}  # By bypass.
        self._silence, self._overload = Lasting(SILENCE_S), Lasting(OVERLOAD_S)
        self._shown_notice = ""

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
            self._follow(engine)
        if engine is None:
            return
        snapshot = engine.snapshot()
        if snapshot.state in (State.FAILED, State.FINISHED):
            session.ended(snapshot)
        else:
            self._check(snapshot, elapsed)
            # A hidden window neither draws nor computes spectra.
            window = self._window
            shown = window.isVisible() and not window.isMinimized()
            if shown and window.windowHandle().isExposed():
                self._show(snapshot, elapsed, slow=slow)

    def _check(self, snapshot: Snapshot, elapsed_s: float) -> None:
        session, notices = self._session, self._session.notices
        silent = snapshot.input_level.peak_db == float("-inf")
        if self._silence.update(silent, elapsed_s) and session.panels.transport.input_is_device:
            notices.show(SILENT)
        if self._overload.update(0 < snapshot.recent.ratio_median < 1, elapsed_s):
            notices.show(TOO_SLOW)
        if snapshot.notice != self._shown_notice:
            # The network that was left out is back, for example.
            notices.withdraw(text=sentence(self._shown_notice))
            self._shown_notice = snapshot.notice
            if snapshot.notice:
                notices.info(snapshot.notice)

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
        panels, parameters = self._session.panels, self._session.panels.listening.parameters
        pictures = panels.spectrograms
        settled = time.monotonic() - self._changed_at > SETTLE_S
        if pictures.latest is None or not settled:
            return
        if parameters.bypass and not snapshot.model_b:
            return
        given, restored = (columns.power for columns in pictures.latest)
        if 0 < len(given) * pictures.hop_s < SETTLE_S:
            match, gain_db = self._matches[parameters.bypass], parameters.output_gain_db
            match.update(given, restored, hop_s=pictures.hop_s, output_gain_db=gain_db)
            panels.listening.set_match_gain(match.gain_db)
