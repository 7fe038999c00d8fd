"""Restores audio of any rate with a chain, whose calls all have one length."""

from numbers import Integral

import numpy as np

from realtime.dsp.missing_band import HighPass, gap_note, measure_band_edge
from realtime.dsp.processor import Audio
from realtime.dsp.sample_rate_converter import SampleRateConverter
from realtime.errors import SettingsError
from realtime.inference.load import LoadedChain
from realtime.sample_rates import (
    MAX_NATIVE_RATE,
    MAX_SAMPLE_RATE,
    MIN_NATIVE_RATE,
    MIN_SAMPLE_RATE,
    SAMPLE_RATE_IN,
)

# From this rate on a recording may have its octave already.
MIN_FULL_RATE = 32_000
# It has the octave if its band ends above this frequency.
FULL_BAND_HZ = 12_500.0
# How many more samples than measured a rate converter may hold back.
CONVERTER_SLACK = 2


def network_rate(sample_rate: int) -> int:
    """The rate in Hz at which a network gets audio of this rate.

    From 20 to 26 kHz it is the rate itself: a network runs in samples, whatever their rate. Other
    rates are converted.

    Raises:
        SettingsError: if the rate is no whole number from 8 to 384 kHz.
    """
    whole = isinstance(sample_rate, Integral)
    if not whole or not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise SettingsError(
            f"a sample rate must be a whole number from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} "
            f"Hz, got {sample_rate!r}"
        )
    if MIN_NATIVE_RATE <= sample_rate <= MAX_NATIVE_RATE:
        return sample_rate
    return SAMPLE_RATE_IN if sample_rate < MIN_NATIVE_RATE or not sample_rate % 11_025 else 24_000


class Restorer:
    """Restores a signal block by block; the blocks do not change a bit of the result.

    The output is aligned with the input: it begins with the first sample, not with a delay, and
    ``process`` returns what is ready.

    Input of 32 kHz or more may have its octave already. The first second that is not digital
    silence is held back until its spectrum is measured: if the band ends above 12.5 kHz, the input
    passes through. If it ends before, and a network's output has the input's rate (44.1 or 48 kHz),
    only what lies above the end is added.

    Args:
        loaded: a chain that no one else uses meanwhile.
        sample_rate: of the input, 8 to 384 kHz.
        output_rate: None for twice the network's: 44.1 kHz, 48 kHz, or twice the input's.
        channels: as the chain was loaded for.
        force: restore also what has its octave, and hold nothing back.

    Attributes:
        about: one line for the user about the input, or empty; may change with its first second.
        sample_rate: as given.
        output_rate: of the output, in Hz.
        latency_samples: so many output samples at most are not ready yet, while no second of input
            is held back.

    Shape:
        - Input: ``[C, n]``, float32 and finite
        - Output: ``[C, m]``; up to ``flush``, ``round(n * output_rate / sample_rate)`` in total

    Raises:
        SettingsError: if a rate is wrong.
    """

    def __init__(
        self,
        loaded: LoadedChain,
        *,
        sample_rate: int,
        output_rate: int | None = None,
        channels: int = 1,
        force: bool = False,
    ) -> None:
        self._loaded = loaded
        self.sample_rate = sample_rate
        self._network_rate = network_rate(sample_rate)
        self.output_rate = 2 * self._network_rate if output_rate is None else output_rate
        network_rate(self.output_rate)  # checks it
        self._channels = channels
        self._measures = sample_rate >= MIN_FULL_RATE and not force
        self.about = ""
        if not self._measures:
            self.about = gap_note(sample_rate / 2, network_rate=self._network_rate)
        self.reset()
        # With a high-pass if one may be needed.
        self.latency_samples = self._path(True, MIN_FULL_RATE / 2).latency_samples
        self.reset()

    def reset(self) -> None:
        """Forget the past; the next block is the first of a signal."""
        self._held = np.zeros((self._channels, 0), np.float32)
        self._chosen: _Path | None = None
        if not self._measures:
            self._chosen = self._path(True, None)

    def process(self, x: Audio) -> Audio:
        """Restore a block."""
        if self._chosen is not None:
            return self._chosen.process(x)
        self._held = np.concatenate([self._held, x], axis=1)
        return self._release(self.sample_rate)

    def flush(self) -> Audio:
        """End the signal: the rest of the output. The next block begins another signal."""
        rest = self._release(1)
        if self._chosen is not None:
            rest = np.concatenate([rest, self._chosen.flush()], axis=1)
        self.reset()
        return rest

    def _release(self, enough: int) -> Audio:
        """Choose the path of what is held, once there are ``enough`` samples, second by second."""
        out = [np.zeros((self._channels, 0), np.float32)]
        while self._chosen is None and self._held.shape[1] >= enough:
            second = self._held[:, : self.sample_rate]
            if second.any():
                self._chosen = self._choose(second)
                out.append(self._chosen.process(self._held))
                second = self._held
            else:
                samples = round(second.shape[1] * self.output_rate / self.sample_rate)
                out.append(np.zeros((self._channels, samples), np.float32))
            self._held = self._held[:, second.shape[1] :]
        return np.concatenate(out, axis=1)

    def _choose(self, second: Audio) -> "_Path":
        edge_hz = measure_band_edge(second, sample_rate=self.sample_rate)
        if edge_hz > FULL_BAND_HZ:
            self.about = (
                f"the input has its top octave (up to {edge_hz / 1e3:.1f} kHz): passed through; "
                "force restores it"
            )
            return self._path(False, None)
        self.about = gap_note(edge_hz, network_rate=self._network_rate)
        return self._path(True, edge_hz)

    def _path(self, restores: bool, edge_hz: float | None) -> "_Path":
        doubled = 2 * self._network_rate
        high_pass = None
        if edge_hz is not None and doubled == self.sample_rate:
            high_pass = HighPass(edge_hz, sample_rate=doubled, channels=self._channels)
        rates = (self.sample_rate, self._network_rate, self.output_rate)
        return _Path(self._loaded if restores else None, high_pass, rates, self._channels)


