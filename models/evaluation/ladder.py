"""The ladder: what a method would score if one part of its levels were right.

Each rung corrects the method's output above 9.5 kHz with levels of the recording, and is scored
again. The rung with the largest gain says what to work on. docs/octave.md discusses it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation.levels import BAND_OF_BIN, BANDS, Spectra, band_levels_db, spectra, waveform
from models.evaluation.metrics import Audio, Floats, active_frames
from models.evaluation.results import clip_scores
from models.evaluation.validation import rounded_means

# A correction multiplies amplitudes by at most this: nothing cannot be corrected.
MAX_GAIN = 100.0


def _means_in_speech_and_pauses(error: Floats, active: npt.NDArray[np.bool_]) -> Floats:
    means = error.copy()
    for part in (active[:, 0], ~active[:, 0]):
        if part.any():
            means[part] = error[part].mean(axis=0)
    return means


# Title and correction: from the error in dB, ``[N, 6]``, and whether a frame is active, ``[N, 1]``,
# to what is subtracted in dB.
RUNGS: dict[str, Callable[[Floats, npt.NDArray[np.bool_]], npt.ArrayLike]] = {
    "as it is": lambda _, __: 0.0,
    "one gain per clip": lambda error, _: error.mean(),
    "mean spectrum per clip": lambda error, _: error.mean(axis=0),
    "mean spectra of speech and of pauses": _means_in_speech_and_pauses,
    "levels right in pauses": lambda error, active: error * ~active,
    "levels right in speech": lambda error, active: error * active,
    "level of each frame right": lambda error, _: error.mean(axis=1, keepdims=True),
    "band shape of each frame right": lambda error, _: error - error.mean(axis=1, keepdims=True),
    "all levels right": lambda error, _: error,
}
NOISE = "noise with all levels right"
MEASURES = ("visqol", "lsd_act", "level_error_db", "level_bias_db")


def _corrected(estimate: Spectra, correction_db: npt.ArrayLike) -> Spectra:
    """Spectra with gains per frame and band above 9.5 kHz."""
    # Bins below the lowest band have band -1, the last column: a gain of 1.
    gain = np.ones((len(estimate), BANDS + 1))
    gain[:, :-1] = np.minimum(10 ** (-np.asarray(correction_db) / 20), MAX_GAIN)
    return estimate * gain[:, np.minimum(BAND_OF_BIN, BANDS - 1)]


def rungs(reference: Audio, estimate: Audio, *, seed: int = 0) -> dict[str, Audio]:
    """A clip with each correction, by the title of the rung.

    Shape:
        - Input: ``[T]`` and ``[T]`` at 44.1 kHz
        - Output: ``[T]`` each
    """
    wanted, got = spectra(reference), spectra(estimate)
    active = active_frames(np.abs(wanted) ** 2)[:, None]
    levels_db = band_levels_db(wanted)
    error = band_levels_db(got) - levels_db
    found = {title: _corrected(got, correct(error, active)) for title, correct in RUNGS.items()}
    noise = spectra(np.random.default_rng(seed).normal(0.0, 0.1, len(reference)).astype(np.float32))
    noise = _corrected(noise, band_levels_db(noise) - levels_db)
    found[NOISE] = np.where(BAND_OF_BIN >= 0, noise, got)
    return {title: waveform(frames, len(reference)) for title, frames in found.items()}


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
            figures[title].append(clip_scores(reference, audio, visqol))
        report(f"ladder of {method}: {done + 1} of {len(clips)} clips")
    return [
        {"method": method, "rung": title} | rounded_means(scores, MEASURES)
        for title, scores in figures.items()
    ]
