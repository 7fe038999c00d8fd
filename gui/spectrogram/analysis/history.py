"""The most recent columns of a spectrogram, as level codes."""

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8]


class History:
    """A ring buffer of columns, indexed from the first column of the stream.

    Args:
        bins: Bins per column.
        capacity: Number of columns that are kept.
    """

    def __init__(self, bins: int, capacity: int) -> None:
        self._codes = np.zeros((capacity, bins), np.uint8)
        self._peaks = np.zeros(capacity, np.float32)
        self.end = 0
        """Index after the newest column."""

    @property
    def bins(self) -> int:
        """Bins per column."""
        return self._codes.shape[1]

    @property
    def capacity(self) -> int:
        """Number of columns that are kept."""
        return self._codes.shape[0]

    def copy(self) -> "History":
        """The columns held now, which later ones do not overwrite."""
        same = History(self.bins, self.capacity)
        same._codes[:], same._peaks[:], same.end = self._codes, self._peaks, self.end
        return same

    def append(self, codes: Codes, peaks: npt.NDArray[np.float32]) -> None:
        """Add columns.

        Shape:
            - codes: ``[n, bins]``
            - peaks: ``[n]``, largest absolute sample under each column
        """
        self.end += len(codes)
        codes, peaks = codes[-self.capacity :], peaks[-self.capacity :]
        at = np.arange(self.end - len(codes), self.end) % self.capacity
        self._codes[at] = codes
        self._peaks[at] = peaks

    def append_gap(self, columns: int) -> None:
        """Add silent columns for time that was not analysed."""
        shown = min(columns, self.capacity)
        self.end += columns - shown
        self.append(np.zeros((shown, self.bins), np.uint8), np.zeros(shown, np.float32))

    def codes(self, first: int, end: int) -> Codes:
        """Level codes of the columns `first` to `end`; columns that are not held are silent.

        Shape:
            - Output: ``[end - first, bins]``
        """
        at, held = self._places(first, end)
        codes = self._codes[at]
        codes[~held] = 0
        return codes

    def peaks(self, first: int, end: int) -> npt.NDArray[np.float32]:
        """Largest absolute samples of the columns `first` to `end`; 0 where they are not held.

        Shape:
            - Output: ``[end - first]``
        """
        at, held = self._places(first, end)
        return np.where(held, self._peaks[at], np.float32(0))

    def _places(self, first: int, end: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        wanted = np.arange(first, end)
        held = (wanted >= max(0, self.end - self.capacity)) & (wanted < self.end)
        return wanted % self.capacity, held

    def code(self, column: int, bin_index: int) -> int | None:
        """Level code of one bin; None if the column is not held."""
        if not max(0, self.end - self.capacity) <= column < self.end:
            return None
        return int(self._codes[column % self.capacity, min(bin_index, self.bins - 1)])
