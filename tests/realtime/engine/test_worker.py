"""The worker's counts, without its thread."""

import numpy as np
import pytest

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from tests.helpers.fake_streams import FakeInput, FakeOutput, Rig
from tests.helpers.networks import loaded_chain


@pytest.mark.parametrize(("rate_in", "rate_out"), [(22_050, 44_100), (44_100, 48_000)])
def test_the_flow_is_counted_at_44100_hz(rate_in: int, rate_out: int) -> None:
    rig = Rig(
        loaded_chain(),
        source=FakeInput(sample_rate_hz=rate_in),
        sink=FakeOutput(sample_rate_hz=rate_out),
    )
    worker = rig.engine._worker
    source: InputQueue = rig.engine._input_queue
    sink: OutputQueue = rig.engine._output_queue
    source.gate.output_runs = True
    # A second fits.
    source.push(np.zeros((1, rate_in * 11 // 10), np.float32))
    sink.push(np.zeros((1, rate_out // 50), np.float32))
    sink.pull(np.zeros((1, rate_out // 100), np.float32))
    seen = worker._flow()
    assert seen.received == pytest.approx(48_510)
    assert seen.lost == pytest.approx(4_410)
    assert seen.waiting == 44_100 - 2 * rig.engine._reader.latency_samples
    assert seen.queued == pytest.approx(441)
    assert seen.played == pytest.approx(441)
    assert (seen.silent, seen.room) == (0.0, pytest.approx(44_100 - 441))
    sink.pull(np.zeros((1, rate_out // 50), np.float32))
    seen = worker._flow()
    assert (seen.queued, seen.silent) == (0.0, pytest.approx(441))
    assert seen.played == pytest.approx(3 * 441)
    rig.engine.stop()
