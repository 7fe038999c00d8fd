"""The model for who asks for none: the best-sounding one that this machine runs with ease."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.engine.block_timing import BlockTimes
from realtime.errors import ModelFileError
from realtime.inference.build import usable_compute
from realtime.inference.load import load_chain
from realtime.inference.model_file import ModelInfo, by_sound
from realtime.inference.tuning_cache import Measurements, measurement_key
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# 99 of 100 blocks have to be computed in half of their time: the other half is for the window,
# for other programs, and for the processor's heat.
EASY_RATIO = 2.0

# As many blocks as a first percentile takes, in a few seconds; networks that are too slow anyway
# get fewer.
TRIAL_BLOCKS = 120
LEAST_BLOCKS = 20
TRIAL_S = 6.0
LONGEST_PAUSE_S = 0.03


@dataclass(frozen=True)
class Choice:
    """A model, and why it."""

    info: ModelInfo
    reason: str
    """For the user: ``unet: the best-sounding, 3.1x real time here``."""


def choose_model(models: Sequence[ModelInfo], speed: Callable[[ModelInfo], float]) -> Choice:
    """The best-sounding model of those that are fast enough, else the fastest.

    Args:
        models: to choose from.
        speed: measures a model: its real-time ratio in the first percentile, 0 if it fails. Not
            asked where there is nothing to choose, nor of models that sound worse than the choice.

    Raises:
        ModelFileError: if there are no models.
    """
    if not models:
        raise ModelFileError("there are no shipped models; give the path of a .ts file")
    if len(models) == 1:
        return Choice(models[0], f"{models[0].name}: the only model")
    slow: list[tuple[float, ModelInfo]] = []
    for info in by_sound(models):
        ratio = speed(info)
        if ratio >= EASY_RATIO:
            also = "".join(f"; {other.name} only {r:.1f}x" for r, other in slow)
            what = "the best-sounding that keeps up" if slow else "the best-sounding"
            return Choice(info, f"{info.name}: {what}, {ratio:.1f}x real time here (p01){also}")
        slow.append((ratio, info))
    ratio, info = max(slow, key=lambda pair: pair[0])
    return Choice(info, f"{info.name}: the fastest, {ratio:.1f}x real time here (p01)")


@dataclass(frozen=True, kw_only=True)
class SpeedTrial:
    """Measures models as they will run live, each once per machine, file and program version.

    Attributes:
        block_samples: output samples per block.
        channels: 1 or 2.
        compute: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads; None for a good number.
        dtype: ``float32``, ``tf32`` or ``bfloat16``; None for the device's default.
        measurements: where results are remembered.
        progress: called with one line before something is measured.
    """

    block_samples: int
    channels: int
    compute: str
    threads: int | None
    dtype: str | None
    measurements: Measurements
    progress: Callable[[str], None]

    def __call__(self, info: ModelInfo) -> float:
        """The model's real-time ratio in the first percentile; 0 if it cannot be used."""
        from realtime.inference.network import device_name

        key = measurement_key(
            "speed",
            info,
            block=self.block_samples,
            channels=self.channels,
            device=device_name(usable_compute(self.compute)[0]),
            threads=self.threads,
            dtype=self.dtype,
        )
        known = self.measurements.number(key)
        if known is not None:
            return known
        self.progress(f"measuring how fast {info.name} runs here, once")
        try:
            ratio = self._measure(info)
        except ModelFileError as error:
            # A damaged file must not keep the others from running, and may be mended: not kept.
            self.progress(f"{info.name} is left out: {error}")
            return 0.0
        self.measurements.put(key, ratio)
        return ratio

    def _measure(self, info: ModelInfo) -> float:
        loaded = load_chain(
            info,
            block_samples=self.block_samples,
            channels=self.channels,
            compute=self.compute,
            threads=self.threads,
            dtype=self.dtype,
            measurements=self.measurements,
        )
        chain = loaded.chain
        rng = np.random.default_rng(0)
        x = rng.normal(0.0, 0.05, (self.channels, self.block_samples // 2)).astype(np.float32)
        block_s = x.shape[1] / SAMPLE_RATE_IN
        times = BlockTimes(self.block_samples / SAMPLE_RATE_OUT)
        loaded.bind_thread()
        end = time.perf_counter() + TRIAL_S
        for count in range(TRIAL_BLOCKS):
            if count >= LEAST_BLOCKS and time.perf_counter() > end:
                break
            # Threads that slept, and caches that others used meanwhile, are part of live.
            time.sleep(min(block_s, LONGEST_PAUSE_S))
            begin = time.perf_counter()
            chain.process(x)
            times.add(time.perf_counter() - begin)
        return round(times.whole().ratio_p01, 3)
