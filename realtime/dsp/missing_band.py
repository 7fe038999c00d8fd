"""What of the band is missing: where a recording's band ends, and a filter for what is added."""

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.dsp.processor import Audio
from realtime.sample_rates import SAMPLE_RATE_IN

# The band ends where the mean level of the 500 Hz below exceeds that of the 200 Hz above a slope of
# 200 Hz by 15 dB. There the level has fallen by 10 dB.
BELOW_HZ, GAP_HZ, ABOVE_HZ = 500.0, 200.0, 200.0
MIN_DROP_DB, EDGE_DB = 15.0, 10.0
MIN_EDGE_HZ = 2_000.0
# Quieter frames are left out: the band of a pause is that of its noise.
ACTIVE_DB = 35.0
MAX_BIN_HZ = 25.0

# A Kaiser window of beta 5 has 53 dB of stop-band attenuation and a slope of 550 Hz at 44.1 kHz.
HIGH_PASS_REACH, KAISER_BETA = 128, 5.0

# The networks add from here on, at 22.05 kHz.
ADDED_FROM_HZ = 9_000.0


def gap_note(edge_hz: float, *, network_rate: int = SAMPLE_RATE_IN) -> str:
    """A line if nothing fills the band between the input's end and the network's begin."""
    begin_hz = ADDED_FROM_HZ * network_rate / SAMPLE_RATE_IN
    if edge_hz >= begin_hz:
        return ""
    return (
        f"the input ends at {edge_hz / 1e3:.3g} kHz: from there to {begin_hz / 1e3:.2g} kHz the "
        "output stays empty until a network for it exists"
    )


def band_edge_hz(power: npt.NDArray[np.floating[Any]], *, bin_hz: float) -> float:
    """Upper end of the band of a long-term power spectrum, ``[F]``; its last bin if none is found.

    Full scale is 1; lower levels than -130 dB count as -130 dB.
    """
    level_db = 10 * np.log10(np.maximum(power, 1e-13))
    below, gap, above = (round(width / bin_hz) for width in (BELOW_HZ, GAP_HZ, ABOVE_HZ))
    total = np.concatenate([[0.0], np.cumsum(level_db)])
    lower = (total[below:] - total[:-below]) / below
    upper = (total[above:] - total[:-above]) / above
    # drop[i]: mean of the bins [i, i + below) minus the mean from i + below + gap on.
    drop = lower[: len(upper) - below - gap] - upper[below + gap :]
    centres_hz = (np.arange(len(drop)) + below + gap / 2) * bin_hz
    steep = np.flatnonzero((drop >= MIN_DROP_DB) & (centres_hz >= MIN_EDGE_HZ))
    if not len(steep):
        return (len(power) - 1) * bin_hz
    # The start of the highest slope, whose level above belongs to the band.
    gaps = np.flatnonzero(np.diff(steep) > 1)
    start = int(steep[gaps[-1] + 1] if len(gaps) else steep[0])
    inside = level_db[start:] > lower[start] - EDGE_DB
    return float((start + np.flatnonzero(inside)[-1]) * bin_hz)


def measure_band_edge(x: Audio, *, sample_rate: int) -> float:
    """Where the band of a signal, ``[C, n]``, ends, in Hz; half the sample rate if nowhere before.

    Frames more than 35 dB below the loudest do not count.
    """
    size = 1 << int(np.ceil(np.log2(sample_rate / MAX_BIN_HZ)))
    x = np.pad(x, ((0, 0), (0, max(size - x.shape[1], 0))))
    frames = np.lib.stride_tricks.sliding_window_view(x, size, axis=1)[:, :: size // 2]
    window = np.hanning(size)
    power = np.abs(np.fft.rfft(frames * window) * 2 / window.sum()) ** 2
    energy = power.sum(axis=2)
    active = power[energy > energy.max() * 10 ** (-ACTIVE_DB / 10)]
    if not len(active):  # silence
        return sample_rate / 2
    return band_edge_hz(active.mean(axis=0), bin_hz=sample_rate / size)


class HighPass:
    """A linear-phase filter that passes what lies above an edge; -6 dB at the edge.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, n]``, ``latency_samples`` late

    Source:
        The window method: a Kaiser-windowed sinc, subtracted from an impulse.
    """

    latency_samples = HIGH_PASS_REACH

    def __init__(self, edge_hz: float, *, sample_rate: int, channels: int) -> None:
        lags = np.arange(-HIGH_PASS_REACH, HIGH_PASS_REACH + 1)
        width = 2 * edge_hz / sample_rate
        taps = -width * np.sinc(width * lags) * np.kaiser(len(lags), KAISER_BETA)
        taps[HIGH_PASS_REACH] += 1.0
        self._taps = taps.astype(np.float32)
        self._history = np.zeros((channels, 2 * HIGH_PASS_REACH), np.float32)

    def process(self, x: Audio) -> Audio:
        """Filter a block. Equal lengths give equal rounding."""
        known = np.concatenate([self._history, x], axis=1)
        self._history = known[:, x.shape[1] :]
        return np.stack([np.convolve(channel, self._taps, "valid") for channel in known])
