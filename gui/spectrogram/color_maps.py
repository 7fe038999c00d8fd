"""Colours of the spectrograms: level codes and pyqtgraph's perceptual colour maps."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg

from gui.spectrogram.analysis.history import Codes
from gui.spectrogram.analysis.stft import Floats

CODES_PER_DB = 2
"""Levels are stored as bytes, in half decibels."""
MIN_DB = -127.5
"""Level of code 0, in dBFS; code 255 is 0 dBFS."""

Colours = npt.NDArray[np.uint32]


class ColourMap(StrEnum):
    """Colour maps whose lightness grows steadily, also for colour-blind eyes."""

    INFERNO = "inferno"
    MAGMA = "magma"
    VIRIDIS = "viridis"
    CIVIDIS = "cividis"
    GREY = "CET-L1"

    @property
    def label(self) -> str:
        """Text for the user."""
        return self.name.capitalize()


def code_colours(colours: pg.ColorMap, low_db: float, high_db: float) -> Colours:
    """Colours ``[256]`` of the level codes, ``0xFFRRGGBB``, from one level in dBFS to another.

    Raises:
        ValueError: if the range is empty or reversed.
    """
    if not low_db < high_db:
        raise ValueError(f"a range must go up, got {low_db} to {high_db} dBFS")
    level_db = MIN_DB + np.arange(256) / CODES_PER_DB
    share = np.clip((level_db - low_db) / (high_db - low_db), 0, 1)
    red, green, blue = colours.map(share, mode="byte")[:, :3].T.astype(np.uint32)
    packed: Colours = 0xFF000000 | red << 16 | green << 8 | blue
    return packed


def codes_of(power: Floats) -> Codes:
    """Level codes of powers (1 is a full-scale sine), clamped to -127.5..0 dBFS."""
    level_db = 10 * np.log10(np.maximum(power, np.float32(1e-13)))
    scaled = np.clip((level_db - MIN_DB) * CODES_PER_DB + 0.5, 0, 255)
    return scaled.astype(np.uint8)


def level_of(code: int) -> float:
    """Level in dBFS of a code."""
    return MIN_DB + code / CODES_PER_DB
