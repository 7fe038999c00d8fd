"""Validation while training: whole clips through the network, scored as in the evaluation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import resampy
import torch
from torch import nn

from models.data.corpus import find_audio, read_recording
from models.data.front_end import FRONT_ENDS
from models.errors import DataError
from models.evaluation.metrics import score
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Twice the reflect padding of the longest STFT; shorter clips say nothing anyway.
MIN_CLIP_SAMPLES = 2048


class Validation:
    """Clips of a folder, spread over it, with the network's inputs made once.

    Args:
        folder: of 44.1 kHz recordings, scored at their stored level.
        clips: how many to take at most.
        front_end: what the network's input has been through; see :mod:`models.data.front_end`.

    Attributes:
        pairs: the network's input and the recording, ``[T]`` each.

    Raises:
        DataError: if there are none, or one is unreadable.
    """

    def __init__(self, folder: Path, clips: int, *, front_end: str = "kaiser_fast") -> None:
        paths = find_audio(folder)
        every = max(1, len(paths) // clips)
        self.pairs = []
        for path in paths[::every][:clips]:
            reference = read_recording(path)
            reference = reference[: len(reference) // 2 * 2]
            if len(reference) < MIN_CLIP_SAMPLES:
                continue
            low = resampy.resample(reference, SAMPLE_RATE_OUT, SAMPLE_RATE_IN, filter="kaiser_best")
            self.pairs.append((FRONT_ENDS[front_end](low), reference))
        if not self.pairs:
            raise DataError(f"all clips in {folder} are shorter than {MIN_CLIP_SAMPLES} samples")

    def __call__(
        self,
        network: nn.Module,
        objective: nn.Module,
        device: torch.device,
        *,
        between: Callable[[], None] = lambda: None,
    ) -> dict[str, float]:
        """Mean losses (``loss/...``) and measures of the clips, where they are defined.

        Args:
            network: runs in evaluation mode; its mode is put back.
            objective: the losses.
            device: where both are.
            between: called before each clip; what it raises ends the validation.

        Raises:
            DataError: if the network's output is not finite.
        """
        rows: list[dict[str, float]] = []
        with evaluating(network), torch.inference_mode():
            for source, reference in self.pairs:
                between()
                x = torch.from_numpy(source).to(device)[None, None]
                y = torch.from_numpy(reference).to(device)[None, None]
                # Networks that draw noise are measured with the same each time.
                torch.manual_seed(0)
                estimate = network(x)
                losses = objective(estimate, y)
                row = {f"loss/{k}": float(v) for k, v in losses._asdict().items()}
                row |= score(reference, estimate[0, 0].cpu().numpy())
                rows.append(row)
        return {k: mean_defined([r[k] for r in rows]) for k in rows[0]}


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def mean_defined(values: list[float]) -> float:
    """Mean without the NaNs (a silent clip has no SNR); NaN if there is nothing else."""
    defined = [v for v in values if not np.isnan(v)]
    return float(np.mean(defined)) if defined else float("nan")
