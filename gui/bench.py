"""Measures the cost of drawing both spectrograms: STFT, columns and painting."""

import math
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from realtime.engine.tap import Tap
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

UPDATES_PER_S = 30
WIDTH, HEIGHT = 1920, 1080


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

    if not display_available():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if isinstance(app, QApplication):
        theme.apply(app, theme.DARK)
    pictures = Spectrograms(theme.DARK)
    # The space that the panels and bars leave in a window of 1920 x 1080.
    pictures.resize(WIDTH - 312, HEIGHT - 150)
    pictures.show()
    rng = np.random.default_rng(1)
    taps = [Tap(sample_rate=rate, channels=1) for rate in (SAMPLE_RATE_IN, SAMPLE_RATE_OUT)]
    # The part of an engine that the spectrograms read.
    engine: Any = SimpleNamespace(input_tap=taps[0], output_tap=taps[1], tap_delay_samples=1838)

    def advance(seconds: float) -> None:
        """Append noise that swells four times a second to both taps."""
        for tap in taps:
            at = np.arange(tap.written, tap.written + round(seconds * tap.sample_rate))
            swell = 0.5 + 0.5 * np.sin(at * (2 * math.pi * 4 / tap.sample_rate))
            tap.write((rng.normal(0, 0.05, (1, len(at))) * swell).astype(np.float32))

    pictures.follow(engine)
    times = []
    # The first update fills the panes.
    for seconds in (9.0, *updates * [1 / UPDATES_PER_S]):
        advance(seconds)
        begin = time.perf_counter()
        pictures.advance()
        # Draws what the update marked as changed.
        app.processEvents()
        times.append(time.perf_counter() - begin)
    pictures.close()
    p50, p99 = np.percentile(times[1:], (50, 99)) * 1000
    return {
        "p50_ms": round(float(p50), 3),
        "p99_ms": round(float(p99), 3),
        "updates": updates,
        "platform": QGuiApplication.platformName(),
    }
