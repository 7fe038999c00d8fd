"""Plays the time that the frozen spectrograms show, round and round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from gui.spectrogram.linked_plots import SpectrogramPlots
from gui.spectrogram.view_box import HISTORY_S
from realtime.dsp.processor import Audio
from realtime.engine.tap import Tap
from realtime.sample_rates import SAMPLE_RATE_IN

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.

KEPT_SAMPLES = round((HISTORY_S + 1) * SAMPLE_RATE_IN)
MIN_SAMPLES = SAMPLE_RATE_IN // 20
SETTLE_MS = 150
"""Time after a zoom until the loop follows it."""


class PictureLoop(QObject):
    """Keeps the sound of the last minute and cuts the loop out of it.

    Args:
        plots: Plots whose time range is the loop; they show where it plays.
    """

    changed = Signal(object)
    """The loop ``[C, n]`` at 22.05 kHz; None plays the input again."""

    def __init__(self, plots: SpectrogramPlots) -> None:
        super().__init__(plots)
        self._plots = plots
        self._engine: Engine | None = None
        self._kept = self._memory(1)
        self._frozen: Audio | None = None
        self._wanted = False
        self._loop: Audio | None = None
        self._left_s = 0.0
        self._since = 0
        self._timer = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._timer.timeout.connect(self._update)
        plots.input.vb.sigXRangeChanged.connect(lambda: self._wanted and self._timer.start())

    @staticmethod
    def _memory(channels: int) -> Tap:
        seconds = KEPT_SAMPLES / SAMPLE_RATE_IN
        return Tap(sample_rate=SAMPLE_RATE_IN, channels=channels, seconds=seconds)

    def follow(self, engine: Engine | None) -> None:
        """Take the sound of another engine, which continues a loop."""
        self._engine = engine
        if engine is not None:
            if engine.input_tap.channels != self._kept.channels:
                self._kept = self._memory(engine.input_tap.channels)
            self._loop = None
            self._update()

    def append(self, sound: Audio, *, lost_samples: int) -> None:
        """Keep the sound ``[C, n]`` of new columns, after a gap of lost samples."""
        gap = min(lost_samples, KEPT_SAMPLES)
        self._kept.write(np.zeros((len(sound), gap), np.float32))
        self._kept.write(sound)

    def set_frozen(self, frozen: bool) -> None:
        """Keep the sound of the picture, or end the loop."""
        self._frozen = self._kept.read(0)[0] if frozen else None
        self._update()

    def set_wanted(self, wanted: bool) -> None:
        """Play the frozen picture, or the input again."""
        self._wanted = wanted
        self._update()

    def advance(self) -> None:
        """Move the line that shows what is heard."""
        if self._loop is None or self._engine is None:
            return
        engine, latency = self._engine, self._engine.latency
        late = engine.tap_delay_samples + latency.safety + latency.device_out
        played = max(0, (engine.output_tap.written - late) // 2 - self._since)
        for plot in self._plots.both:
            plot.play_line.setPos(self._left_s + played % self._loop.shape[1] / SAMPLE_RATE_IN)

    def _update(self) -> None:
        sound = self._cut() if self._wanted and self._engine is not None else None
        if sound is None and self._loop is None:
            return
        self._loop = sound
        if self._engine is not None:
            self._since = self._engine.input_tap.written
        for plot in self._plots.both:
            plot.play_line.setVisible(sound is not None)
        self.changed.emit(sound)

    def _cut(self) -> Audio | None:
        """The sound under the picture, if there is any."""
        if self._frozen is None or self._engine is None:
            return None
        count = self._frozen.shape[1]
        first, end = (max(0, count + round(at * SAMPLE_RATE_IN)) for at in self._plots.time_range)
        self._left_s = (first - count) / SAMPLE_RATE_IN
        sound = self._frozen[:, first:end]
        channels = self._engine.input_tap.channels
        if len(sound) != channels:
            sound = np.repeat(sound.mean(axis=0, keepdims=True), channels, axis=0)
        return sound if end - first >= MIN_SAMPLES else None
