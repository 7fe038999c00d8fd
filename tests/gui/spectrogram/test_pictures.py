"""What a picture is made of: colours, axes, rows, history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.spectrogram.analysis.history import History
from gui.spectrogram.color_maps import ColourMap, code_colours, codes_of, color_map, level_of
from gui.spectrogram.frequency_scale import (
    EDGE_HZ,
    TOP_HZ,
    RowMap,
    Scale,
    frequency,
    position,
    ticks,
)

BIN_HZ = 22_050 / 1024
# Lightness of 8-bit sRGB comes in steps of about this size.
LIGHTNESS_TOLERANCE = 0.004


def lightness(packed: np.ndarray) -> np.ndarray:
    """Oklab lightness of packed sRGB colours."""
    rgb = np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_lms = np.array([
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ])  # fmt: skip
    return np.array([0.2104542553, 0.7936177850, -0.0040720468]) @ np.cbrt(to_lms @ linear)


@pytest.mark.parametrize("name", list(ColourMap))
def test_map_grows_steadily_in_lightness(name) -> None:
    found = lightness(code_colours(color_map(name), -127.5, 0))
    assert np.diff(found).min() > -LIGHTNESS_TOLERANCE
    assert found[-1] - found[0] > 0.5


@pytest.mark.parametrize("name", list(ColourMap))
def test_ends_of_the_range_have_the_ends_of_the_map(name) -> None:
    found = code_colours(color_map(name), -100, -20)
    first, last = (color_map(name).map(end, mode="byte") for end in (0.0, 1.0))
    for code, colour in ((0, first), (54, first), (215, last), (255, last)):
        assert [found[code] >> shift & 255 for shift in (16, 8, 0)] == list(colour[:3])


def test_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="must go up"):
        code_colours(color_map(ColourMap.GREY), -20, -20)


def test_codes_hold_levels_to_half_a_decibel() -> None:
    levels = np.linspace(-127, 0, 500)
    codes = codes_of((10 ** (levels / 10)).astype(np.float32))
    found = np.array([level_of(int(code)) for code in codes])
    assert np.abs(found - levels).max() <= 0.26
    assert codes_of(np.zeros(1, np.float32))[0] == 0
    assert codes_of(np.full(1, 9.0, np.float32))[0] == 255


@pytest.mark.parametrize("scale", list(Scale))
@given(height=st.floats(0, 1))
def test_frequency_and_position_undo_each_other(scale, height) -> None:
    assert position(scale, frequency(scale, height)) == pytest.approx(height, abs=1e-9)


@pytest.mark.parametrize("scale", list(Scale))
def test_axis_ends_at_half_of_44_100(scale) -> None:
    assert position(scale, TOP_HZ) == 1
    assert position(scale, 0) == 0


def test_linear_axis_gives_the_new_octave_half_the_height() -> None:
    assert position(Scale.LINEAR, EDGE_HZ) == 0.5


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("height", [120, 300, 900, 2000])
def test_ticks_do_not_crowd(scale, height) -> None:
    places = [position(scale, tick.hz) * height for tick in ticks(scale, height)]
    assert len(places) >= 3
    assert min(np.diff(places)) >= 26


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("rows", [100, 433, 1500])
@pytest.mark.parametrize("bins", [513, 1025])
def test_tone_is_drawn_at_its_height(scale, rows, bins) -> None:
    mapped = RowMap.make(scale, rows=rows, bins=bins, bin_hz=BIN_HZ)
    for bin_index in (12, 100, 400, bins - 2):
        codes = np.zeros((1, bins), np.uint8)
        codes[0, bin_index] = 200
        picture = mapped.apply(codes)[:, 0]
        # No tone falls between rows, however narrow it is.
        assert picture.max() >= 100
        middle = rows - 0.5 - np.average(np.arange(rows), weights=picture)
        expected = position(scale, bin_index * BIN_HZ) * rows
        one_bin = rows * (
            position(scale, (bin_index + 1) * BIN_HZ) - position(scale, (bin_index - 1) * BIN_HZ)
        )
        assert abs(middle - expected) <= max(1.0, one_bin)


def test_input_leaves_the_upper_half_empty() -> None:
    mapped = RowMap.make(Scale.LINEAR, rows=400, bins=513, bin_hz=BIN_HZ)
    picture = mapped.apply(np.full((3, 513), 255, np.uint8))
    assert not picture[:199].any()
    assert (picture[201:] == 255).all()


def test_history_keeps_the_newest_columns(rng) -> None:
    history = History(4, capacity=10)
    everything = rng.integers(1, 255, (47, 4)).astype(np.uint8)
    peaks = rng.uniform(0, 1, 47).astype(np.float32)
    at = 0
    while at < 47:
        count = int(rng.integers(0, 14))
        history.append(everything[at : at + count], peaks[at : at + count])
        at += count
    codes, heights = history.codes(37, 47), history.peaks(37, 47)
    np.testing.assert_array_equal(codes, everything[37:])
    np.testing.assert_array_equal(heights, peaks[37:])
    assert history.end == 47
    older = history.codes(30, 47)
    assert not older[:7].any()
    assert history.code(36, 0) is None
    assert history.code(47, 0) is None
    assert history.code(37, 2) == everything[37, 2]


@pytest.mark.parametrize("columns", [3, 25])
def test_gap_in_history_is_silent(columns) -> None:
    history = History(2, capacity=10)
    history.append(np.full((4, 2), 9, np.uint8), np.ones(4, np.float32))
    history.append_gap(columns)
    assert history.end == 4 + columns
    first = history.end - min(columns, 10)
    assert not history.codes(first, history.end).any()
    assert not history.peaks(first, history.end).any()
