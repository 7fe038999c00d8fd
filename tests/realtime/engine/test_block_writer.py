"""From blocks to an output queue: only corrections change samples."""

import numpy as np
import pytest

from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.crossfade import FADE_SAMPLES
from realtime.dsp.processor import Audio
from realtime.engine.block_writer import BlockWriter
from realtime.engine.latency_control import Correction
from tests.helpers.engine_signals import ROUNDING, noise
from tests.helpers.queues import opened, pull

AS_IT_IS = Correction()


def made(*, rate: int = 44_100, channels: int = 1) -> tuple[OutputQueue, BlockWriter]:
    output_queue = opened(channels=channels)
    return output_queue, BlockWriter(output_queue, sample_rate_hz=rate, channels=channels)


def ones(n: int) -> Audio:
    return np.ones((1, n), np.float32)


def test_blocks_pass_as_they_are_after_the_latency_s_silence() -> None:
    output_queue, writer = made()
    writer.fill(300)
    x = noise(1_000)
    for start in range(0, 1_000, 100):
        writer.write(x[:, start : start + 100], AS_IT_IS)
    np.testing.assert_array_equal(pull(output_queue, 1_300), np.pad(x, ((0, 0), (300, 0))))
    assert (output_queue.silent_samples, output_queue.underruns) == (0, 0)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    ("correction", "longer"),
    [(Correction(leave_out_samples=441), -441), (Correction(silence_samples=441), 441)],
)
def test_corrections_are_counted_at_44100_hz(rate, correction, longer) -> None:
    output_queue, writer = made(rate=rate)
    for _ in range(20):
        writer.write(ones(441), AS_IT_IS)
    before = output_queue.ring.available
    writer.write(ones(882), correction)
    added = output_queue.ring.available - before
    # A converter may hold back or return one sample more in a block.
    assert added == pytest.approx((882 + longer) * rate / 44_100, abs=0 if rate == 44_100 else 2)


def test_the_rest_fades_in_over_what_is_left_out() -> None:
    output_queue, writer = made()
    block = np.concatenate([np.zeros((1, 128), np.float32), ones(300)], axis=1)
    writer.write(block, Correction(leave_out_samples=128))
    assert output_queue.ring.available == 300
    y = pull(output_queue, 300)
    assert np.abs(np.diff(y[0], prepend=0.0)).max() <= 1 / (FADE_SAMPLES - 1) + ROUNDING


@pytest.mark.parametrize("gap", [1, 10, 63, 64, 400])
def test_silence_before_a_block_fades_out_and_in(gap) -> None:
    output_queue, writer = made()
    writer.write(ones(100), AS_IT_IS)
    writer.write(ones(300), Correction(silence_samples=gap))
    assert output_queue.ring.available == 400 + gap
    y = pull(output_queue, 400 + gap)[0]
    # Both fades at once, in a short silence.
    fades = 2 if gap < FADE_SAMPLES else 1
    assert np.abs(np.diff(y)).max() <= fades / (FADE_SAMPLES - 1) + ROUNDING
    assert not y[100 + FADE_SAMPLES : 100 + gap].any()
    assert (y[:100] == 1.0).all()
    assert (y[100 + gap + FADE_SAMPLES :] == 1.0).all()


def test_silence_fades_out_from_the_last_sample_that_was_played() -> None:
    """Not from a block that was left out."""
    output_queue, writer = made()
    writer.write(ones(100), AS_IT_IS)
    writer.write(np.zeros((1, 100), np.float32), Correction(leave_out_samples=100))
    writer.write(ones(100), Correction(silence_samples=200))
    y = pull(output_queue, 400)[0]
    assert np.abs(np.diff(y)).max() <= 1 / (FADE_SAMPLES - 1) + ROUNDING


@pytest.mark.parametrize("samples", [-20, 20])
@pytest.mark.parametrize("block", [128, 2_048])
def test_stretched_blocks_have_no_step(samples, block) -> None:
    output_queue, writer = made()
    tone = np.sin(0.1 * np.arange(40 * 1_024))[None].astype(np.float32)
    once = max(block // 512, 1)
    for count, start in enumerate(range(0, tone.shape[1], block)):
        now = once * int(np.sign(samples)) if count < abs(samples) // once else 0
        writer.write(tone[:, start : start + block], Correction(stretch_samples=now))
    y = pull(output_queue, output_queue.ring.available)
    assert y.shape[1] == tone.shape[1] + samples
    # No step, and never faster or slower than by one sample in ninety.
    assert np.abs(np.diff(y)).max() <= 0.1 * 91 / 90
