"""Recordings and training pairs in the memory of a GPU.

An hour at 44.1 kHz takes 318 MB as 16-bit samples. Segments are cut and degraded there, by the
filters of :mod:`models.data.degrade`, so that no step waits for the CPU or for a copy.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.data.corpus import Corpus, find_audio
from models.data.degrade import (
    POOL_SEED,
    kaiser_fast_response,
    padded_samples,
    random_equaliser,
    random_low_pass,
    random_noise_floor,
    recorded,
    resampler_response,
    training_pair,
)
from realtime.sample_rates import SAMPLE_RATE_OUT

DECODERS = 8
# A studio's share is proportional to this power of its length: 0 would repeat the shortest ones
# thousands of times, 1 would let the longest ones dominate.
SHARE_EXPONENT = 0.5
# Lossy formats end between 19 and 21 kHz.
LOSSY_HZ, LOSSY_RAMP_HZ = 19_000.0, 400.0


class Studio(NamedTuple):
    """Recordings of one studio, and the share of all segments that are cut from them."""

    name: str
    corpus: Corpus
    share: float


def read_studios(root: Path, share: float, *, single: bool = False) -> list[Studio]:
    """The studios of a folder: each folder with recordings, or all of it if ``single``.

    Raises:
        DataError: if there are no recordings, or one cannot be read.
    """
    folders: dict[Path, list[Path]] = {}
    for path in find_audio(root):
        folders.setdefault(root if single else path.parent, []).append(path)
    with ThreadPoolExecutor(DECODERS) as pool:
        corpora = list(pool.map(Corpus.of, folders.values()))
    weights = [corpus.seconds**SHARE_EXPONENT for corpus in corpora]
    return [
        Studio(folder.as_posix(), corpus, share * weight / sum(weights))
        for folder, corpus, weight in zip(folders, corpora, weights, strict=True)
    ]


class DeviceCorpus:
    """Random segments of recordings in a device's memory.

    Args:
        studios: at least one.
        lossy: a studio with one of these words in its name was decoded from a lossy format.
        device: of the samples.
    """

    def __init__(
        self, studios: Sequence[Studio], *, lossy: Sequence[str] = (), device: torch.device
    ) -> None:
        corpora = [studio.corpus for studio in studios]
        lengths = np.concatenate([np.diff(corpus.starts) for corpus in corpora])
        shares = [s.share * np.diff(s.corpus.starts) / len(s.corpus.samples) for s in studios]
        cumulative = np.cumsum(np.concatenate(shares))
        is_lossy = [
            float(any(word in studio.name for word in lossy))
            for studio in studios
            for _ in studio.corpus.starts[1:]
        ]
        self.seconds = float(lengths.sum()) / SAMPLE_RATE_OUT
        samples = np.concatenate([corpus.samples for corpus in corpora])
        self._samples = torch.from_numpy(samples).to(device)
        self._lengths = torch.from_numpy(lengths).to(device)
        self._starts = self._lengths.cumsum(0) - self._lengths
        self._cumulative = torch.from_numpy(cumulative / cumulative[-1]).to(device)
        self._lossy = torch.tensor(is_lossy, device=device)

    def segments(self, count: int, n: int) -> tuple[Tensor, Tensor]:
        """Random segments ``[count, n]``, and 1.0 for each lossy one, ``[count]``.

        A segment may reach an eighth of its length beyond either end of its recording. The random
        numbers are those of the device.
        """
        device = self._samples.device
        drawn, position = torch.rand(2, count, device=device, dtype=torch.float64)
        file = torch.searchsorted(self._cumulative, drawn).clamp_max(len(self._lengths) - 1)
        length = self._lengths[file]
        first = (position * (length - n + n // 4).clamp_min(1)).long() - n // 8
        at = first[:, None] + torch.arange(n, device=device)
        inside = (at >= 0) & (at < length[:, None])
        at = at.clamp_min(0).minimum(length[:, None] - 1) + self._starts[file][:, None]
        return self._samples[at].float() * inside / 32_768.0, self._lossy[file]


class DeviceDegrader:
    """:class:`models.data.degrade.Degrader` with random filters from a pool, on a device.

    Args:
        segment_samples: length of the output at 44.1 kHz; even.
        pool: number of random filters of each kind. With 0 the low-pass is resampy's kaiser_best
            and nothing else changes.
        variety, air_db: as of the Degrader.
        device: of the computation.
    """

    def __init__(
        self,
        segment_samples: int,
        *,
        pool: int,
        variety: float = 1.0,
        air_db: float = 0.0,
        device: torch.device,
    ) -> None:
        self.segment_samples, self.pool = segment_samples, pool
        self.n = n = padded_samples(segment_samples)
        rng = np.random.default_rng(POOL_SEED)
        low_passes = [random_low_pass(rng, n) for _ in range(pool)]
        low_passes = low_passes or [resampler_response("kaiser_best", n)]
        equalisers = [random_equaliser(rng, n, variety, air_db) for _ in range(pool)]
        floors = [random_noise_floor(rng, n, variety) for _ in range(pool)]
        self._low_passes = torch.tensor(np.array(low_passes), dtype=torch.complex64, device=device)
        self._equalisers = torch.tensor(np.array(equalisers), dtype=torch.float32, device=device)
        self._floors = torch.tensor(np.array(floors), dtype=torch.float32, device=device)
        kaiser_fast = torch.from_numpy(kaiser_fast_response(n))
        self._kaiser_fast = kaiser_fast.to(device, torch.complex64)

    def __call__(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Degrade ``[B, n]``: the network's input and its target, ``[B, 1, segment_samples]``."""
        if self.pool:
            floors = _drawn(self._floors, audio)
            noise = torch.randn(2, *floors.shape, device=audio.device)
            noise = torch.complex(noise[0], noise[1]) * floors
            level = 10.0 ** (-1.5 * torch.rand(len(audio), 1, device=audio.device))
            spectrum = recorded(audio, _drawn(self._equalisers, audio), noise, level)
        else:
            spectrum = torch.fft.rfft(audio)
        low_passes = _drawn(self._low_passes, audio)
        return training_pair(spectrum, low_passes, self._kaiser_fast, self.segment_samples)


def _drawn(pool: Tensor, batch: Tensor) -> Tensor:
    return pool[torch.randint(len(pool), (len(batch),), device=batch.device)]


def without_lossy_errors(estimate: Tensor, target: Tensor, lossy: Tensor) -> Tensor:
    """The estimate with the target's own band above 19 kHz where the target is lossy.

    Args:
        estimate: ``[B, 1, T]``.
        target: ``[B, 1, T]``.
        lossy: ``[B]``, 1.0 where the target was decoded from a lossy format.
    """
    n = estimate.shape[2]
    hz = torch.arange(n // 2 + 1, device=estimate.device) * (SAMPLE_RATE_OUT / n)
    gain = ((hz - LOSSY_HZ) / LOSSY_RAMP_HZ).clamp(0.0, 1.0) * lossy[:, None, None]
    difference = torch.fft.rfft(estimate - target)
    out: Tensor = estimate - torch.fft.irfft(difference * gain, n)
    return out
