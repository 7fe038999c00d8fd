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

    ratio: int
    """Output samples per input sample."""

    @property
    def latency_samples(self) -> int:
        """How late the output is."""

    def bind_thread(self) -> None:
        """Make the calling thread the one that runs the network."""

    def start(self, channels: int) -> None:
        """Forget the past."""

    def __call__(self, x: Audio) -> Audio:
        """Go on with the next samples."""


def probe(channels: int, ratio: int) -> tuple[Audio, Audio]:
    """A second of speech for a network to be given; noise where the demo clip is missing.

    Args:
        channels: rows.
        ratio: of the network: 2 gives the 22.05 kHz input, 1 what kaiser_fast makes of it.

    Returns:
        The network's input, and the same at 44.1 kHz and in time with it.

    Shape:
        - Output: ``[channels, T]`` and ``[channels, ratio * T]``
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
    upsampled = np.repeat(upsampler.process(np.ascontiguousarray(x)), channels, axis=0)
    if ratio == 1:
        return upsampled, upsampled
    delayed = np.pad(x, ((0, 0), (upsampler.reach, 0)))[:, : x.shape[1]]
    return np.repeat(delayed, channels, axis=0), upsampled


def run_through(network: Measurable, x: Audio, call_samples: int) -> Audio:
    """A signal through a network in calls of one length; what is left over is not run."""
    network.bind_thread()
    network.start(len(x))
    ends = range(call_samples, x.shape[1] + 1, call_samples)
    calls = [network(np.ascontiguousarray(x[:, e - call_samples : e])).copy() for e in ends]
    network.start(len(x))
    return np.concatenate(calls, axis=1)


def error_allows(exact: Measurable, rough: Measurable, channels: int, call_samples: int) -> bool:
    """Whether a rougher network's error can be neglected.

    Args:
        exact: in float32.
        rough: the same network in fewer bits.
        channels: of the calls that will come.
        call_samples: their length.
    """
    given, heard = probe(channels, exact.ratio)
    # Networks of long windows: at least three calls.
    times = -(-3 * call_samples // given.shape[1])
    x, heard = np.tile(given, (1, times)), np.tile(heard, (1, times))
    wanted, got = (run_through(n, x, call_samples) for n in (exact, rough))
    late = exact.latency_samples
    heard = heard[:, : wanted.shape[1] - late]
    added = _power(wanted[:, late:] - heard)
    error = _power(got[:, late:] - wanted[:, late:])
    # Written so that a NaN does not pass.
    return bool(
        error <= _power(heard) * 10 ** (-BELOW_SIGNAL_DB / 10)
        and error <= added * 10 ** (-BELOW_ADDED_DB / 10)
    )


def _power(x: Audio) -> float:
    return float(np.square(x, dtype=np.float64).mean())
