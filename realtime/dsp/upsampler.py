"""The front end: resampy's Kaiser-windowed sinc x2, block by block."""

import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.dsp.processor import Audio, ProcessSpec, check_block

FILTERS = ("kaiser_fast", "kaiser_best")

# Input samples per row of the matrix product. Longer rows waste products on zeros of the banded
# matrix, shorter ones waste copying the overlap; 32 measured fastest for kaiser_fast.
ROW_SAMPLES = 32


def filter_taps(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Both phases of resampy's x2 interpolation filter.

    resampy stores one wing of a long windowed sinc, ``precision`` entries per zero crossing. At a
    ratio of 2 an even output stands on an input sample (wing at whole multiples of
    ``precision``), an odd one halfway between two (at halves).

    The table is read from resampy's files without importing resampy, whose numba takes a second
    to load.

    Returns:
        Taps of the even outputs, ``[2 L + 1]`` over input samples n - L to n + L, and of the odd
        ones, ``[2 L + 1]`` over the same samples; L is 23 for kaiser_fast, 49 for kaiser_best.

    Raises:
        ValueError: if there is no such filter.
    """
    if name not in FILTERS:
        raise ValueError(f"filter must be one of {', '.join(FILTERS)}, got {name!r}")
    spec = importlib.util.find_spec("resampy")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("resampy is not installed; it holds the filter tables")
    with np.load(Path(spec.origin).parent / "data" / f"{name}.npz") as table:
        wing, precision = table["half_window"].astype(np.float64), int(table["precision"])
    reach = (len(wing) - precision) // precision
    lags = np.arange(-reach, reach + 1)
    even = wing[np.abs(lags) * precision]
    # The odd output between n and n + 1 is half a sample from n: lag -0.5 for tap 0, 0.5 for
    # tap 1. Its reach to the left is one tap shorter than to the right.
    odd = wing[np.abs(2 * lags - 1) * precision // 2]
    odd[0] = 0.0
    return even, odd


class KaiserUpsampler:
    """Streaming x2 upsampling, equal to ``resampy.resample`` of the whole signal.

    Every output needs L input samples on both sides (L = 23 for kaiser_fast), so it is at least L
    input samples, 2 L output samples, late.

    A block is cut into rows of 32 inputs with L neighbours on both sides, and one matrix product
    with a banded matrix makes the 64 outputs of each row, both phases interleaved.

    Args:
        latency_samples: a longer latency than 2 L delays the output, at no cost: the filter then
            stands on older input.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, 2 n]``

    Source:
        Smith, Digital Audio Resampling (ccrma.stanford.edu/~jos/resample); McFee, resampy.
    """

    ratio = 2

    def __init__(self, filter_name: str = "kaiser_fast", *, latency_samples: int = 0) -> None:
        even, odd = filter_taps(filter_name)
        self.reach = len(even) // 2
        self.latency_samples = max(2 * self.reach, latency_samples)
        delay, half = divmod(self.latency_samples - 2 * self.reach, 2)
        if half:
            # The outputs of a row begin with the odd one between the previous input and this one.
            even, odd = np.pad(odd, (0, 1)), np.pad(even, (1, 0))
        self._history = len(even) - 1 + delay
        self._matrix = np.zeros((ROW_SAMPLES + len(even) - 1, 2 * ROW_SAMPLES), np.float32)
        for i in range(ROW_SAMPLES):
            self._matrix[i : i + len(even), 2 * i] = even
            self._matrix[i : i + len(odd), 2 * i + 1] = odd
        self.prepare(ProcessSpec(max_block_samples=1))

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate; any block lengths will do."""
        self._spec = spec
        rows = -(-spec.max_block_samples // ROW_SAMPLES)
        # The history, then the block; the rest of the last row is never read back.
        self._buffer = np.zeros((spec.channels, rows * ROW_SAMPLES + self._history), np.float32)
        self._rows = np.lib.stride_tricks.as_strided(
            self._buffer,
            (spec.channels, rows, self._matrix.shape[0]),
            (self._buffer.strides[0], ROW_SAMPLES * 4, 4),
            writeable=False,
        )
        self.reset()

    def reset(self) -> None:
        """Silence before the next block."""
        self._buffer[:] = 0.0
        self._last = 0  # length of the newest block in the buffer

    def process(self, x: Audio) -> Audio:
        """Upsample a block; output is ``latency_samples`` late."""
        check_block(x, self._spec)
        history, last = self._history, self._last
        self._buffer[:, :history] = self._buffer[:, last : last + history]
        self._last = x.shape[1]
        self._buffer[:, history : history + self._last] = x
        rows = self._rows[:, : -(-x.shape[1] // ROW_SAMPLES)]
        out = (rows @ self._matrix).reshape(len(x), -1)[:, : 2 * x.shape[1]]
        return np.ascontiguousarray(out)
