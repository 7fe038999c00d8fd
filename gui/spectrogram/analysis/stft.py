"""STFT of the taps: columns of input and output on one time grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.engine.tap import Tap
from realtime.sample_rates import SAMPLE_RATE_IN

INPUT_FFT_SAMPLES = 1024
OUTPUT_FFT_SAMPLES = 2048
"""Proportional to the sample rate: both have bins of 21.53 Hz and frames of 46.4 ms."""
BIN_HZ = SAMPLE_RATE_IN / INPUT_FFT_SAMPLES


@dataclass(frozen=True)
class Columns:
    """New columns of one spectrogram.

    Shape:
        - power: ``[n, F]``, 1 is a full-scale sine
        - peaks: ``[n]``, largest absolute sample of the column's hop
    """

    first: int
    power: npt.NDArray[np.float32]
    peaks: npt.NDArray[np.float32]

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
        self._offset = offset_samples
        phase = 2 * np.pi * np.arange(fft_samples) / fft_samples
        self._window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
        # A full-scale sine has the magnitude sum(window) / 2 at its bin.
        self._scale = np.float32((2 / self._window.sum()) ** 2)
        # The first frame that starts inside the signal.
        self.next_column = max(0, -(-(fft_samples // 2 - offset_samples) // hop_samples))

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self._fft // 2 + 1

    def available(self) -> int:
        """Index after the newest complete column."""
        whole = self._tap.written - self._offset - self._fft // 2
        return max(self.next_column, whole // self._hop + 1)

    def skip_to(self, column: int) -> None:
        """Skip the columns before `column`."""
        self.next_column = max(self.next_column, column)

    def take(self, end: int) -> Columns:
        """Columns from the end of the last call to `end`, at most the available ones.

        Columns that the tap no longer holds are skipped.
        """
        start = self._offset + self.next_column * self._hop - self._fft // 2
        samples, first = self._tap.read(start)
        if first > start:
            late = -(-(first - start) // self._hop)
            self.next_column += late
            samples = samples[:, start + late * self._hop - first :]
        begin = self.next_column
        fitting = (samples.shape[1] - self._fft) // self._hop + 1
        count = max(0, min(end - begin, fitting))
        if not count:
            empty = np.zeros((0, self.bins), np.float32)
            return Columns(begin, empty, np.zeros(0, np.float32))
        mono = samples.mean(axis=0, dtype=np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(mono, self._fft)[:: self._hop][:count]
        spectrum = np.fft.rfft(frames * self._window)
        # Single precision stays single in numpy 2; older ones compute in double.
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False) * self._scale
        middle = frames[:, (self._fft - self._hop) // 2 : (self._fft + self._hop) // 2]
        self.next_column = begin + count
        return Columns(begin, power, np.abs(middle).max(axis=1))


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
        self.input = Analyser(input_tap, fft_samples=INPUT_FFT_SAMPLES, hop_samples=hop_samples)
        self.output = Analyser(
            output_tap,
            fft_samples=OUTPUT_FFT_SAMPLES,
            hop_samples=2 * hop_samples,
            offset_samples=delay_samples,
        )
        self._begin()

    def _begin(self) -> None:
        first = max(self.input.next_column, self.output.next_column)
        self.input.skip_to(first)
        self.output.skip_to(first)

    def take(self, max_columns: int) -> tuple[Columns, Columns]:
        """New columns of both, the same number; only the last `max_columns`.

        ``first`` shows whether columns were skipped.
        """
        end = min(self.input.available(), self.output.available())
        for analyser in (self.input, self.output):
            analyser.skip_to(end - max_columns)
        input_columns = self.input.take(end)
        output_columns = self.output.take(input_columns.end)
        # One tap may have overwritten columns while the other was read: keep the common ones.
        first, end = (
            max(input_columns.first, output_columns.first),
            min(input_columns.end, output_columns.end),
        )
        return _cut(input_columns, first, end), _cut(output_columns, first, end)


def _cut(columns: Columns, first: int, end: int) -> Columns:
    at = slice(max(0, first - columns.first), max(0, end - columns.first))
    return Columns(first, columns.power[at], columns.peaks[at])
