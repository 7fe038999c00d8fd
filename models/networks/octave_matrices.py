"""Sizes and constant matrices of the octave."""

import math

import numpy as np
import scipy.signal
import torch
from torch import Tensor

from realtime.sample_rates import SAMPLE_RATE_IN

# Lengths in samples at 22.05 kHz.
HOP = 128
# A synthesis frame; 512 samples at 44.1 kHz.
FRAME = 2 * HOP
# The analysis window, which ends LOOK_AHEAD samples after the frame.
WINDOW = 512
LOOK_AHEAD = 96
# At the end of a block the last but one frame is complete.
LATENCY = HOP + LOOK_AHEAD
# Half the length of the half-band filter; at most LOOK_AHEAD, so it adds no latency.
HALF_BAND = 96
# Input samples per row of the filter's matrix product.
SPAN = 32

# Bins of 86 Hz of a frame at 44.1 kHz: the first that the network fills (9.04 kHz), the first above
# the input's band, and their number.
FIRST_BIN = 105
SEAM_BIN = FRAME // 2 + 1
BINS = FRAME + 1
EDGE_BINS = SEAM_BIN - FIRST_BIN

# Bands of the network's input, 86 Hz each.
BANDS = WINDOW // 4
# Reference band for levels.
TOP_HZ = (4_000, 8_000)
# Time constants of the means over the past: a sound, a syllable, voice and room.
MEMORIES_S = (0.015, 0.05, 0.5)
# Frames per matrix product.
MAX_FRAMES = 128


def half_band_matrix() -> Tensor:
    """Interpolation by two, ``[SPAN - 1 + 2 * HALF_BAND, 2 * SPAN]``.

    Even columns copy the input's samples. Odd columns hold a Kaiser-windowed sinc (beta 9, -6 dB at
    11.025 kHz, -90 dB from 11.4 kHz on).
    """
    matrix = np.zeros((SPAN - 1 + 2 * HALF_BAND, 2 * SPAN))
    lags = np.arange(-HALF_BAND, HALF_BAND) + 0.5
    taps = np.sinc(lags) * scipy.signal.windows.kaiser(4 * HALF_BAND + 1, 9.0)[1::2]
    for i in range(SPAN):
        matrix[i + HALF_BAND - 1, 2 * i] = 1.0
        matrix[i : i + 2 * HALF_BAND, 2 * i + 1] = taps / taps.sum()
    return torch.from_numpy(matrix).float()


def edge_matrix() -> Tensor:
    """``[FRAME, 2 * EDGE_BINS]``: real and imaginary parts of a frame's bins from FIRST_BIN up.

    The factor 2 compensates for the zeros between the input's samples at 44.1 kHz.
    """
    spectra = np.fft.rfft(np.diag(np.sqrt(scipy.signal.windows.hann(FRAME, sym=False))))
    edge = 2.0 * spectra[:, FIRST_BIN:SEAM_BIN]
    parts = np.stack([edge.real, edge.imag], axis=2).reshape(FRAME, 2 * EDGE_BINS)
    return torch.from_numpy(parts).float()


def analysis_window() -> Tensor:
    """``[WINDOW]``: halves of two Hann windows; the peak is at the middle of the frame."""
    fall = LOOK_AHEAD + HOP
    rise = WINDOW - fall
    up = np.sin(np.pi * (np.arange(rise) + 0.5) / (2 * rise)) ** 2
    down = np.cos(np.pi * (np.arange(fall) + 0.5) / (2 * fall)) ** 2
    return torch.from_numpy(np.concatenate([up, down])).float()


def top_weights() -> Tensor:
    """``[BANDS, 1]``: mean over the bands at 4 to 8 kHz."""
    hz = torch.arange(BANDS + 1) * (11_025 / BANDS)
    inside = ((hz[:-1] >= TOP_HZ[0]) & (hz[1:] <= TOP_HZ[1])).float()
    return (inside / inside.sum()).unsqueeze(1)


def past_matrix(kernel: int) -> Tensor:
    """The past that the first layer sees, ``[MAX_FRAMES * S, S - 1 + MAX_FRAMES]``.

    S rows per frame: the oldest of the newest ``kernel`` frames, the others from new to old, then
    the exponential means. All rows but the first are the state for the next frame. The columns are
    the state of the previous call, then the frames of this call.
    """
    held = kernel - 1 + len(MEMORIES_S)
    matrix = torch.zeros(MAX_FRAMES, held + 1, held + MAX_FRAMES, dtype=torch.float64)
    for frame in range(MAX_FRAMES):
        for place, lag in enumerate([kernel - 1, *range(kernel - 1)]):
            column = held + frame - lag if frame >= lag else lag - frame - 1
            matrix[frame, place, column] = 1.0
        ages = torch.arange(frame, -1, -1)
        for i, memory_s in enumerate(MEMORIES_S):
            fade = math.exp(-HOP / (memory_s * SAMPLE_RATE_IN))
            matrix[frame, kernel + i, kernel - 1 + i] = fade ** (frame + 1)
            matrix[frame, kernel + i, held : held + frame + 1] = (1.0 - fade) * fade**ages
    return matrix.flatten(0, 1).float()
