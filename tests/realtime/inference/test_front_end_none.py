"""A network that takes the 22.05 kHz input itself (``front_end`` none), through every path."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from realtime.dsp.latency import Latency
from realtime.errors import ModelFileError
from realtime.files.enhance import render
from realtime.inference.model_file import ModelInfo, read_model_info
from tests.helpers.engine_signals import noise
from tests.helpers.models.unets import STREAMED
from tests.helpers.networks import Doubling, Smooth, doubled, doubling_metadata, write_model
from tests.realtime.inference.conftest import load

LATENCY = 448


def written(folder: Path, module: nn.Module, about: dict[str, Any] | None) -> ModelInfo:
    return read_model_info(write_model(folder / "test.ts", module, about))


ODD = {"kind": "windowed", "context_samples": [7, 5], "crossfade_samples": 3}


@pytest.mark.parametrize(
    ("latency", "changes", "block", "late"),
    [
        # The network's latency, and a wait where blocks do not keep to its grid. `Doubling` refuses
        # calls of other lengths than steps of its grid.
        (LATENCY, {}, 128, LATENCY + 128),
        (LATENCY, {}, 256, LATENCY),
        (LATENCY, {}, 384, LATENCY + 128),
        (LATENCY, {}, 1024, LATENCY),
        # Earlier than kaiser_fast, it waits for it.
        (20, {"latency_samples": 20}, 256, 46),
        # Odd windows are rounded to input samples.
        (LATENCY, ODD, 256, None),
        # Stateless windows of a streaming network, on its grid and beside it.
        (LATENCY, {}, 512, None),
        (LATENCY, {}, 640, None),
    ],
)
def test_every_way_to_run_it_gives_the_same(tmp_path, latency, changes, block, late) -> None:
    info = written(tmp_path, Doubling(latency), doubling_metadata(**changes))
    chain = load(info, block_samples=block, channels=2, windowed=late is None).chain
    if late is not None:
        assert chain.latency == Latency(model=late)
    x = noise(3_000, 2)
    y = render(chain, x, block_samples=block)
    np.testing.assert_allclose(y, doubled(x), rtol=0, atol=STREAMED)


@pytest.mark.parametrize(
    ("module", "about", "line"),
    [
        (Smooth(), doubling_metadata(kind="windowed"), "twice as many samples"),
        (Doubling(), None, "as many samples as it gets"),
        (Smooth(), doubling_metadata(block_multiple=255), "even without a front end, got 255"),
    ],
    ids=["does not double", "doubles without metadata", "grid of half an input sample"],
)
def test_a_network_that_differs_from_its_metadata_is_refused(tmp_path, module, about, line) -> None:
    with pytest.raises(ModelFileError, match=line):
        load(written(tmp_path, module, about))
