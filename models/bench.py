"""Other upsamplers to compare the front end with in ``topoctave bench``."""

from collections.abc import Iterator

import numpy as np
import resampy
import soxr

from realtime.bench import Stage

WHOLE_S = 10.0


def resampler_stages() -> Iterator[Stage]:
    """Whole signals through resampy's kaiser_fast and soxr's best."""
    x = np.random.default_rng(0).normal(0.0, 0.05, round(WHOLE_S * 22_050)).astype(np.float32)

    def row(name: str) -> dict[str, object]:
        return {
            "stage": "front_end",
            "name": name,
            "device": "cpu",
            "threads": 1,
            "dtype": "float32",
            "block": None,
        }

    yield Stage(
        row("resampy.kaiser_fast"),
        lambda: resampy.resample(x, 22_050, 44_100, filter="kaiser_fast"),
        WHOLE_S,
    )
    yield Stage(row("soxr.vhq"), lambda: soxr.resample(x, 22_050, 44_100, quality="VHQ"), WHOLE_S)
