"""What a picture is made of: colours, axes, rows, history."""

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.spectrogram.analysis.history import History
from gui.spectrogram.axes import frequency_labels
from gui.spectrogram.color_maps import ColourMap, code_colours, codes_of, level_of
from gui.spectrogram.frequency_scale import EDGE_HZ, TOP_HZ, RowMap, Scale, ticks

BIN_HZ = 22_050 / 1024
# Lightness of 8-bit sRGB comes in steps of about this size.
LIGHTNESS_TOLERANCE = 0.004

each_scale = pytest.mark.parametrize("scale", list(Scale))


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
def test_map_grows_steadily_in_lightness_between_the_ends_of_the_range(name) -> None:
    colours = pg.colormap.get(name.value)
    found = lightness(code_colours(colours, -127.5, 0))
    assert np.diff(found).min() > -LIGHTNESS_TOLERANCE
    assert found[-1] - found[0] > 0.5
    packed = code_colours(colours, -100, -20)
    first, last = (colours.map(end, mode="byte") for end in (0.0, 1.0))
    for code, colour in ((0, first), (54, first), (215, last), (255, last)):
        assert [packed[code] >> shift & 255 for shift in (16, 8, 0)] == list(colour[:3])
    with pytest.raises(ValueError, match="must go up"):
        code_colours(colours, -20, -20)


def test_codes_hold_levels_to_half_a_decibel() -> None:
    levels = np.linspace(-127, 0, 500)
    codes = codes_of((10 ** (levels / 10)).astype(np.float32))
    found = np.array([level_of(int(code)) for code in codes])
    assert np.abs(found - levels).max() <= 0.26
    assert codes_of(np.array([0, 9], np.float32)).tolist() == [0, 255]


@each_scale
@given(height=st.floats(0, 1))
def test_frequency_and_position_undo_each_other(scale, height) -> None:
    assert scale.position(scale.frequency(height)) == pytest.approx(height, abs=1e-9)
    assert (scale.position(0), scale.position(TOP_HZ)) == (0, 1)
    # The linear axis gives the new octave half the height.
    assert (scale.position(EDGE_HZ) == 0.5) is (scale is Scale.LINEAR)


@each_scale
@pytest.mark.parametrize("height", [120, 300, 900, 2000])
def test_ticks_do_not_crowd(scale, height) -> None:
    places = [scale.position(hz) * height for hz in ticks(scale, height)]
    assert len(places) >= 3
    assert min(np.diff(places)) >= 26
    labels = frequency_labels(scale, 0, 1, height)
    assert labels[scale.position(EDGE_HZ)] == "11.025"
    assert min(np.diff(sorted(labels))) * height >= 12


@each_scale
@pytest.mark.parametrize("rows", [100, 433, 1500])
@pytest.mark.parametrize("bins", [513, 1025])
def test_tone_is_drawn_at_its_height(scale, rows, bins) -> None:
    mapped = RowMap(scale, rows=rows, bins=bins)
    for bin_index in (12, 100, 400, bins - 2):
        codes = np.zeros((1, bins), np.uint8)
        codes[0, bin_index] = 200
        picture = mapped.apply(codes)[:, 0]
        # No tone falls between rows, however narrow it is.
        assert picture.max() >= 100
        middle = rows - 0.5 - np.average(np.arange(rows), weights=picture)
        below, expected, above = (
            rows * scale.position((bin_index + by) * BIN_HZ) for by in (-1, 0, 1)
        )
        assert abs(middle - expected) <= max(1.0, above - below)


def test_input_leaves_the_upper_half_empty() -> None:
    mapped = RowMap(Scale.LINEAR, rows=400, bins=513)
    picture = mapped.apply(np.full((3, 513), 255, np.uint8))
    assert not picture[:199].any()
    assert (picture[201:] == 255).all()


@given(
    blocks=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=8),
    seed=st.integers(0, 99),
)
def test_history_keeps_the_newest_columns_and_gaps_are_silent(blocks, seed) -> None:
    rng = np.random.default_rng(seed)
    history = History(4, capacity=10)
    codes, peaks = np.zeros((0, 4), np.uint8), np.zeros(0, np.float32)
    for gap, count in blocks:
        new = rng.integers(1, 255, (count, 4)).astype(np.uint8)
        history.append(new, new[:, 0] / np.float32(255), gap=gap)
        codes = np.concatenate([codes, np.zeros((gap, 4), np.uint8), new])
        peaks = codes[:, 0] / np.float32(255)
    end = len(codes)
    assert history.end == end
    first = max(end - 10, 0)
    np.testing.assert_array_equal(history.codes(first, end), codes[first:])
    np.testing.assert_array_equal(history.peaks(first, end), peaks[first:])
    # Older columns may be held behind a gap, those of the future are not.
    older, then = history.codes(0, first), codes[:first]
    assert ((older == then) | (older == 0)).all()
    assert not history.codes(end, end + 3).any()
    assert not history.peaks(end, end + 3).any()
