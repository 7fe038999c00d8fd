"""Plots the spectrograms of input and output into a PNG file."""

from pathlib import Path

import numpy as np

from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

# Equal Hz per bin and ms per frame in both.
FFT_IN, FFT_OUT = 1024, 2048
RANGE_DB = (-110.0, -20.0)


def plot_pair(source: Audio, output: Audio, path: Path, *, title: str) -> None:
    """Plot the input, ``[C, T]``, above the output, ``[C, about 2 T]``, on the same axes.

    Raises:
        AudioFileError: if the file cannot be written.
    """
    # Imported here: matplotlib takes a second to load.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    panes = (
        (source, SAMPLE_RATE_IN, FFT_IN, "input, 22.05 kHz"),
        (output, SAMPLE_RATE_OUT, FFT_OUT, f"output, 44.1 kHz: {title}"),
    )
    for axis, (audio, rate, size, name) in zip(axes, panes, strict=True):
        # Doubled, since a sine's amplitude is half at positive frequencies. Silence has no level.
        with np.errstate(divide="ignore"):
            *_, image = axis.specgram(
                2 * audio.mean(axis=0),
                NFFT=size,
                Fs=rate,
                noverlap=size * 3 // 4,
                mode="magnitude",
                cmap="magma",
                vmin=RANGE_DB[0],
                vmax=RANGE_DB[1],
            )
        axis.axhline(SAMPLE_RATE_IN / 2, color="white", linewidth=0.8, linestyle="--", alpha=0.7)
        axis.set_facecolor("black")
        axis.set_xlim(0, source.shape[1] / SAMPLE_RATE_IN)
        axis.set_ylim(0, SAMPLE_RATE_OUT / 2)
        axis.set_ylabel("frequency (kHz)")
        axis.yaxis.set_major_formatter(lambda hz, _: f"{hz / 1e3:g}")
        axis.set_title(name, loc="left", fontsize=10)
    axes[1].set_xlabel("time (s)")
    figure.colorbar(image, ax=list(axes), label="level (dBFS)", pad=0.01)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise AudioFileError(f"cannot write {path}: {error.strerror}") from error
