"""The one timer: pulls the engine's snapshot and taps, and lets the panels draw."""

import time

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from gui.control.notices import sentence
from gui.control.session import Session
from gui.control.warnings import SILENT, TOO_SLOW, OverloadWatch, SilenceWatch
from gui.engine_interface import Engine
from gui.spectrogram.loudness_match import LoudnessMatch
from realtime.engine.snapshot import Snapshot, State

TICK_MS = 33
SLOW_TICKS = 5
"""Numbers change six times a second, so that they can be read; pictures 30 times."""
SPEECH_TICKS = 30
SETTLE_S = 0.25
"""After a change of the parameters the sound needs so long until it can be measured."""


class Ticker(QObject):
    """Looks at the engine 30 times a second."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self.match = LoudnessMatch()
        self._silence = SilenceWatch()
        self._overload = OverloadWatch()
        self._seen: Engine | None = None
        self._told = ""
        self._ticks = 0
        self._last = time.monotonic()
        self._changed_at = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def parameters_changed(self) -> None:
        """The sound is about to change: do not measure across it."""
        self._changed_at = time.monotonic()

    def tick(self) -> None:
        """Look once."""
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        self._ticks += 1
        slow = self._ticks % SLOW_TICKS == 0
        session, panels = self._session, self._session.panels
        if slow:
            panels.status.show_recording(session.recording.look())
            panels.transport.show_recording(session.recording.active)
        engine = session.controller.engine
        if engine is not self._seen:
            self._seen = engine
            self.match.reset()
            self._silence, self._overload = SilenceWatch(), OverloadWatch()
            self._told = ""
        if engine is None:
            return
        snapshot = engine.snapshot()
        if snapshot.state is State.FAILED:
            session.lost(snapshot.error)
        elif snapshot.state is State.FINISHED:
            session.finished()
        else:
            self._watch(snapshot, elapsed)
            # What cannot be seen is not drawn, and not computed either.
            if self._seen_by_someone():
                self._show(snapshot, elapsed, slow=slow)

    def _seen_by_someone(self) -> bool:
        window = self._window
        return window.isVisible() and not window.isMinimized() and window.windowHandle().isExposed()

    def _watch(self, snapshot: Snapshot, elapsed_s: float) -> None:
        session, notices = self._session, self._session.notices
        silent = self._silence.look(snapshot, elapsed_s)
        if silent and session.panels.transport.input_is_device:
            notices.advise(SILENT)
        if self._overload.look(snapshot, elapsed_s):
            notices.advise(TOO_SLOW)
        if snapshot.notice != self._told:
            self._told = snapshot.notice
            if snapshot.notice:
                notices.info(sentence(snapshot.notice))

    def _show(self, snapshot: Snapshot, elapsed_s: float, *, slow: bool) -> None:
        panels = self._session.panels
        pictures = panels.spectrograms
        if not panels.blind:
            pictures.advance()
            pictures.input_meter.move_needle(snapshot.input_level, elapsed_s)
            pictures.output_meter.move_needle(snapshot.output_level, elapsed_s)
            self._hear()
        if slow:
            self._session.position_s = snapshot.position_s
            panels.performance.show_snapshot(snapshot)
            panels.view_bar.show_position(snapshot)
        if self._ticks % SPEECH_TICKS == 0:
            pictures.input_meter.describe()
            pictures.output_meter.describe()

    def _hear(self) -> None:
        """Learn how loud the restored sound is, while it is all that is heard."""
        panels, parameters = self._session.panels, self._session.controller.parameters
        pictures = panels.spectrograms
        settled = time.monotonic() - self._changed_at > SETTLE_S
        if pictures.latest is None or not settled or parameters.bypass:
            return
        given, made = pictures.latest
        if 0 < len(given.power) * pictures.hop_s < SETTLE_S:
            self.match.hear(
                given.power,
                made.power,
                hop_s=pictures.hop_s,
                made_gain_db=parameters.output_gain_db,
            )
            panels.listening.set_match_gain(self.match.gain_db)