class _Path:
    """One way from input to output: to the network's rate, the chain, to the output's rate.

    Args:
        loaded: None only converts.
        high_pass: if given, its part of the restored signal is added to the input.
        rates: of input, network and output, in Hz.
        channels: of the audio.
    """

    def __init__(
        self,
        loaded: LoadedChain | None,
        high_pass: HighPass | None,
        rates: tuple[int, int, int],
        channels: int,
    ) -> None:
        self._loaded, self._high_pass = loaded, high_pass
        self._rate_in, middle, self._rate_out = rates
        doubled = 2 * middle if loaded else self._rate_in
        self._input = SampleRateConverter(
            rate_in_hz=self._rate_in, rate_out_hz=middle if loaded else doubled, channels=channels
        )
        self._output = SampleRateConverter(
            rate_in_hz=doubled, rate_out_hz=self._rate_out, channels=channels
        )
        self._skip = 0
        self._waiting = self._own = np.zeros((channels, 0), np.float32)
        late_s = 0.0
        if loaded is not None:
            loaded.chain.reset()
            self._skip = loaded.chain.latency_samples
            if high_pass is not None:
                self._skip += high_pass.latency_samples
            # A call waits for its last sample.
            late_s = (self._skip + loaded.block_samples - 2) / doubled
        slack = 0
        for converter, rate in ((self._input, middle), (self._output, self._rate_out)):
            if converter.latency_samples:
                late_s += converter.latency_samples / rate
                slack += CONVERTER_SLACK
        self.latency_samples = int(np.ceil(round(late_s * self._rate_out, 6))) + slack
        self._taken = self._given = 0

    def process(self, x: Audio) -> Audio:
        self._taken += x.shape[1]
        y = x if self._loaded is None else self._restore(x, self._loaded)
        y = self._output.process(y)
        self._given += y.shape[1]
        return y

    def flush(self) -> Audio:
        due = round(self._taken * self._rate_out / self._rate_in) - self._given
        out = [np.zeros((len(self._own), 0), np.float32)]
        silence = np.zeros((len(self._own), self._rate_in // 20), np.float32)
        end = self._given + due
        while self._given < end:
            out.append(self.process(silence))
        return np.concatenate(out, axis=1)[:, :due]

    def _restore(self, x: Audio, loaded: LoadedChain) -> Audio:
        """The part that is ready, at twice the network's rate."""
        waiting = np.concatenate([self._waiting, self._input.process(x)], axis=1)
        call = loaded.block_samples // 2
        out = [np.zeros((len(x), 0), np.float32)]
        for begin in range(0, waiting.shape[1] - call + 1, call):
            y = loaded.chain.process(waiting[:, begin : begin + call])
            if self._high_pass is not None:
                y = self._high_pass.process(y)
            out.append(y[:, self._skip :])
            self._skip = max(self._skip - y.shape[1], 0)
        self._waiting = waiting[:, waiting.shape[1] // call * call :].copy()
        added = np.concatenate(out, axis=1)
        if self._high_pass is None:
            return added
        own = np.concatenate([self._own, x], axis=1)
        self._own = own[:, added.shape[1] :].copy()
        return own[:, : added.shape[1]] + added
