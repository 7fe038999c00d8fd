"""From blocks to an output's ring: nothing but what is late or missing changes."""

import numpy as np
import pytest

from realtime.audio_io.input_queue import InputQueue
from realtime.audio_io.output_queue import OutputQueue
from realtime.dsp.crossfade import FADE_SAMPLES
from realtime.dsp.processor import Audio
from realtime.engine.block_writer import MOST_SLIPPED_SAMPLES, BlockWriter

# Rounding of float32 samples up to 1.
ROUNDING = 1e-6


def made(*, rate: int = 44_100, channels: int = 1) -> tuple[OutputQueue, BlockWriter]:
    input_queue = InputQueue(channels, 10)
    input_queue.push(np.zeros((channels, 1), np.float32))
    output_queue = OutputQueue(channels, rate, input_queue)
    return output_queue, BlockWriter(output_queue, sample_rate_hz=rate, channels=channels)


def pull(output_queue: OutputQueue, n: int) -> Audio:
    out = np.zeros((1, n), np.float32)
    output_queue.pull(out)
    return out


def ones(n: int) -> Audio:
    return np.ones((1, n), np.float32)


def test_blocks_pass_as_they_are(rng: np.random.Generator) -> None:
    output_queue, writer = made()
    x = rng.uniform(-1, 1, (1, 1_000)).astype(np.float32)
    for start in range(0, 1_000, 100):
        writer.write(x[:, start : start + 100])
    np.testing.assert_array_equal(pull(output_queue, 1_000), x)
    assert writer.late_samples == 0


def test_the_latency_is_silence_in_front() -> None:
    output_queue, writer = made()
    writer.fill(300)
    writer.write(ones(10))
    assert output_queue.ring.available == 310
    y = pull(output_queue, 310)[0]
    assert not y[:300].any()
    assert y[300:].all()
    assert (writer.late_samples, output_queue.underruns) == (0, 0)


def test_silence_that_was_played_is_repaid() -> None:
    output_queue, writer = made()
    pull(output_queue, 250)
    assert writer.late_samples == 250
    written = 0
    for _ in range(3):
        writer.write(ones(100))
        written += 100
    assert writer.late_samples == 0
    assert output_queue.ring.available == written - 250


def test_what_remains_after_repaying_fades_in_over_what_is_left_out() -> None:
    output_queue, writer = made()
    pull(output_queue, 128)
    block = np.concatenate([np.zeros((1, 128), np.float32), ones(300)], axis=1)
    writer.write(block)
    assert output_queue.ring.available == 300
    y = np.zeros((1, 300), np.float32)
    output_queue.ring.read(y)
    assert np.abs(np.diff(y[0], prepend=0.0)).max() <= 1 / (FADE_SAMPLES - 1) + ROUNDING


def test_input_that_is_missing_is_made_up_for_by_silence() -> None:
    output_queue, writer = made()
    writer.write(ones(100))
    writer.note_missing(40)
    assert writer.late_samples == -40
    writer.write(ones(200))
    assert writer.late_samples == 0
    assert output_queue.ring.available == 340


def test_silence_that_makes_up_fades_out_and_in() -> None:
    output_queue, writer = made()
    writer.write(ones(100))
    writer.note_missing(400)
    writer.write(ones(300))
    y = pull(output_queue, 800)[0]
    assert np.abs(np.diff(y)).max() <= 1 / (FADE_SAMPLES - 1) + ROUNDING
    assert not y[100 + FADE_SAMPLES : 500].any()
    assert (y[:100] == 1.0).all()
    assert (y[500 + FADE_SAMPLES :] == 1.0).all()


@pytest.mark.parametrize("gap", [1, 10, 63, 64, 65])
def test_a_short_silence_has_no_step_either(gap: int) -> None:
    output_queue, writer = made()
    writer.write(ones(100))
    writer.note_missing(gap)
    writer.write(ones(300))
    y = pull(output_queue, 400 + gap)[0]
    # Both fades at once, at most.
    assert np.abs(np.diff(y)).max() <= 2 / (FADE_SAMPLES - 1) + ROUNDING
    assert y[-1] == 1.0


