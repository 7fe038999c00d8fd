"""Colour maps of the spectrograms: even steps of lightness, made in the Oklab colour space.

Oklab is Björn Ottosson's perceptual colour space (https://bottosson.github.io/posts/oklab/).
A map walks from near black to near white in equal steps of its lightness, so that equal steps
of level look equal, in colour, in grey and to colour-blind eyes.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

CODES_PER_DB = 2
"""Levels are stored as bytes, in half decibels."""
MIN_DB = -127.5
"""Level of code 0, in dBFS; code 255 is 0 dBFS."""

Colours = npt.NDArray[np.uint32]

# Lightness, chroma and hue (degrees) along each map; hue turns on between the points.
_PATHS = {
    "ember": [(0.13, 0.020, 275), (0.32, 0.130, 290), (0.52, 0.175, 350), (0.72, 0.165, 405),
              (0.97, 0.090, 465)],
    "ice": [(0.13, 0.020, 260), (0.35, 0.090, 262), (0.58, 0.105, 235), (0.78, 0.095, 200),
            (0.97, 0.045, 175)],
    "grey": [(0.13, 0.004, 260), (0.97, 0.002, 260)],
}  # fmt: skip


class ColourMap(StrEnum):
    """The maps there are."""

    EMBER = "ember"
    ICE = "ice"
    GREY = "grey"


def colours(name: ColourMap, count: int = 256) -> Colours:
    """The map in `count` steps.

    Shape:
        - Output: ``[count]``, ``0xFFRRGGBB``, darkest first
    """
    path = np.array(_PATHS[name.value])
    # The way along the path is measured in lightness: that is what makes the steps even.
    lightness = np.linspace(path[0, 0], path[-1, 0], count)
    chroma = np.interp(lightness, path[:, 0], path[:, 1])
    hue = np.radians(np.interp(lightness, path[:, 0], path[:, 2]))
    rgb = _oklab_to_srgb(lightness, chroma * np.cos(hue), chroma * np.sin(hue))
    levels = np.round(rgb * 255).astype(np.uint32)
    packed: Colours = 0xFF000000 | levels[0] << 16 | levels[1] << 8 | levels[2]
    return packed


def code_colours(name: ColourMap, low_db: float, high_db: float) -> Colours:
    """Colour of each of the 256 level codes, the map stretched over a range.

    Args:
        name: The map.
        low_db: Level in dBFS of the darkest colour, and of all below it.
        high_db: Level in dBFS of the brightest colour, and of all above it.

    Raises:
        ValueError: if the range is empty or upside down.
    """
    if not low_db < high_db:
        raise ValueError(f"a range must go up, got {low_db} to {high_db} dBFS")
    steps = colours(name)
    level_db = MIN_DB + np.arange(256) / CODES_PER_DB
    index = np.clip((level_db - low_db) / (high_db - low_db), 0, 1) * (len(steps) - 1)
    chosen: Colours = steps[np.round(index).astype(np.intp)]
    return chosen


def codes_of(power: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Level codes of powers (1 is a full-scale sine), clamped to -127.5..0 dBFS."""
    level_db = 10 * np.log10(np.maximum(power, np.float32(1e-13)))
    scaled = np.clip((level_db - MIN_DB) * CODES_PER_DB + 0.5, 0, 255)
    return scaled.astype(np.uint8)


def level_of(code: int) -> float:
    """Level in dBFS of a code."""
    return MIN_DB + code / CODES_PER_DB


def _oklab_to_srgb(
    lightness: npt.NDArray[np.float64], a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Gamma-coded sRGB in 0..1, ``[3, n]``; what lies outside of sRGB is clipped."""
    lms = np.stack([
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    ]) ** 3  # fmt: skip
    to_rgb = np.array([
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ])  # fmt: skip
    linear = np.clip(to_rgb @ lms, 0, 1)
    coded: npt.NDArray[np.float64] = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return coded
