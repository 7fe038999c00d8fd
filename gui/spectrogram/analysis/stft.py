"""STFT of the taps: columns of input and output on one time grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.dsp.processor import Audio
from realtime.engine.tap import Tap
from realtime.sample_rates import SAMPLE_RATE_IN

Floats = npt.NDArray[np.float32]

INPUT_FFT_SAMPLES, OUTPUT_FFT_SAMPLES = 1024, 2048
"""Proportional to the sample rate: both have bins of 21.53 Hz and frames of 46.4 ms."""
BIN_HZ = SAMPLE_RATE_IN / INPUT_FFT_SAMPLES


@dataclass(frozen=True)
class Columns:
    """Columns of one spectrogram, from index `first` on.

    Shape:
        - power: ``[n, F]``, 1 is a full-scale sine
        - peaks: ``[n]``, largest absolute sample of the column's hop
        - sound: ``[C, n * hop]``, the samples of the hops
    """

    first: int
    power: Floats
    peaks: Floats
    sound: Audio


class _Frames:
    """Frames of a tap, from sample ``start + k * hop`` on, under a periodic Hann window."""

    def __init__(self, tap: Tap, *, fft: int, hop: int, delay: int) -> None:
        self._tap, self._fft, self._hop = tap, fft, hop
        self._start = delay - fft // 2
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(fft) / fft)).astype(np.float32)
        # A full-scale sine has the magnitude sum(window) / 2 at its bin.
        self._scale = np.float32((2 / self._window.sum()) ** 2)
        self.first = max(0, -(self._start // hop))

    def available(self) -> int:
        """Index after the newest complete frame."""
        return (self._tap.written - self._start - self._fft) // self._hop + 1

    def columns(self, first: int, end: int) -> Columns:
        """The frames `first` to `end`, without those that the tap has lost."""
        start = self._start + first * self._hop
        samples, held = self._tap.read(start)
        lost = min(-(-(held - start) // self._hop), end - first)
        count = end - first - lost
        samples = samples[:, start + lost * self._hop - held :]
        mono = samples.mean(axis=0, dtype=np.float32)
        frames = np.zeros((0, self._fft), np.float32)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(mono, self._fft)[:: self._hop][:count]
        spectrum = np.fft.rfft(frames * self._window)
        # Single precision stays single in numpy 2; older ones compute in double.
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False) * self._scale
        begin = (self._fft - self._hop) // 2
        hops = slice(begin, begin + count * self._hop)
        peaks = np.abs(mono[hops]).reshape(count, self._hop).max(axis=1)
        return Columns(first + lost, power, peaks, samples[:, hops])


class Analyser:
    """Columns of input and output at the same times: column k is centred at ``k * hop_samples``.

    Samples are those of the input at 22.05 kHz; the output's delay is in samples at 44.1 kHz.
    """

    def __init__(
        self, input_tap: Tap, output_tap: Tap, *, delay_samples: int, hop_samples: int
    ) -> None:
        self._hop = hop_samples
        self._both = (
            _Frames(input_tap, fft=INPUT_FFT_SAMPLES, hop=hop_samples, delay=0),
            _Frames(output_tap, fft=OUTPUT_FFT_SAMPLES, hop=2 * hop_samples, delay=delay_samples),
        )
        self.next_column = max(frames.first for frames in self._both)

    def take(self, max_columns: int) -> tuple[Columns, Columns]:
        """New columns of both, the same number; only the last `max_columns`.

        ``first`` shows whether columns were skipped.
        """
        end = max(min(frames.available() for frames in self._both), self.next_column)
        first = max(self.next_column, end - max_columns)
        self.next_column = end
        source = self._both[0].columns(first, end)
        restored = self._both[1].columns(source.first, end)
        # The output may have lost more.
        lost = restored.first - source.first
        power, peaks, sound = source.power, source.peaks, source.sound
        common = Columns(restored.first, power[lost:], peaks[lost:], sound[:, lost * self._hop :])
        return common, restored
