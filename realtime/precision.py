"""Whether a network may compute in fewer bits: measured, on speech, on this machine."""

from typing import Protocol

import numpy as np

from realtime.assets import demo_path
from realtime.audio_file import read_audio
from realtime.errors import AudioFileError
from realtime.processor import Audio, ProcessSpec
from realtime.upsampler import KaiserUpsampler

# The error of fewer bits is noise. Noise 40 dB below the signal is masked by it, but where the
# network adds little, as in a pause, it has to be small beside that: 20 dB.
BELOW_SIGNAL_DB = 40.0
BELOW_ADDED_DB = 20.0

PROBE_S = 1.0
# Where the demo clip speaks.
PROBE_START_S = 1.0


class Measurable(Protocol):
    """A network that can be run on a signal."""

    @property
    def latency_samples(self) -> int:
        """How late the output is."""

    def bind_thread(self) -> None:
        """Make the calling thread the one that runs the network."""

    def start(self, channels: int) -> None:
        """Forget the past."""

    def __call__(self, x: Audio) -> Audio:
        """Go on with the next samples."""


def probe(channels: int) -> Audio:
    """A second of upsampled speech; noise where the demo clip is missing.

    Shape:
        - Output: ``[channels, T]`` at 44.1 kHz
    """
    try:
        audio = read_audio(demo_path())
        first = round(PROBE_START_S * 22_050)
        x = audio.samples[:1, first : first + round(PROBE_S * 22_050)]
    except AudioFileError:
        rng = np.random.default_rng(0)
        x = rng.normal(0.0, 0.05, (1, round(PROBE_S * 22_050))).astype(np.float32)
    upsampler = KaiserUpsampler()
    upsampler.prepare(ProcessSpec(max_block_samples=x.shape[1]))
    return np.repeat(upsampler.process(np.ascontiguousarray(x)), channels, axis=0)


def run_through(network: Measurable, x: Audio, call_samples: int) -> Audio:
    """A signal through a network in calls of one length; what is left over is not run."""
    network.bind_thread()
    network.start(len(x))
    ends = range(call_samples, x.shape[1] + 1, call_samples)
    calls = [network(np.ascontiguousarray(x[:, e - call_samples : e])).copy() for e in ends]
    network.start(len(x))
    return np.concatenate(calls, axis=1) if calls else x[:, :0]


def error_allows(exact: Measurable, rough: Measurable, channels: int, call_samples: int) -> bool:
    """Whether a rougher network's error can be neglected.

    Args:
        exact: in float32.
        rough: the same network in fewer bits.
        channels: of the calls that will come.
        call_samples: their length.
    """
    x = probe(channels)
    # Networks of long windows: at least three calls.
    x = np.tile(x, (1, -(-3 * call_samples // x.shape[1])))
    wanted, got = (run_through(n, x, call_samples) for n in (exact, rough))
    late = exact.latency_samples
    heard = x[:, : wanted.shape[1] - late]
    added = _power(wanted[:, late:] - heard)
    error = _power(got[:, late:] - wanted[:, late:])
    # Written so that a NaN does not pass.
    return bool(
        error <= _power(heard) * 10 ** (-BELOW_SIGNAL_DB / 10)
        and error <= added * 10 ** (-BELOW_ADDED_DB / 10)
    )


def _power(x: Audio) -> float:
    return float(np.square(x, dtype=np.float64).mean())
