"""Training pairs that are made on the device of the training."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from models.data.corpus import Corpus
from models.data.degrade import Degrader
from scripts.unet.device_corpus import (
    DeviceCorpus,
    DeviceDegrader,
    Studio,
    read_studios,
    without_lossy_errors,
)
from tests.helpers.models.trainings import CPU

# Sums in another order.
SAME = 1e-4


def corpus(*recordings: np.ndarray) -> Corpus:
    starts = np.concatenate([[0], np.cumsum([len(r) for r in recordings])])
    return Corpus(np.concatenate(recordings).astype(np.int16), starts)


@pytest.fixture
def recordings(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Recordings of 1 s in the folder, and of 4 and 5 s in a folder of it."""
    (tmp_path / "long").mkdir()
    for name, seconds in (("a.wav", 1), ("long/b.wav", 4), ("long/c.wav", 5)):
        noise = 0.1 * rng.standard_normal(seconds * 44_100)
        soundfile.write(tmp_path / name, noise, 44_100)
    return tmp_path


def test_each_folder_with_recordings_is_a_studio_or_all_of_it_is_one(recordings: Path) -> None:
    studios = {Path(s.name).name: s for s in read_studios(recordings, 0.8)}
    assert set(studios) == {recordings.name, "long"}
    # Shares are proportional to the root of the length: 1 s and 9 s.
    assert studios["long"].share == pytest.approx(0.6)
    assert studios[recordings.name].share == pytest.approx(0.2)
    assert np.diff(studios["long"].corpus.starts).tolist() == [4 * 44_100, 5 * 44_100]
    (studio,) = read_studios(recordings, 0.8, single=True)
    assert studio.share == pytest.approx(0.8)
    assert studio.corpus.seconds == pytest.approx(10.0)


def test_segments_follow_the_shares_and_then_the_lengths() -> None:
    studios = [
        Studio("a", corpus(np.full(900, 1)), 0.6),
        Studio("b", corpus(np.full(300, 2), np.full(100, 3)), 0.3),
    ]
    torch.manual_seed(0)
    segments, _ = DeviceCorpus(studios, device=CPU).segments(20_000, 40)
    drawn = (segments * 32_768).amax(dim=1).round().long().bincount(minlength=4) / 20_000
    assert drawn[1:].tolist() == pytest.approx([2 / 3, 1 / 4, 1 / 12], abs=0.02)


def test_segments_are_cuts_of_recordings_with_silence_around() -> None:
    ramp = np.arange(1, 1_001)
    studios = [Studio("a", corpus(ramp), 0.5), Studio("b/ogg", corpus(-ramp[:100]), 0.5)]
    torch.manual_seed(0)
    segments, lossy = DeviceCorpus(studios, lossy=["ogg"], device=CPU).segments(64, 200)
    assert 0 < lossy.sum() < 64
    for segment, is_lossy in zip(segments * 32_768, lossy, strict=True):
        heard = segment[segment != 0]
        assert len(heard) >= 75
        assert (heard.sign() == (-1 if is_lossy else 1)).all()
        assert (heard.diff().abs() == 1).all()


def test_without_a_pool_the_degradation_is_that_of_the_cpu() -> None:
    degrader = DeviceDegrader(8_192, pool=0, device=CPU)
    audio = 0.1 * torch.randn(2, degrader.n)
    theirs = Degrader(8_192, random=False)(audio, np.random.default_rng(0))
    for ours, wanted in zip(degrader(audio), theirs, strict=True):
        assert (ours - wanted).abs().max() < SAME


def test_lossy_targets_cause_no_error_above_19_khz() -> None:
    estimate, target = torch.randn(2, 1, 8_192), torch.randn(2, 1, 8_192)
    spared = without_lossy_errors(estimate, target, torch.tensor([1.0, 0.0]))
    assert torch.allclose(spared[1], estimate[1], atol=SAME)
    difference = torch.fft.rfft(spared[0, 0] - target[0, 0])
    whole = torch.fft.rfft(estimate[0, 0] - target[0, 0])
    top, rest = 8_192 * 195 // 441, 8_192 * 190 // 441
    assert difference[top:].abs().max() < 1e-3 * whole.abs().max()
    assert torch.allclose(difference[:rest], whole[:rest], atol=1e-2)
