"""Reading recordings and cutting segments of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from models.data.corpus import Corpus, Mixture, find_audio, read_recording, training_batch
from models.data.degrade import Degrader
from models.data.synthetic_tones import tone_segments
from models.errors import DataError

# Half a step of 16 bits, at full scale.
HALF_STEP = 0.5 / 32_767


def write(path: Path, audio: np.ndarray, rate: int = 44_100, subtype: str = "FLOAT") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, subtype=subtype)
    return path


def tone(n: int, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * 1_000 / 44_100 * np.arange(n))


def test_audio_is_found_in_subfolders_in_order_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no audio")
    for folder, message in ((tmp_path, "no audio files"), (tmp_path / "nowhere", "no folder")):
        with pytest.raises(DataError, match=message):
            find_audio(folder)
    for name in ("b/two.wav", "a/one.FLAC"):
        write(tmp_path / name, tone(100), subtype="PCM_16")
    assert [p.name for p in find_audio(tmp_path)] == ["one.FLAC", "two.wav"]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_recording_is_read_at_its_stored_level_and_mixed(tmp_path: Path, subtype: str) -> None:
    audio = tone(1_000, level=0.25)
    for channels in (audio, np.stack([1.5 * audio, 0.5 * audio], axis=1)):
        got = read_recording(write(tmp_path / "a.wav", channels, subtype=subtype))
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, audio, rtol=0, atol=2 * HALF_STEP)


def test_low_rates_text_and_nan_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="8000 Hz"):
        read_recording(write(tmp_path / "low.wav", tone(100), rate=8_000))
    text = tmp_path / "text.wav"
    text.write_text("this is no audio")
    with pytest.raises(DataError, match=r"cannot read .*text\.wav"):
        read_recording(text)
    broken = tone(100)
    broken[50] = np.nan
    with pytest.raises(DataError, match="not numbers"):
        read_recording(write(tmp_path / "nan.wav", broken))


def test_a_corpus_is_normalised_to_peak_one(tmp_path: Path) -> None:
    write(tmp_path / "silent.wav", np.zeros(1_000))
    write(tmp_path / "empty.wav", np.zeros(0))
    with pytest.raises(DataError, match="silent"):
        Corpus.of(find_audio(tmp_path))
    write(tmp_path / "quiet.wav", tone(3_000, level=0.01))
    write(tmp_path / "loud.wav", tone(5_000, level=0.9))
    corpus = Corpus.of(find_audio(tmp_path))
    assert list(np.diff(corpus.starts)) == [5_000, 3_000]
    for first, last in zip(corpus.starts[:-1], corpus.starts[1:], strict=True):
        assert np.abs(corpus.samples[first:last]).max() == 32_767
    assert corpus.seconds == pytest.approx(8_000 / 44_100)


def ramps(lengths: list[int]) -> Corpus:
    """Recordings whose samples show where they come from: 1000 * file + position."""
    parts = [np.arange(1, n + 1) + 1_000 * i for i, n in enumerate(lengths)]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Corpus(np.concatenate(parts).astype(np.int16), starts)


@pytest.mark.parametrize("length", [100, 700, 900])
def test_a_segment_is_one_contiguous_cut_of_one_recording(
    rng: np.random.Generator, length: int
) -> None:
    rows = ramps([900, 500, 950, 10]).segments(rng, 300, length).numpy() * 32_768
    assert rows.shape == (300, length)
    for row in rows:
        inside = np.flatnonzero(row)
        assert len(inside)
        cut = row[inside[0] : inside[-1] + 1]
        assert np.all(np.diff(cut) == 1)
        assert cut[0] // 1_000 == cut[-1] // 1_000


def test_recordings_are_drawn_whole_and_by_their_length(rng: np.random.Generator) -> None:
    rows = ramps([900, 300]).segments(rng, 4_000, 100).numpy() * 32_768
    assert set(np.unique(rows)) >= {*range(1, 901), *range(1_001, 1_301)}
    share = np.mean(rows.max(axis=1) < 1_000)
    assert 0.7 < share < 0.8  # 0.75, with a standard deviation of 0.007


def test_a_mixture_draws_the_given_share(rng: np.random.Generator) -> None:
    mixture = Mixture(ramps([900]), ramps([0, 900]), 0.25)
    rows = mixture.segments(rng, 4_000, 100).numpy() * 32_768
    assert rows.shape == (4_000, 100)
    share = np.mean(rows.max(axis=1) > 1_000)
    assert 0.22 < share < 0.28  # a standard deviation of 0.007
    assert mixture.seconds == pytest.approx(1_800 / 44_100)
    assert mixture.fingerprint != Mixture(mixture.also, mixture.main, 0.25).fingerprint
    samples = ramps([900]).samples
    fingerprints = {Corpus(samples, np.array([0, n, 900])).fingerprint for n in (400, 500)}
    assert len(fingerprints) == 2  # cut elsewhere, these are other recordings


def test_a_batch_depends_on_seed_step_rank_and_the_share_of_tones(
    rng: np.random.Generator,
) -> None:
    audio = rng.integers(-30_000, 30_000, 20_000).astype(np.int16)
    corpus = Corpus(audio, np.array([0, 20_000]))
    degrader = Degrader(2_048, random=False)

    def batch(**changes: Any) -> Tensor:
        arguments = {"batch_size": 2, "seed": 1, "step": 5, "rank": 0}
        return training_batch(corpus, degrader, **(arguments | changes))[0]

    first = batch()
    for same in ({}, {"tones_share": 0.0}):
        assert torch.equal(first, batch(**same))
    for other in ({"seed": 2}, {"step": 6}, {"rank": 1}, {"tones_share": 1.0}):
        assert not torch.equal(first, batch(**other))


def test_tone_segments_are_tones(rng: np.random.Generator) -> None:
    tones = tone_segments(rng, 20, 32_768)
    assert tones.shape == (20, 32_768)
    assert tones.abs().amax(dim=1) == pytest.approx(1.0)
    spectra = torch.fft.rfft(tones * torch.hann_window(32_768)).abs().square()
    above = spectra[:, 32_768 * 14_000 // 44_100 :].sum(dim=1) / spectra.sum(dim=1)
    assert above.max() < 1e-9
