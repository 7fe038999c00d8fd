"""Measures the cost of drawing both spectrograms: STFT, columns and painting."""

import math
import os
import sys
import time

import numpy as np

from realtime.dsp.processor import Audio
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

UPDATES_PER_S = 30
WIDTH, HEIGHT = 1920, 1080


class _Noise:
    """A tap of noise whose length the benchmark controls."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.channels = 1
        self.written = 0
        rng = np.random.default_rng(1)
        swell = 0.5 + 0.5 * np.sin(np.arange(2 * sample_rate) * (2 * math.pi * 4 / sample_rate))
        self._sound = (rng.normal(0, 0.05, 2 * sample_rate) * swell).astype(np.float32)

    def read(self, since: int) -> tuple[Audio, int]:
        """As :meth:`realtime.engine.tap.Tap.read`."""
        first = max(since, self.written - 10 * self.sample_rate, 0)
        return self._sound[None, np.arange(first, self.written) % len(self._sound)], first


class _Source:
    """The part of an engine that the spectrograms read."""

    tap_delay_samples = 1838

    def __init__(self) -> None:
        self.input_tap = _Noise(SAMPLE_RATE_IN)
        self.output_tap = _Noise(SAMPLE_RATE_OUT)

    def advance(self, seconds: float) -> None:
        """Append audio to both taps."""
        for tap in (self.input_tap, self.output_tap):
            tap.written += round(seconds * tap.sample_rate)


def measure_redraw(*, updates: int = 300) -> dict[str, float | str | int]:
    """Time per update of both panes in a window of 1920 x 1080, painting included.

    One update reads the taps, computes the new columns and paints both panes, as the window does
    30 times a second. Meters, gauges and the display server are not included.

    Args:
        updates: Number of updates to measure.

    Returns:
        ``p50_ms`` and ``p99_ms`` per update, ``updates``, and ``platform``, Qt's platform
        plugin.
    """
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication

    from gui.app import display_available
    from gui.spectrogram.view import Spectrograms
    from gui.widgets import theme

    if not display_available() and sys.platform.startswith("linux"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if isinstance(app, QApplication):
        theme.apply(app, theme.DARK)
    pictures = Spectrograms(theme.DARK)
    # The space that the panels and bars leave in a window of 1920 x 1080.
    pictures.resize(WIDTH - 312, HEIGHT - 150)
    pictures.show()
    app.processEvents()
    source = _Source()
    source.advance(9.0)
    pictures.follow(source)  # type: ignore[arg-type]  # It reads only the taps.
    pictures.advance()
    app.processEvents()
    times = []
    for _ in range(updates):
        source.advance(1 / UPDATES_PER_S)
        begin = time.perf_counter()
        pictures.advance()
        # Draws what the update marked as changed.
        app.processEvents()
        times.append(time.perf_counter() - begin)
    pictures.close()
    p50, p99 = np.percentile(times, (50, 99)) * 1000
    return {
        "p50_ms": round(float(p50), 3),
        "p99_ms": round(float(p99), 3),
        "updates": updates,
        "platform": QGuiApplication.platformName(),
    }
