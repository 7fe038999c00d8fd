"""TorchScript networks: windows, and one line for each way to break the contract."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from realtime.errors import ModelFileError
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import read_model_info
from realtime.inference.network import WindowNetwork, choose_compute
from tests.helpers.networks import (
    Mixed,
    NotANumber,
    NotANumberWhenLoud,
    Raising,
    Shorter,
    Smooth,
    metadata,
    smooth,
    write_model,
)

# Rounding of float32 samples up to 1, over five products.
ROUNDING = 1e-6


def load(path: Path, module: nn.Module, *, channels: int = 1, **about: object) -> LoadedChain:
    info = read_model_info(write_model(path / "test.ts", module, metadata(**about)))
    return load_chain(info, block_samples=256, channels=channels, compute="cpu", threads=1)


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


def test_an_error_inside_a_frozen_network_is_no_crash(project: Path) -> None:
    """torch's freezing frees functions that its interpreter names in errors."""
    code = [sys.executable, "-W", "ignore", "-c", FAILS_LATE]
    done = subprocess.run(code, cwd=project, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, 4 * "an error\n"), done.stderr


@pytest.mark.parametrize("channels", [1, 2])
def test_a_window_is_one_forward(tmp_path: Path, rng: np.random.Generator, channels: int) -> None:
    info = read_model_info(write_model(tmp_path / "test.ts", Smooth(), metadata()))
    network = WindowNetwork(info, compute="cpu", threads=1)
    network.warm_up(channels, 600)
    x = rng.uniform(-1, 1, (channels, 600)).astype(np.float32)
    y = network(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, smooth(x), rtol=0, atol=ROUNDING)


def test_a_window_of_a_larger_buffer_is_taken_as_it_is(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """The engine passes views."""
    info = read_model_info(write_model(tmp_path / "test.ts", Smooth(), metadata()))
    network = WindowNetwork(info, compute="cpu", threads=1)
    buffer = rng.uniform(-1, 1, (2, 1_000)).astype(np.float32)
    before = buffer.copy()
    y = network(buffer[:, 100:700])
    np.testing.assert_allclose(y, smooth(buffer[:, 100:700]), rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(buffer, before)


class Twice(nn.Module):
    """Returns two tensors."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


@pytest.mark.parametrize(
    ("module", "about", "message"),
    [
        (Shorter(), {}, "as many samples"),
        (Mixed(), {"channels": 2}, "as many samples"),
        (NotANumber(), {}, "not numbers"),
        (Raising(), {}, "does not like music"),
        (Smooth(), {"kind": "streaming"}, "stream"),
        (Twice(), {}, "returns a tuple, not a tensor"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_networks_that_break_the_contract_are_refused_in_one_line(
    tmp_path: Path, module: nn.Module, about: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        load(tmp_path, module, **about)
    assert message in str(caught.value)
    assert "test.ts" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_that_mixes_its_channels_down_runs_for_mono(tmp_path: Path) -> None:
    load(tmp_path, Mixed())


def test_a_network_that_fails_later_is_no_silent_noise(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    loaded = load(tmp_path, NotANumberWhenLoud())
    chain = loaded.chain
    block = np.full((1, 128), 0.9, np.float32)
    with pytest.raises(ValueError, match="network"):
        np.concatenate([chain.process(block) for _ in range(10)])


def test_a_file_that_is_no_network_at_all_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ts"
    with zipfile.ZipFile(broken, "w") as out:
        out.writestr("test/constants.pkl", b"nothing of use")
        out.writestr("test/extra/topoctave.json", json.dumps(metadata()))
    with pytest.raises(ModelFileError, match="cannot be loaded") as caught:
        WindowNetwork(read_model_info(broken), compute="cpu", threads=1)
    assert "\n" not in str(caught.value)


def test_networks_without_context_run(tmp_path: Path, rng: np.random.Generator) -> None:
    loaded = load(
        tmp_path, Smooth(), context_samples=[0, 0], crossfade_samples=0, latency_samples=0
    )
    x = rng.uniform(-0.5, 0.5, (1, 128)).astype(np.float32)
    assert loaded.chain.process(x).shape == (1, 2 * x.shape[1])


@pytest.mark.parametrize("front_end", ["kaiser_fast", "kaiser_best"])
def test_front_ends_are_as_the_file_says(tmp_path: Path, front_end: str) -> None:
    loaded = load(tmp_path, Smooth(), front_end=front_end)
    assert loaded.chain.latency.front_end == {"kaiser_fast": 46, "kaiser_best": 98}[front_end]


def test_unknown_or_absent_devices_are_refused() -> None:
    with pytest.raises(ValueError, match="auto, cpu, cuda"):
        choose_compute("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no CUDA"):
            choose_compute("cuda")
    assert choose_compute("cpu").type == "cpu"


@pytest.mark.parametrize("threads", [0, 257])
def test_impossible_numbers_of_threads_are_refused(tmp_path: Path, threads: int) -> None:
    info = read_model_info(write_model(tmp_path / "test.ts", Smooth(), metadata()))
    with pytest.raises(ValueError, match=str(threads)):
        WindowNetwork(info, compute="cpu", threads=threads)


@pytest.mark.parametrize("block", [0, -128, 129, 65_664])
def test_impossible_blocks_are_refused(tmp_path: Path, block: int) -> None:
    info = read_model_info(write_model(tmp_path / "test.ts", Smooth(), metadata()))
    with pytest.raises(ValueError, match="multiple of 128"):
        load_chain(info, block_samples=block, compute="cpu", threads=1)
