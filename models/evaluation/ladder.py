"""The ladder: what a method would score if one part of its levels were right.

Each rung corrects the method's output above 9.5 kHz with levels of the recording, and is scored
again. The rung with the largest gain says what to work on. docs/octave.md discusses it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.evaluation.levels import (
    BAND_OF_BIN,
    Spectra,
    active_frames,
    band_powers,
    level_errors,
    spectra,
    waveform,
)
from models.evaluation.metrics import Audio, Floats, score
from models.evaluation.validation import mean_defined

# A correction multiplies amplitudes by at most this: nothing cannot be corrected.
MAX_GAIN = 100.0


def _gain_per_clip(error: Floats, _: Floats) -> Floats:
    return np.broadcast_to(error.mean(), error.shape)


def _spectrum_per_clip(error: Floats, _: Floats) -> Floats:
    return np.broadcast_to(error.mean(axis=0), error.shape)


def _spectrum_in_speech_and_pauses(error: Floats, active: Floats) -> Floats:
    out = np.zeros_like(error)
    for part in (active > 0, active == 0):
        if part.any():
            out[part] = error[part].mean(axis=0)
    return out


def _pauses(error: Floats, active: Floats) -> Floats:
    return error * (1 - active[:, None])


def _speech(error: Floats, active: Floats) -> Floats:
    return error * active[:, None]


def _frame_level(error: Floats, _: Floats) -> Floats:
    return np.broadcast_to(error.mean(axis=1, keepdims=True), error.shape)


def _band_shape(error: Floats, _: Floats) -> Floats:
    return error - error.mean(axis=1, keepdims=True)


def _all(error: Floats, _: Floats) -> Floats:
    return error


# Title and correction: from the error in dB, ``[N, 6]``, and active frames, ``[N]``, 1 or 0, to
# what is subtracted in dB.
RUNGS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "as it is": lambda error, _: np.zeros_like(error),
    "one gain per clip": _gain_per_clip,
    "mean spectrum per clip": _spectrum_per_clip,
    "mean spectra of speech and of pauses": _spectrum_in_speech_and_pauses,
    "levels right in pauses": _pauses,
    "levels right in speech": _speech,
    "level of each frame right": _frame_level,
    "band shape of each frame right": _band_shape,
    "all levels right": _all,
}
NOISE = "noise with all levels right"
MEASURES = ("visqol", "lsd_act", "level_error_db", "level_bias_db")


def _corrected(estimate: Spectra, correction_db: Floats) -> Spectra:
    """Spectra with gains per frame and band above 9.5 kHz."""
    gain = np.clip(10 ** (-correction_db / 20), 0.0, MAX_GAIN)
    # Bins below the lowest band have band -1, the last column: a gain of 1.
    padded = np.concatenate([gain, np.ones((len(gain), 1))], axis=1)
    return estimate * padded[:, BAND_OF_BIN]


def rungs(reference: Audio, estimate: Audio, *, seed: int = 0) -> dict[str, Audio]:
    """A clip with each correction, by the title of the rung.

    Shape:
        - Input: ``[T]`` and ``[T]`` at 44.1 kHz
        - Output: ``[T]`` each
    """
    wanted, got = spectra(reference), spectra(estimate)
    active = active_frames(wanted).astype(np.float64)
    error = 10 * np.log10(band_powers(got) / band_powers(wanted))
    length = len(reference)
    out = {
        title: waveform(_corrected(got, correct(error, active)), length)
        for title, correct in RUNGS.items()
    }
    noise = spectra(np.random.default_rng(seed).normal(0.0, 0.1, length).astype(np.float32))
    noise_error = 10 * np.log10(band_powers(noise) / band_powers(wanted))
    top = BAND_OF_BIN >= 0
    mixed = np.where(top, _corrected(noise, noise_error), got)
    return out | {NOISE: waveform(mixed, length)}


def ladder_rows(
    method: str,
    clips: Sequence[tuple[Audio, Audio]],
    *,
    visqol: Callable[[Audio, Audio], float] | None,
    report: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Score every rung of a method.

    Args:
        method: its name.
        clips: recordings and the method's outputs, ``[T]`` each.
        visqol: scores a recording and an estimate, or None.
        report: called with one line per clip.

    Returns:
        A row per rung: ``{method, rung, visqol, lsd_act, level_error_db, level_bias_db}``.
    """
    figures: dict[str, list[dict[str, float]]] = {title: [] for title in (*RUNGS, NOISE)}
    for done, (reference, estimate) in enumerate(clips):
        for title, audio in rungs(reference, estimate).items():
            row = score(reference, audio) | level_errors(reference, audio)
            row["visqol"] = visqol(reference, audio) if visqol else float("nan")
            figures[title].append(row)
        report(f"ladder of {method}: {done + 1} of {len(clips)} clips")
    rows = []
    for title, scores in figures.items():
        means = {key: mean_defined([row[key] for row in scores]) for key in MEASURES}
        shown = {k: None if np.isnan(mean) else round(mean, 3) for k, mean in means.items()}
        rows.append({"method": method, "rung": title, **shown})
    return rows
