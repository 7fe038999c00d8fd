"""STFT of the taps: columns of input and output on one time grid."""

from dataclasses import dataclass

import numpy as np

from gui.spectrogram.analysis.running_mean import Floats
from realtime.dsp.processor import Audio
from realtime.engine.tap import Tap
from realtime.sample_rates import SAMPLE_RATE_IN

INPUT_FFT_SAMPLES = 1024
OUTPUT_FFT_SAMPLES = 2048
"""Proportional to the sample rate: both have bins of 21.53 Hz and frames of 46.4 ms."""
BIN_HZ = SAMPLE_RATE_IN / INPUT_FFT_SAMPLES


@dataclass(frozen=True)
class Columns:
    """Columns of one spectrogram.

    Shape:
        - power: ``[n, F]``, 1 is a full-scale sine
        - peaks: ``[n]``, largest absolute sample of the column's hop
        - sound: ``[C, n * hop]``, the samples of the hops
    """

    first: int
    power: Floats
    peaks: Floats
    sound: Audio

    @property
    def end(self) -> int:
        """Index after the newest column."""
        return self.first + len(self.power)


class Analyser:
    """STFT of a tap: column k is centred at sample ``offset + k * hop``.

    Args:
        tap: Tap to read.
        fft_samples: Length of a frame; the window is a periodic Hann window.
        hop_samples: Samples between columns.
        offset_samples: Delay of this tap against the common time grid.
    """

    def __init__(
        self, tap: Tap, *, fft_samples: int, hop_samples: int, offset_samples: int = 0
    ) -> None:
        self._tap = tap
        self._fft = fft_samples
        self._hop = hop_samples
        self._start = offset_samples - fft_samples // 2
        phase = 2 * np.pi * np.arange(fft_samples) / fft_samples
        self._window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
        # A full-scale sine has the magnitude sum(window) / 2 at its bin.
        self._scale = np.float32((2 / self._window.sum()) ** 2)
        self.first = max(0, -(self._start // hop_samples))
        """The first column whose frame starts inside the signal."""

    def available(self) -> int:
        """Index after the newest complete column."""
        return max(self.first, (self._tap.written - self._start - self._fft) // self._hop + 1)

    def columns(self, first: int, end: int) -> Columns:
        """The columns `first` to `end`, which are available; without those the tap has lost."""
        start = self._start + first * self._hop
        samples, held = self._tap.read(start)
        lost = min(-(-(held - start) // self._hop), end - first)
        first += lost
        samples = samples[:, start + lost * self._hop - held :]
        mono = samples.mean(axis=0, dtype=np.float32)
        frames = np.zeros((0, self._fft), np.float32)
        if end > first:
            frames = np.lib.stride_tricks.sliding_window_view(mono, self._fft)
            frames = frames[:: self._hop][: end - first]
        spectrum = np.fft.rfft(frames * self._window)
        # Single precision stays single in numpy 2; older ones compute in double.
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False) * self._scale
        begin = (self._fft - self._hop) // 2
        middle = slice(begin, begin + len(frames) * self._hop)
        peaks = np.abs(mono[middle]).reshape(len(frames), self._hop).max(axis=1)
        return Columns(first, power, peaks, samples[:, middle])


class PairAnalyser:
    """Columns of input and output at the same times.

    Args:
        input_tap: 22.05 kHz.
        output_tap: 44.1 kHz.
        delay_samples: Delay of the output, in samples at 44.1 kHz.
        hop_samples: Samples between columns, at 22.05 kHz.
    """

    def __init__(
        self, input_tap: Tap, output_tap: Tap, *, delay_samples: int, hop_samples: int
    ) -> None:
        self._hop = hop_samples
        self._input = Analyser(input_tap, fft_samples=INPUT_FFT_SAMPLES, hop_samples=hop_samples)
        self._output = Analyser(
            output_tap,
            fft_samples=OUTPUT_FFT_SAMPLES,
            hop_samples=2 * hop_samples,
            offset_samples=delay_samples,
        )
        self.next_column = max(self._input.first, self._output.first)

    def take(self, max_columns: int) -> tuple[Columns, Columns]:
        """New columns of both, the same number; only the last `max_columns`.

        ``first`` shows whether columns were skipped.
        """
        end = max(min(self._input.available(), self._output.available()), self.next_column)
        source = self._input.columns(max(self.next_column, end - max_columns), end)
        restored = self._output.columns(source.first, end)
        self.next_column = end
        # The output may have lost more.
        lost = restored.first - source.first
        common = Columns(
            restored.first,
            source.power[lost:],
            source.peaks[lost:],
            source.sound[:, lost * self._hop :],
        )
        return common, restored
