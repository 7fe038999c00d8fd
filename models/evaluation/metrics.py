"""Measures of upsampled audio at 44.1 kHz."""

import math

import numpy as np
import numpy.typing as npt
import scipy.signal

from realtime.sample_rates import SAMPLE_RATE_OUT

Audio = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

FFT_SIZE = 2048
HOP = 512

# Powers are clamped here in the LSD of AP-BWE, AERO and NU-Wave 2.
POWER_FLOOR = 1e-8

# Titles of all measures in tables, in their order.
MEASURES = {
    "snr_db": "SNR, dB",
    "snr_lf_db": "SNR below 9 kHz, dB",
    "lsd": "LSD",
    "lsd_ln": "LSD, natural logarithm",
    "lsd_hf": "LSD 11-20 kHz",
    "lsd_edge": "LSD 9-11 kHz",
    "lsd_act": "LSD 11.5-17 kHz, active speech",
    "level_error_db": "level error, dB",
    "level_bias_db": "level bias, dB",
    "level_error_db_pause": "level error in pauses, dB",
    "level_bias_db_pause": "level bias in pauses, dB",
    "visqol": "ViSQOL",
    "real_time_ratio": "real-time ratio",
}


def power_spectrogram(audio: Audio) -> Floats:
    """Power, ``[N, F]``: periodic Hann 2048, hop 512, reflect padding."""
    half = FFT_SIZE // 2
    if len(audio) <= half:
        audio = np.pad(audio, (0, half + 1 - len(audio)))
    padded = np.pad(audio.astype(np.float64), half, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SIZE)[::HOP]
    window = scipy.signal.get_window("hann", FFT_SIZE, fftbins=True)
    return np.abs(np.fft.rfft(frames * window)) ** 2


def _bins(low_hz: float, high_hz: float, fft_size: int = FFT_SIZE) -> slice:
    per_hz = fft_size / SAMPLE_RATE_OUT
    return slice(int(np.ceil(low_hz * per_hz)), int(np.floor(high_hz * per_hz)) + 1)


def active_frames(power: Floats) -> npt.NDArray[np.bool_]:
    """Frames of active speech, ``[N]``, of a power spectrogram ``[N, F]``.

    Their mean power at 0.2 to 9 kHz is within 35 dB of the loudest frame's.
    """
    level = power[:, _bins(200, 9_000, 2 * (power.shape[1] - 1))].mean(axis=1)
    active: npt.NDArray[np.bool_] = level >= level.max() * 10**-3.5
    return active


def _lsd(squares: Floats, band: slice) -> float:
    return float(np.sqrt(squares[:, band].mean(axis=1)).mean())


def snr_db(reference: Audio, estimate: Audio) -> float:
    """Energy of the reference over that of the difference, in dB; NaN for a silent reference."""
    reference = reference.astype(np.float64)
    energy = float((reference**2).sum())
    error = float(((reference - estimate) ** 2).sum())
    return 10 * math.log10(energy / max(error, 1e-20)) if energy else float("nan")


def score(reference: Audio, estimate: Audio) -> dict[str, float]:
    """All measures of one clip.

    Args:
        reference: full-band audio at its stored level, 44.1 kHz.
        estimate: the upsampled audio, aligned with it.

    Shape:
        - Input: ``[T]`` and ``[T]``

    Returns:
        ``snr_db``, ``snr_lf_db`` (below 9 kHz), ``lsd`` (log10), ``lsd_ln`` (natural logarithm, as
        in the thesis), ``lsd_hf`` (11.025 to 20 kHz), ``lsd_edge`` (9 to 11.025 kHz) and
        ``lsd_act`` (11.5 to 17 kHz in frames of active speech).

    Raises:
        ValueError: if the lengths differ, or a clip is empty or not finite.
    """
    if reference.shape != estimate.shape or reference.ndim != 1 or not len(reference):
        raise ValueError(f"clips must be [T] alike, got {reference.shape} and {estimate.shape}")
    if not (np.isfinite(reference).all() and np.isfinite(estimate).all()):
        raise ValueError("clips must be finite")
    wanted, got = power_spectrogram(reference), power_spectrogram(estimate)
    squares = np.log10(np.maximum(wanted, POWER_FLOOR) / np.maximum(got, POWER_FLOOR)) ** 2
    lsd = _lsd(squares, slice(None))
    sos = scipy.signal.butter(12, 9_000, fs=SAMPLE_RATE_OUT, output="sos")
    low = [scipy.signal.sosfiltfilt(sos, np.pad(x, 256))[256:-256] for x in (reference, estimate)]
    return {
        "snr_db": snr_db(reference, estimate),
        "snr_lf_db": snr_db(low[0], low[1]),
        "lsd": lsd,
        "lsd_ln": lsd * float(np.log(10)),
        "lsd_hf": _lsd(squares, _bins(11_025, 20_000)),
        "lsd_edge": _lsd(squares, _bins(9_000, 11_025)),
        "lsd_act": _lsd(squares[active_frames(wanted)], _bins(11_500, 17_000)),
    }
