"""Levels of the top octave per band and frame: how loud it is, and when."""

import numpy as np
import numpy.typing as npt

from models.evaluation.metrics import Audio, Floats
from realtime.sample_rates import SAMPLE_RATE_OUT

# A sine window on both sides of the FFT, twice overlapped, gives every signal back.
FRAME = 512
HOP = FRAME // 2
# Six bands of equal width on the ERB-rate scale (Glasberg and Moore, 1990).
LOW_HZ, HIGH_HZ, BANDS = 9_500.0, 20_000.0, 6
# Less power than this in a band is silence.
POWER_FLOOR = 1e-8
# Frames this far below the loudest one (power at 0.2 to 9 kHz) are pauses.
ACTIVE_DB = 35.0

_WINDOW = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME)
_HZ = np.arange(FRAME // 2 + 1) * SAMPLE_RATE_OUT / FRAME
Spectra = npt.NDArray[np.complex128]


def _erb_rate(hz: npt.ArrayLike) -> Floats:
    rate: Floats = 21.4 * np.log10(1 + 0.00437 * np.asarray(hz))
    return rate


def _band_of_bin() -> npt.NDArray[np.int64]:
    """Band of every bin: -1 below LOW_HZ; bins above HIGH_HZ go with the last band."""
    place = (_erb_rate(_HZ) - _erb_rate(LOW_HZ)) / (_erb_rate(HIGH_HZ) - _erb_rate(LOW_HZ))
    return np.clip(np.floor(place * BANDS), -1, BANDS - 1).astype(np.int64)


BAND_OF_BIN = _band_of_bin()
_INSIDE = _HZ <= HIGH_HZ


def spectra(audio: Audio) -> Spectra:
    """Short-time spectra, ``[N, F]``, of frames of 12 ms every 6 ms; :func:`waveform` inverts."""
    padded = np.pad(audio.astype(np.float64), (HOP, FRAME + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    found: Spectra = np.fft.rfft(frames * _WINDOW)
    return found


def waveform(frames: Spectra, length: int) -> Audio:
    """The signal, ``[length]``, of short-time spectra."""
    parts = np.fft.irfft(frames, FRAME) * _WINDOW
    out = np.zeros((len(parts) + 1, HOP))
    out[:-1] += parts[:, :HOP]
    out[1:] += parts[:, HOP:]
    return out.reshape(-1)[HOP : HOP + length].astype(np.float32)


def band_powers(frames: Spectra) -> Floats:
    """Power in the six bands, ``[N, 6]``, at least POWER_FLOOR."""
    power = np.abs(frames) ** 2
    bands = [power[:, (band == BAND_OF_BIN) & _INSIDE].sum(axis=1) for band in range(BANDS)]
    return np.maximum(np.stack(bands, axis=1), POWER_FLOOR)


def active_frames(reference: Spectra) -> npt.NDArray[np.bool_]:
    """Frames in which someone speaks, ``[N]``."""
    low = (_HZ >= 200.0) & (_HZ <= 9_000.0)
    level = (np.abs(reference[:, low]) ** 2).mean(axis=1)
    active: npt.NDArray[np.bool_] = level >= level.max() * 10 ** (-ACTIVE_DB / 10)
    return active


def level_errors(reference: Audio, estimate: Audio) -> dict[str, float]:
    """Errors of level from 9.5 to 20 kHz.

    Shape:
        - Input: ``[T]`` and ``[T]`` at 44.1 kHz

    Returns:
        ``level_error_db`` (root mean square) and ``level_bias_db`` (mean) in active speech, and
        both with ``_pause`` in the other frames; NaN where there is no such frame.
    """
    wanted = spectra(reference)
    active = active_frames(wanted)
    error = 10 * np.log10(band_powers(spectra(estimate)) / band_powers(wanted))
    result = {}
    for suffix, chosen in (("", error[active]), ("_pause", error[~active])):
        rms, mean = np.nan, np.nan
        if chosen.size:
            rms, mean = float(np.sqrt((chosen**2).mean())), float(chosen.mean())
        result |= {f"level_error_db{suffix}": rms, f"level_bias_db{suffix}": mean}
    return result
