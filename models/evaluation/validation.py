"""Validation during training: whole clips, scored as in the evaluation."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.data.corpus import find_audio, read_even
from models.data.front_end import FRONT_ENDS, halved
from models.errors import DataError, TrainingError
from models.evaluation.metrics import Audio, score

# Twice the reflect padding of the longest STFT.
MIN_CLIP_SAMPLES = 2048


def references(folder: Path, paths: Sequence[Path]) -> Iterator[tuple[Path, Audio]]:
    """Recordings of a folder, ``[T]``, T even; those too short to score are skipped.

    Raises:
        DataError: if all are too short, or one cannot be read.
    """
    found = False
    for path in paths:
        reference = read_even(path)
        if len(reference) >= MIN_CLIP_SAMPLES:
            found = True
            yield path, reference
    if not found:
        raise DataError(f"all clips in {folder} are shorter than {MIN_CLIP_SAMPLES} samples")


class Validation:
    """Clips spread evenly over a folder; the network's inputs are computed once.

    Args:
        folder: of 44.1 kHz recordings, scored at their stored level.
        clips: maximum number of clips.
        front_end: a key of :data:`models.data.front_end.FRONT_ENDS`.

    Attributes:
        pairs: the network's input and the recording, ``[T]`` each.

    Raises:
        DataError: if there are none, or one cannot be read.
    """

    def __init__(self, folder: Path, clips: int, *, front_end: str = "kaiser_fast") -> None:
        paths = find_audio(folder)
        every = max(1, len(paths) // clips)
        self.pairs = [
            (FRONT_ENDS[front_end](halved(reference)), reference)
            for _, reference in references(folder, paths[::every][:clips])
        ]

    def __call__(
        self,
        network: nn.Module,
        objective: nn.Module,
        device: torch.device,
        *,
        between: Callable[[], None] = lambda: None,
    ) -> dict[str, float]:
        """Mean losses (``loss/...``) and measures over the clips.

        ``between`` is called before each clip; it may raise to end the validation.

        Raises:
            TrainingError: if the network's output is not finite.
        """
        rows: list[dict[str, float]] = []
        for source, reference in self.pairs:
            between()
            estimate = estimate_of(network, source, device)
            y = torch.from_numpy(reference).to(device)[None, None]
            with torch.inference_mode():
                losses = objective(estimate, y)
            row = {f"loss/{k}": float(v) for k, v in losses._asdict().items()}
            if not estimate.isfinite().all():
                raise TrainingError(
                    "the network's output on a validation clip is not finite: the training "
                    "diverged; a lower optimiser.learning_rate may help"
                )
            rows.append(row | score(reference, estimate[0, 0].cpu().numpy()))
        return {k: mean_defined([r[k] for r in rows]) for k in rows[0]}


@torch.inference_mode()
def estimate_of(network: nn.Module, source: Audio, device: torch.device) -> Tensor:
    """A network's output for a clip, in evaluation mode: ``[T]`` to ``[1, 1, T]``."""
    was_training = network.training
    # Networks that draw noise draw the same in every validation.
    torch.manual_seed(0)
    try:
        estimate: Tensor = network.eval()(torch.from_numpy(source).to(device)[None, None])
    finally:
        network.train(was_training)
    return estimate


def mean_defined(values: list[float]) -> float:
    """Mean of the values that are not NaN (a silent clip has no SNR); NaN if there are none."""
    defined = [v for v in values if not np.isnan(v)]
    return float(np.mean(defined)) if defined else float("nan")


def rounded_means(rows: Sequence[Mapping[str, float]], keys: Iterable[str]) -> dict[str, Any]:
    """:func:`mean_defined` of columns to four digits; None where it is NaN."""
    means = {key: mean_defined([row[key] for row in rows]) for key in keys}
    return {key: None if np.isnan(mean) else round(mean, 4) for key, mean in means.items()}
