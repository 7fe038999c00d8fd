"""Gauges, fault counters, latency and the clip light."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from realtime.engine.snapshot import Faults
from tests.helpers.gui.window import Opened, qt_marks

pytestmark = qt_marks


@pytest.mark.parametrize(("ratio", "word"), [(2.1, "keeps up"), (1.9, "tight"), (0.9, "too slow")])
def test_gauge_rates_the_ratio_in_words(qtbot, tmp_path, ratio, word) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    engine.ratio = ratio
    engine.advance(1)
    opened.ticks()
    gauge = opened.panels.performance.ratio
    assert gauge.health.word == word
    assert word in gauge.accessibleName()
    assert gauge.late is (ratio * 0.64 < 1)
    assert opened.panels.performance.load_number.text() == f"{100 / ratio:.0f} %"


def test_faults_are_counted_apart_and_reset(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine, performance = opened.running(), opened.panels.performance
    engine.faults = Faults(input_overflow=1, output_underflow=2, ring_overrun=4, ring_underrun=8,
                           dropped_samples=1_234_567)  # fmt: skip
    opened.ticks()
    assert [count.text() for count in performance.counts.values()] == ["▲ 3", "▲ 12", "▲ 1 M"]
    opened.window.window_actions["reset"].trigger()
    opened.ticks()
    assert engine.resets == 1
    assert [count.text() for count in performance.counts.values()] == ["0", "0", "0"]


def test_latency_its_parts_the_reason_for_the_model_and_a_lost_gpu_are_shown(
    qtbot, tmp_path
) -> None:
    opened = Opened(qtbot, tmp_path)
    engine, performance = opened.running(), opened.panels.performance
    engine.notice = "the GPU was lost: going on with the CPU"
    opened.ticks()
    # It is shown after the line about the missing sound device.
    opened.panels.banner.dismiss()
    assert "going on with the CPU" in opened.notice
    engine.notice = ""
    opened.ticks()
    assert not opened.notice
    assert "the only model" in performance.reason.text()
    # 1024 + 46 + 640 + 128 + 1024 + 772 samples at 44.1 kHz.
    assert performance.latency.text().startswith("82 ms")
    assert not performance.parts.isVisible()
    opened.click(performance.latency)
    assert performance.parts.isVisible()
    for part in ("Block", "Network looks ahead", "Crossfade", "Output device", "Engine alone"):
        assert part in performance.parts.text()


def test_clip_light_stays_until_it_is_clicked(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    opened.running()
    meter = opened.panels.spectrograms.input_meter
    meter.ballistics.update(rms_db=-3, peak_db=0.0, elapsed_s=0.1)
    opened.ticks(40)
    assert meter.ballistics.clipped
    assert "clipped" in meter.clip_light.accessibleName()
    opened.click(meter.clip_light)
    assert not meter.ballistics.clipped


def test_ratio_curve_marks_faults_and_starts_anew_with_another_engine(qtbot, tmp_path) -> None:
    opened = Opened(qtbot, tmp_path)
    engine = opened.running()
    gauge = opened.panels.performance.ratio
    for faults in (Faults(), Faults(late_blocks=1), Faults(late_blocks=1, ring_underrun=1)):
        engine.faults = faults
        engine.advance(2)
        opened.ticks()
    assert [name for _, name in gauge._marked] == ["warn", "bad"]
    times, logarithms = gauge._curve.getData()
    assert times[-1] == 0
    assert -8 < times[0] < -3
    assert logarithms[-1] == pytest.approx(np.log2(11.8))
    engine.advance(200)
    opened.ticks()
    assert not gauge._marked
    assert len(gauge._marks.data) == 0
    opened.press(Qt.Key.Key_Space)
    opened.stopped()
    opened.press(Qt.Key.Key_Space)
    opened.running()
    # The curve starts with the new engine's first block.
    opened.wait(lambda: -5 < gauge._curve.getData()[0][0] <= 0)
