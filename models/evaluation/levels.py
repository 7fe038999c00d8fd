"""Levels of the top octave per band and frame: how loud it is, and when."""

import numpy as np
import numpy.typing as npt

from models.evaluation.metrics import Audio, Floats, active_frames
from realtime.sample_rates import SAMPLE_RATE_OUT

# A sine window on both sides of the FFT, twice overlapped, gives every signal back.
FRAME = 512
HOP = FRAME // 2
# Six bands of equal width on the ERB-rate scale, log10(1 + 0.00437 f) (Glasberg and Moore, 1990).
LOW_HZ, HIGH_HZ, BANDS = 9_500.0, 20_000.0, 6
# Less power than this in a band is silence.
POWER_FLOOR = 1e-8

_WINDOW = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)
_RATES = 1 + 0.00437 * np.arange(FRAME // 2 + 1) * SAMPLE_RATE_OUT / FRAME
_EDGES = np.geomspace(1 + 0.00437 * LOW_HZ, 1 + 0.00437 * HIGH_HZ, BANDS + 1)
# Per bin: -1 below the lowest band, BANDS above the highest.
BAND_OF_BIN = np.digitize(_RATES, _EDGES) - 1
Spectra = npt.NDArray[np.complex128]


def spectra(audio: Audio) -> Spectra:
    """Short-time spectra, ``[N, F]``, of frames of 12 ms every 6 ms; :func:`waveform` inverts."""
    padded = np.pad(audio.astype(np.float64), (HOP, FRAME + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.fft.rfft(frames * _WINDOW)


def waveform(frames: Spectra, length: int) -> Audio:
    """The signal, ``[length]``, of short-time spectra."""
    parts = np.fft.irfft(frames, FRAME) * _WINDOW
    out = np.zeros((len(parts) + 1, HOP))
    out[:-1] += parts[:, :HOP]
    out[1:] += parts[:, HOP:]
    return out.reshape(-1)[HOP : HOP + length].astype(np.float32)


def band_levels_db(frames: Spectra) -> Floats:
    """Levels of the six bands, ``[N, 6]``, at least that of POWER_FLOOR."""
    power = np.abs(frames) ** 2 @ (BAND_OF_BIN[:, None] == np.arange(BANDS))
    levels: Floats = 10 * np.log10(np.maximum(power, POWER_FLOOR))
    return levels


def level_errors(reference: Audio, estimate: Audio) -> dict[str, float]:
    """Errors of level from 9.5 to 20 kHz.

    Shape:
        - Input: ``[T]`` and ``[T]`` at 44.1 kHz

    Returns:
        ``level_error_db`` (root mean square) and ``level_bias_db`` (mean) in active speech, and
        both with ``_pause`` in the other frames; NaN where there is no such frame.
    """
    wanted = spectra(reference)
    active = active_frames(np.abs(wanted) ** 2)
    error = band_levels_db(spectra(estimate)) - band_levels_db(wanted)
    result: dict[str, float] = {}
    for suffix, chosen in (("", error[active]), ("_pause", error[~active])):
        rms, mean = np.nan, np.nan
        if chosen.size:
            rms, mean = float(np.sqrt((chosen**2).mean())), float(chosen.mean())
        result |= {f"level_error_db{suffix}": rms, f"level_bias_db{suffix}": mean}
    return result
