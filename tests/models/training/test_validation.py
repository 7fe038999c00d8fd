"""Validation between the steps of a training."""

from pathlib import Path

import numpy as np
import pytest
import resampy
import soundfile
import torch

from models.errors import TrainingError
from models.evaluation.metrics import score
from models.evaluation.validation import Validation, mean_defined
from models.losses.stft import Objective
from models.networks.unet import UNet
from models.training.trainer import Trainer
from tests.helpers.models.trainings import CPU, tiny

# Resampy's table, which is interpolated in float32.
SAME = 2e-4


def test_it_starts_from_the_kaiser_fast_signal(folder: Path) -> None:
    trainer = Trainer(tiny(folder))
    validation = Validation(folder / "val", 2)
    measures = validation(trainer.evaluated_network, trainer.objective, CPU)
    untouched = [score(reference, source) for source, reference in validation.pairs]
    assert measures["lsd"] == pytest.approx(np.mean([row["lsd"] for row in untouched]))
    without = Validation(folder / "val", 2, front_end="none").pairs
    for (high, reference), (low, same) in zip(validation.pairs, without, strict=True):
        assert np.array_equal(reference, same)
        assert 2 * len(low) == len(high) == len(reference)
        expected = resampy.resample(low, 22_050, 44_100, filter="kaiser_fast")
        np.testing.assert_allclose(high, expected, rtol=0, atol=SAME)


def test_a_validation_with_an_output_that_is_not_finite_is_an_error(folder: Path) -> None:
    network = UNet(width=1)
    with torch.no_grad():
        network.final.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="output on a validation clip is not finite"):
        Validation(folder / "val", 1)(network, Objective(), CPU)


def test_a_silent_clip_does_not_hide_the_others_and_the_mode_is_kept(folder: Path) -> None:
    soundfile.write(folder / "val" / "silent.wav", np.zeros(5_000), 44_100)
    network = UNet(width=1).train()
    measures = Validation(folder / "val", 9)(network, Objective(), CPU)
    assert network.training
    assert all(np.isfinite(v) for v in measures.values())
    assert np.isnan(mean_defined([float("nan")]))
