"""ViSQOL: a perceptual quality score."""

from typing import Any

import numpy as np
import soxr

from models.evaluation.metrics import Audio
from realtime.errors import TopoctaveError
from realtime.sample_rates import SAMPLE_RATE_OUT

# Audio mode is defined at 48 kHz only.
VISQOL_RATE_HZ = 48_000


class Visqol:
    """ViSQOL in audio mode, from 1 to about 4.7; needs the optional package.

    Source:
        Chinen et al., ViSQOL v3 (2020); the PyPI package visqol-python.

    Raises:
        TopoctaveError: if the package is missing.
    """

    def __init__(self) -> None:
        try:
            from visqol import VisqolApi
        except ImportError as error:
            raise TopoctaveError(
                "ViSQOL is an extra that is not installed: pip install visqol-python"
            ) from error
        self._api: Any = VisqolApi()
        self._api.create(mode="audio")

    def __call__(self, reference: Audio, estimate: Audio) -> float:
        """Score a clip; NaN if it is silent or shorter than about a second.

        Shape:
            - Input: ``[T]`` and ``[T]`` at 44.1 kHz
        """
        if not reference.any():
            return float("nan")
        pair = [
            soxr.resample(x.astype(np.float64), SAMPLE_RATE_OUT, VISQOL_RATE_HZ, quality="VHQ")
            for x in (reference, estimate)
        ]
        try:
            return float(self._api.measure_from_arrays(*pair, VISQOL_RATE_HZ).moslqo)
        except ValueError:  # fewer frames than one of its patches has
            return float("nan")
