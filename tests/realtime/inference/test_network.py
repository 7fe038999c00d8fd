"""TorchScript networks: windows, and one line for each way to break the contract."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from realtime.errors import ModelFileError
from realtime.inference.load import LoadedChain, check_block_samples
from realtime.inference.model_file import read_model_info
from realtime.inference.network import WindowNetwork
from tests.helpers.cli import python
from tests.helpers.engine_signals import ROUNDING, noise
from tests.helpers.networks import (
    NOT_A_NUMBER,
    NOT_A_NUMBER_WHEN_LOUD,
    RAISING,
    Smooth,
    metadata,
    smooth,
    write_model,
)
from tests.realtime.inference.conftest import load

MIXED = "return x.mean(dim=0, keepdim=True)"


def loaded(
    folder: Path, module: nn.Module | str, *, channels: int = 1, **about: Any
) -> LoadedChain:
    info = read_model_info(write_model(folder / "test.ts", module, metadata(**about)))
    return load(info, channels=channels)


# A network that fails in bfloat16, after another one was loaded and deleted.
FAILS_LATE = """
import numpy as np
from realtime.inference.model_file import shipped_models
from realtime.inference.network import WindowNetwork

(octave,) = (m for m in shipped_models() if m.name == "octave")
x = np.zeros((1, 1024), np.float32)
for dtype in ("float32", "bfloat16"):
    network = WindowNetwork(octave, compute="cpu", threads=1, dtype=dtype)
    for _ in range(4):
        try:
            network(x)
        except RuntimeError:
            print("an error")
"""


def test_an_error_inside_a_frozen_network_is_no_crash() -> None:
    """torch's freezing frees functions that its interpreter names in errors."""
    done = python(FAILS_LATE, PYTHONWARNINGS="ignore")
    assert (done.returncode, done.stdout) == (0, 4 * "an error\n"), done.stderr


@pytest.mark.parametrize("channels", [1, 2])
def test_a_window_is_one_forward_and_may_be_a_view(smooth_info, channels) -> None:
    network = WindowNetwork(smooth_info, compute="cpu", threads=1)
    network.warm_up(channels, 600)
    buffer = noise(1_000, channels)
    before = buffer.copy()
    y = network(buffer[:, 100:700])
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, smooth(buffer[:, 100:700]), rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(buffer, before)


@pytest.mark.parametrize(
    ("module", "about", "message"),
    [
        ("return x[:, :, 1:]", {}, "as many samples"),
        (MIXED, {"channels": 2}, "as many samples"),
        (NOT_A_NUMBER, {}, "not numbers"),
        (RAISING, {}, "does not like music"),
        (Smooth(), {"kind": "streaming"}, "stream"),
        ("return x, x", {}, "returns a tuple, not a tensor"),
    ],
    ids=str,
)
def test_networks_that_break_the_contract_are_refused_in_one_line(
    tmp_path, module, about, message
) -> None:
    with pytest.raises(ModelFileError, match=rf"\A.*test\.ts.*{message}.*\Z"):
        loaded(tmp_path, module, **about)


@pytest.mark.parametrize(
    ("module", "about", "front_end_samples"),
    [
        # Mixing channels down is allowed for mono.
        (MIXED, {}, 46),
        (Smooth(), {"context_samples": [0, 0], "crossfade_samples": 0, "latency_samples": 0}, 46),
        (Smooth(), {"front_end": "kaiser_best"}, 98),
    ],
    ids=["mixes", "no context", "kaiser_best"],
)
def test_unusual_networks_run(tmp_path, module, about, front_end_samples) -> None:
    chain = loaded(tmp_path, module, **about).chain
    assert chain.latency.front_end == front_end_samples
    assert chain.process(noise(128)).shape == (1, 256)


def test_a_network_that_fails_later_is_no_silent_noise(tmp_path) -> None:
    """It passes a warm-up on quiet noise."""
    chain = loaded(tmp_path, NOT_A_NUMBER_WHEN_LOUD).chain
    block = np.full((1, 128), 0.9, np.float32)
    with pytest.raises(ValueError, match="network"):
        np.concatenate([chain.process(block) for _ in range(10)])


def test_a_file_that_is_no_network_at_all_is_refused(tmp_path) -> None:
    path = tmp_path / "broken.ts"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("test/constants.pkl", b"nothing of use")
        out.writestr("test/extra/topoctave.json", json.dumps(metadata()))
    with pytest.raises(ModelFileError, match=r"\A.*cannot be loaded.*\Z"):
        WindowNetwork(read_model_info(path), compute="cpu", threads=1)


@pytest.mark.parametrize("block", [0, -128, 129, 65_664])
def test_impossible_blocks_are_refused(block) -> None:
    with pytest.raises(ValueError, match="multiple of 128"):
        check_block_samples(block)
