"""Stages of ``topoctave bench`` outside the engine: other resamplers, and a wide U-Net."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import resampy
import soxr
import torch

from models.export.export import export
from models.networks.unet import UNet
from models.training.checkpoint import save_atomically
from realtime.bench.bench import chain_stage, offline_stage
from realtime.bench.stage import Stage, bench_row
from realtime.inference.cpu_info import core_count, has_bfloat16
from realtime.inference.model_file import read_model_info
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

WHOLE_S = 10.0

# The width of the thesis, at a long block.
WIDTH = 16
WIDE_BLOCK = 4096


def resampler_stages() -> Iterator[Stage]:
    """Whole signals through resampy's kaiser_fast and soxr's best."""
    noise = np.random.default_rng(0).normal(0.0, 0.05, round(WHOLE_S * SAMPLE_RATE_IN))
    x = noise.astype(np.float32)
    rates = (SAMPLE_RATE_IN, SAMPLE_RATE_OUT)
    for name, resample in (
        ("resampy.kaiser_fast", partial(resampy.resample, x, *rates, filter="kaiser_fast")),
        ("soxr.vhq", partial(soxr.resample, x, *rates, quality="VHQ")),
    ):
        yield Stage(bench_row("front_end", name), resample, WHOLE_S)


def untrained_groups(devices: list[str]) -> Iterator[Callable[[], list[Stage]]]:
    """The U-Net of width 16 with random weights, which run as fast as trained ones."""

    def stages() -> list[Stage]:
        with tempfile.TemporaryDirectory() as folder:
            path = write_untrained(Path(folder))
            info = replace(read_model_info(path), name=f"unet-{WIDTH}-random")
            made = []
            for device in devices:
                dtypes = ["float32", *["bfloat16"] * has_bfloat16()]
                if device == "cuda":
                    dtypes = ["float32", "tf32", "bfloat16"]
                    made += [offline_stage(info, device, 1, dtype=dtype) for dtype in dtypes]
                threads = min(core_count(), 8) if device == "cpu" else 1
                for block in (WIDE_BLOCK,) if device == "cpu" else (512, WIDE_BLOCK):
                    made += [
                        chain_stage(info, "streaming", device, threads, dtype=dtype, block=block)
                        for dtype in dtypes
                    ]
            return made

    yield stages


def write_untrained(folder: Path) -> Path:
    """Write the model file of a U-Net with random weights into a folder; returns its path."""
    checkpoint, path = folder / "random.pt", folder / "random.ts"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet(width=WIDTH).state_dict()
        # As quiet as a trained network's output.
        network["final.weight"] *= 1e-3
        config = {"network": {"width": WIDTH, "align_corners": False}, "data": {"train": ""}}
        state: dict[str, Any] = {"network": network, "averaged": None, "config": config}
        state |= {"optimiser": {}, "step": 0, "best": 0.0, "validation": {}}
        save_atomically(state, checkpoint)
        export(checkpoint, path, title="random weights")
    return path
