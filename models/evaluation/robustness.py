"""Scores with other low-passes and noise floors than the standard evaluation's."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.signal

from models.data.front_end import DOWNSAMPLERS
from models.evaluation.methods import Method
from models.evaluation.metrics import Audio, Floats, score
from models.evaluation.validation import rounded_means
from realtime.sample_rates import SAMPLE_RATE_OUT

MEASURES = ("snr_db", "snr_lf_db", "lsd", "lsd_act")

# Length of the sharp low-passes: 100 dB within about 700 Hz.
CUT_TAPS = 511
# Cutoff of the classical designs.
CLASSICAL_HZ = 10_000


class Condition(NamedTuple):
    """A degradation of the recordings."""

    name: str
    halve: Callable[[Floats], Floats]
    """``[T]`` at 44.1 kHz to ``[T / 2]`` at 22.05 kHz."""
    noise_db: float | None = None
    """Level of white noise, in the target too, relative to the recording; None for none."""


def _classical(design: Callable[..., Any], *arguments: float, **options: str) -> Any:
    """A classical filter run forward and backward, so that there is no delay."""
    cutoff = CLASSICAL_HZ / (SAMPLE_RATE_OUT / 2)
    sos = design(*arguments, cutoff, output="sos", **options)
    return lambda x: scipy.signal.sosfiltfilt(sos, x)[::2]


def _cut(hz: int) -> Callable[[Floats], Floats]:
    taps = scipy.signal.firwin(CUT_TAPS, hz, window=("kaiser", 10.0), fs=SAMPLE_RATE_OUT)
    return lambda x: scipy.signal.fftconvolve(x, taps, mode="same")[::2]


def conditions() -> list[Condition]:
    """The rows of the table."""
    return [
        *(Condition(name, halve) for name, halve in DOWNSAMPLERS.items()),
        Condition("cheby1-8", _classical(scipy.signal.cheby1, 8, 0.05)),
        Condition("butter-6", _classical(scipy.signal.butter, 6)),
        Condition("ellip-6", _classical(scipy.signal.ellip, 6, 0.05, 60)),
        Condition("bessel-6", _classical(scipy.signal.bessel, 6, norm="mag")),
        *(Condition(f"cut at {hz // 1000} kHz", _cut(hz)) for hz in (8_000, 9_000, 10_000)),
        Condition("noise at -60 dB", DOWNSAMPLERS["kaiser_best"], noise_db=-60.0),
        Condition("noise at -40 dB", DOWNSAMPLERS["kaiser_best"], noise_db=-40.0),
    ]


def degraded(condition: Condition, reference: Audio) -> tuple[Audio, Audio]:
    """The input at 22.05 kHz, and the target.

    Shape:
        - Input: ``[T]`` at 44.1 kHz, T even
        - Output: ``[T / 2]`` and ``[T]``
    """
    wanted = reference.astype(np.float64)
    if condition.noise_db is not None:
        level = np.sqrt(np.mean(wanted**2)) * 10 ** (condition.noise_db / 20)
        # Every method and every run gets the same noise.
        wanted = wanted + level * np.random.default_rng(0).normal(size=len(wanted))
    low = condition.halve(wanted)
    return low.astype(np.float32), wanted.astype(np.float32)


def robustness(
    methods: Sequence[Method],
    references: Sequence[Audio],
    *,
    report: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Score methods under every condition.

    Args:
        methods: the baseline first.
        references: recordings of even length at 44.1 kHz.
        report: called with a line per condition.

    Returns:
        ``[{condition, method, snr_db, snr_lf_db, lsd, lsd_act}]``, means over the clips.
    """
    rows: list[dict[str, Any]] = []
    for condition in conditions():
        scores: dict[str, list[dict[str, float]]] = {m.name: [] for m in methods}
        for reference in references:
            low, wanted = degraded(condition, reference)
            for method in methods:
                scores[method.name].append(score(wanted, method.upsample(low)))
        for name, of_method in scores.items():
            means = rounded_means(of_method, MEASURES)
            rows.append({"condition": condition.name, "method": name, **means})
        report(f"robustness: {condition.name}")
    return rows
