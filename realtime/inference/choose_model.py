"""Chooses a model: the best-sounding one that this machine runs easily."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.errors import ModelFileError
from realtime.inference.load import load_chain, usable_compute
from realtime.inference.model_file import ModelInfo, by_sound
from realtime.inference.tuning import Requested, call_durations, noise
from realtime.inference.tuning_cache import TuningCache, cache_key
from realtime.sample_rates import SAMPLE_RATE_OUT

# 99 of 100 blocks have to be computed in half of their time. The other half is for the window, for
# other programs, and for a processor that slows down when it is hot.
EASY_RATIO = 2.0

# Enough blocks for a first percentile. A network that is too slow gets fewer.
TRIAL_BLOCKS = 120
MIN_TRIAL_BLOCKS = 20
MAX_TRIAL_S = 6.0


@dataclass(frozen=True)
class Choice:
    """A model, and why it was chosen."""

    info: ModelInfo
    reason: str
    """For the user: ``unet: the best-sounding, 3.1x real time here``."""


def choose_model(models: Sequence[ModelInfo], speed: Callable[[ModelInfo], float]) -> Choice:
    """The best-sounding model of those that are fast enough, or else the fastest.

    ``speed`` measures a model's real-time ratio (first percentile); 0 if the model fails. It is
    not called for a single model, nor for models that sound worse than the choice.

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
    """Measures models as they run live, once per machine, model file and program version."""

    block_samples: int
    channels: int
    requested: Requested
    cache: TuningCache
    progress: Callable[[str], None]

    def __call__(self, info: ModelInfo) -> float:
        """The model's real-time ratio (first percentile); 0 if it cannot be used."""
        from realtime.inference.network import device_name

        key = cache_key(
            "speed",
            info,
            block=self.block_samples,
            channels=self.channels,
            device=device_name(usable_compute(self.requested.get("compute", "auto"))[0]),
            threads=self.requested.get("threads"),
            dtype=self.requested.get("dtype"),
        )
        known = self.cache.number(key)
        if known is not None:
            return known
        self.progress(f"measuring how fast {info.name} runs here, once")
        try:
            loaded = load_chain(
                info,
                block_samples=self.block_samples,
                channels=self.channels,
                cache=self.cache,
                **self.requested,
            )
        except ModelFileError as error:
            # Not kept: the file may be repaired.
            self.progress(f"{info.name} is left out: {error}")
            return 0.0
        x = noise(self.channels, self.block_samples // 2)
        block_s = self.block_samples / SAMPLE_RATE_OUT
        loaded.bind_thread()
        durations_s = call_durations(
            lambda: loaded.chain.process(x),
            pause_s=block_s,
            calls=TRIAL_BLOCKS,
            min_calls=MIN_TRIAL_BLOCKS,
            max_s=MAX_TRIAL_S,
        )
        ratio = round(block_s / float(np.percentile(durations_s, 99)), 3)
        self.cache.put(key, ratio)
        return ratio