def test_silence_waits_until_there_is_room_for_it() -> None:
    """An output that hangs: what comes is kept, what it is owed stays owed."""
    output_queue, writer = made()
    writer.fill(44_000)
    writer.note_missing(1_000)
    writer.write(ones(90))
    assert output_queue.ring.free == 0
    assert writer.late_samples == -990
    pull(output_queue, 44_000)
    writer.write(ones(500))
    assert writer.late_samples == 0
    assert output_queue.ring.available == 100 + 990 + 500


def test_what_does_not_fit_is_made_up_for_later() -> None:
    output_queue, writer = made()
    writer.fill(44_000)
    writer.write(ones(500))
    assert writer.late_samples == -400
    pull(output_queue, 44_100)
    writer.write(ones(500))
    assert output_queue.ring.available == 900


def test_missing_input_and_played_silence_cancel() -> None:
    """A device that lost 100 samples, and played 100 of silence meanwhile, is in time."""
    output_queue, writer = made()
    pull(output_queue, 100)
    writer.note_missing(100)
    assert writer.late_samples == 0
    writer.write(ones(50))
    assert output_queue.ring.available == 50


def test_random_faults_always_end_at_the_base_latency(rng: np.random.Generator) -> None:
    output_queue, writer = made()
    sent, missing = 0, 0
    for _ in range(300):
        what = rng.integers(4)
        n = int(rng.integers(0, 300))
        if what == 0:
            pull(output_queue, n)
        elif what == 1 and output_queue.ring.available < 20_000:
            writer.note_missing(n / 4)
            missing += n
        else:
            writer.write(ones(n))
            sent += n
    pull(output_queue, output_queue.ring.available)
    # Not more than rounding: everything that was played is sound or what stands in for it.
    writer.write(ones(100_000 if writer.late_samples > 0 else 0))
    for _ in range(200):
        writer.write(ones(100))
        pull(output_queue, 50)
    assert writer.late_samples == 0


@pytest.mark.parametrize("rate", [48_000, 88_200, 96_000])
def test_other_rates_are_converted_and_stay_in_time(rate: int) -> None:
    output_queue, writer = made(rate=rate)
    t = np.arange(44_100 // 2) / 44_100
    x = (0.5 * np.sin(2 * np.pi * 1_000 * t))[None].astype(np.float32)
    got = []
    for start in range(0, x.shape[1], 512):
        writer.write(x[:, start : start + 512])
        got.append(pull(output_queue, output_queue.ring.available))
    y = np.concatenate(got, axis=1)[0]
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(len(y)) / rate)
    np.testing.assert_allclose(y[300:-300], expected[300:-300], rtol=0, atol=2e-3)
    held = x.shape[1] - len(y) * 44_100 / rate
    assert abs(held - writer.latency_samples) <= 2


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_lateness_is_counted_at_44100_hz(rate: int) -> None:
    output_queue, writer = made(rate=rate)
    pull(output_queue, rate // 100)
    assert writer.late_samples == 441
    writer.note_missing(441)
    assert writer.late_samples == 0


@pytest.mark.parametrize("samples", [-20, 20])
@pytest.mark.parametrize("block", [128, 512, 2_048])
def test_slipping_clocks_are_made_up_for_unheard(block: int, samples: int) -> None:
    output_queue, writer = made()
    tone = np.sin(0.1 * np.arange(40 * 1_024))[None].astype(np.float32)
    writer.note_drift(samples)
    for start in range(0, tone.shape[1], block):
        writer.write(tone[:, start : start + block])
    assert writer.late_samples == 0
    y = pull(output_queue, output_queue.ring.available)
    assert y.shape[1] == tone.shape[1] + samples
    # No step, and never faster or slower than by one sample in ninety.
    assert np.abs(np.diff(y)).max() <= 0.1 * 91 / 90


def test_clocks_that_slip_fast_are_made_up_for_in_one_piece() -> None:
    output_queue, writer = made()
    writer.note_drift(MOST_SLIPPED_SAMPLES)
    writer.note_drift(1)
    assert writer.late_samples == -MOST_SLIPPED_SAMPLES - 1
    writer.write(ones(1_000))
    assert output_queue.ring.available == 1_000 + MOST_SLIPPED_SAMPLES + 1
