"""Plays the time that the frozen spectrograms show, round and round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from gui.spectrogram.linked_plots import SpectrogramPlots
from gui.spectrogram.plot import HISTORY_S
from realtime.dsp.processor import Audio
from realtime.dsp.ramp import RAMP_SAMPLES
from realtime.engine.tap import Tap
from realtime.sample_rates import SAMPLE_RATE_IN

if TYPE_CHECKING:
    from realtime.engine.engine import Engine  # Loads PortAudio.

KEPT_S = HISTORY_S + 1
MIN_SAMPLES = SAMPLE_RATE_IN // 20
FADE_SAMPLES = RAMP_SAMPLES // 2
"""The engine fades the end of a loop into its beginning; a round is shorter by that."""


class PictureLoop(QObject):
    """Keeps the input of the last minute and cuts what the plots show out of it."""

    changed = Signal(object)
    """The loop ``[C, n]`` at 22.05 kHz; None plays the input again."""

    def __init__(self, plots: SpectrogramPlots) -> None:
        super().__init__(plots)
        self._plots = plots
        self._engine: Engine | None = None
        self._kept = Tap(sample_rate=SAMPLE_RATE_IN, channels=1, seconds=KEPT_S)
        self._sound: Audio | None = None
        self._wanted = False
        self._loop: Audio | None = None
        self._range = self._seen = plots.time_range

    def follow(self, engine: Engine | None) -> None:
        """Keep the input of another engine, which continues the loop."""
        self._engine = engine
        if engine is not None:
            channels = engine.input_tap.channels
            if channels != self._kept.channels:
                self._kept = Tap(sample_rate=SAMPLE_RATE_IN, channels=channels, seconds=KEPT_S)
                self._sound = None
            self._update()

    def append(self, sound: Audio, *, lost_samples: int) -> None:
        """Keep the sound ``[C, n]`` of new columns, after a gap of lost samples."""
        gap = min(lost_samples, round(KEPT_S * SAMPLE_RATE_IN))
        self._kept.write(np.zeros((len(sound), gap), np.float32))
        self._kept.write(sound)

    def set_frozen(self, frozen: bool) -> None:
        """Keep the sound of the frozen picture, or end the loop."""
        self._sound = self._kept.read(0)[0] if frozen else None
        self._update()

    def set_wanted(self, wanted: bool) -> None:
        """Play the frozen picture, or the input again."""
        self._wanted = wanted
        self._plots.input.set_text(self._plots.input.hint, "")
        self._update()

    def advance(self) -> None:
        """Move the lines that show what is heard; follow a zoom that has come to rest."""
        before, self._seen = self._seen, self._plots.time_range
        if self._wanted and self._range != self._seen == before:
            self._update()
        if self._loop is None or self._engine is None:
            return
        engine, latency = self._engine, self._engine.latency
        late = engine.tap_delay_samples + latency.safety + latency.device_out
        played = max(0, (engine.output_tap.written - late) // 2 - self._since)
        at = played % (self._loop.shape[1] - FADE_SAMPLES)
        for plot in self._plots.both:
            plot.play_line.setPos(self._left_s + at / SAMPLE_RATE_IN)

    def _update(self) -> None:
        """Cut the loop and pass it on."""
        before, self._loop = self._loop, None
        self._range = self._plots.time_range
        if self._wanted and self._sound is not None and self._engine is not None:
            count = self._sound.shape[1]
            ends = (count + round(at * SAMPLE_RATE_IN) for at in self._range)
            first, end = (min(max(0, at), count) for at in ends)
            if end - first >= MIN_SAMPLES:
                self._loop = self._sound[:, first:end]
            self._left_s = (first - count) / SAMPLE_RATE_IN
            self._since = self._engine.input_tap.written
            hint = "" if self._loop is not None else "no sound to loop"
            self._plots.input.set_text(self._plots.input.hint, hint)
        for plot in self._plots.both:
            plot.play_line.setVisible(self._loop is not None)
        if self._loop is not before:
            self.changed.emit(self._loop)
