"""The most recent columns of a spectrogram, as level codes."""

import numpy as np
import numpy.typing as npt

from gui.spectrogram.analysis.stft import Floats

Codes = npt.NDArray[np.uint8]


class History:
    """A ring buffer of columns, indexed from the first column of the stream.

    Args:
        bins: Bins per column.
        capacity: Number of columns that are kept.
    """

    def __init__(self, bins: int, capacity: int) -> None:
        self.bins, self.capacity = bins, capacity
        self._codes = np.zeros((capacity, bins), np.uint8)
        self._peaks = np.zeros(capacity, np.float32)
        # The column that each place holds.
        self._columns = np.full(capacity, -1)
        self.end = 0
        """Index after the newest column."""

    def append(self, codes: Codes, peaks: Floats, *, gap: int = 0) -> None:
        """Add columns after a gap of columns that were not analysed.

        Shape:
            - codes: ``[n, bins]``
            - peaks: ``[n]``, largest absolute sample under each column
        """
        self.end += gap + len(codes)
        codes, peaks = codes[-self.capacity :], peaks[-self.capacity :]
        columns = np.arange(self.end - len(codes), self.end)
        at = columns % self.capacity
        self._codes[at], self._peaks[at], self._columns[at] = codes, peaks, columns

    def codes(self, first: int, end: int) -> Codes:
        """Level codes ``[end - first, bins]`` of columns; those that are not held are silent."""
        at, held = self._places(first, end)
        codes = self._codes[at]
        codes[~held] = 0
        return codes

    def peaks(self, first: int, end: int) -> Floats:
        """Largest absolute samples ``[end - first]`` of columns; 0 where they are not held."""
        at, held = self._places(first, end)
        return np.where(held, self._peaks[at], np.float32(0))

    def _places(self, first: int, end: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        wanted = np.arange(first, end)
        at = wanted % self.capacity
        return at, self._columns[at] == wanted
