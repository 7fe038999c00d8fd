"""What the octave computes with beside its weights: lengths, and matrices made of them alone."""

import math

import numpy as np
import scipy.signal
import torch
from torch import Tensor

from realtime.sample_rates import SAMPLE_RATE_IN

# Lengths in samples at 22.05 kHz.
HOP = 128
# A frame of the synthesis: twice the hop, at 44.1 kHz 512 samples.
FRAME = 2 * HOP
# What the network looks at: a longer window that ends LOOK_AHEAD samples behind the frame.
WINDOW = 512
LOOK_AHEAD = 96
# The frame before the last one is complete when a block ends: hop and look-ahead.
LATENCY = HOP + LOOK_AHEAD
# Half the length of the half-band filter: it needs no more of the future than the frames do.
HALF_BAND = 96
# The filter's matrix makes so many samples per row of its input.
SPAN = 32

# Bins of a frame at 44.1 kHz (86 Hz): the first that may be filled (9.04 kHz), the first above the
# input's band, and how many there are.
FIRST_BIN = 105
SEAM_BIN = FRAME // 2 + 1
BINS = FRAME + 1
EDGE_BINS = SEAM_BIN - FIRST_BIN

# What the layers see: powers of bands of 86 Hz.
BANDS = WINDOW // 4
# What every input has.
TOP_HZ = (4_000, 8_000)
# Means of the past that fade within so many seconds: a sound, a syllable, voice and room.
MEMORIES_S = (0.015, 0.05, 0.5)
# Frames per call of the inner loop.
MOST_FRAMES = 128


def half_band_matrix() -> Tensor:
    """``[SPAN - 1 + 2 * HALF_BAND, 2 * SPAN]``: the input's samples, and those between them.

    Those between are a Kaiser-windowed sinc of beta 9, -6 dB at 11.025 kHz, -90 dB from 11.4 kHz
    on. Columns of the input's own have a single 1: these samples stay exactly what they are.
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

    Twice, because there are zeros between the input's samples at 44.1 kHz.
    """
    spectra = np.fft.rfft(np.diag(np.sqrt(scipy.signal.windows.hann(FRAME, sym=False))))
    edge = 2.0 * spectra[:, FIRST_BIN:SEAM_BIN]
    parts = np.stack([edge.real, edge.imag], axis=2).reshape(FRAME, 2 * EDGE_BINS)
    return torch.from_numpy(parts).float()


def analysis_window() -> Tensor:
    """``[WINDOW]``: halves of two Hann windows, the peak at the middle of the frame."""
    fall = LOOK_AHEAD + HOP
    rise = WINDOW - fall
    up = np.sin(np.pi * (np.arange(rise) + 0.5) / (2 * rise)) ** 2
    down = np.cos(np.pi * (np.arange(fall) + 0.5) / (2 * fall)) ** 2
    return torch.from_numpy(np.concatenate([up, down])).float()


def top_weights() -> Tensor:
    """``[BANDS, 1]``: the mean over the bands at 4 to 8 kHz."""
    hz = torch.arange(BANDS + 1) * (11_025 / BANDS)
    inside = ((hz[:-1] >= TOP_HZ[0]) & (hz[1:] <= TOP_HZ[1])).float()
    return (inside / inside.sum()).unsqueeze(1)


def past_matrix(kernel: int) -> Tensor:
    """``[MOST_FRAMES * S, S - 1 + MOST_FRAMES]``: what the first layer sees of what was.

    S things per frame: of the newest ``kernel`` frames the oldest, and the others from new to old;
    then fading means. All but the first one are what the next frame needs to know; the columns are
    that, as the call before has left it, and then the call's frames.
    """
    held = kernel - 1 + len(MEMORIES_S)
    matrix = torch.zeros(MOST_FRAMES, held + 1, held + MOST_FRAMES, dtype=torch.float64)
    for frame in range(MOST_FRAMES):
        for place, lag in enumerate([kernel - 1, *range(kernel - 1)]):
            column = held + frame - lag if frame >= lag else lag - frame - 1
            matrix[frame, place, column] = 1.0
        ages = torch.arange(frame, -1, -1)
        for i, memory_s in enumerate(MEMORIES_S):
            fade = math.exp(-HOP / (memory_s * SAMPLE_RATE_IN))
            matrix[frame, kernel + i, kernel - 1 + i] = fade ** (frame + 1)
            matrix[frame, kernel + i, held : held + frame + 1] = (1.0 - fade) * fade**ages
    return matrix.flatten(0, 1).float()
