"""Both spectrograms on one sheet, as a file."""

from pathlib import Path

import numpy as np

from realtime.audio_file import SAMPLE_RATE_IN, SAMPLE_RATE_OUT
from realtime.errors import AudioFileError
from realtime.processor import Audio

# Equal Hz and ms per bin in both.
FFT_IN, FFT_OUT = 1024, 2048
RANGE_DB = (-110.0, -20.0)


def draw_pair(source: Audio, output: Audio, path: Path, *, title: str) -> None:
    """Input above output, on the same axes, as a PNG.

    Args:
        source: ``[C, T]`` at 22.05 kHz.
        output: ``[C, about 2 T]`` at 44.1 kHz, aligned with it.
        path: of the picture.
        title: what made the output.

    Raises:
        AudioFileError: if the picture cannot be written.
    """
    # Imported here: matplotlib takes a second, and few commands draw.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 1, sharex=True, sharey=True)
    panes = (
        (source, SAMPLE_RATE_IN, FFT_IN, "input, 22.05 kHz"),
        (output, SAMPLE_RATE_OUT, FFT_OUT, f"output, 44.1 kHz: {title}"),
    )
    for axis, (audio, rate, size, name) in zip(axes, panes, strict=True):
        window = np.hanning(size + 1)[:-1]
        image = axis.specgram(
            audio.mean(axis=0) + 1e-12,
            NFFT=size,
            Fs=rate,
            noverlap=3 * size // 4,
            window=window * (2 / window.sum()) * np.sqrt((window**2).sum()),
            scale_by_freq=False,
            mode="psd",
            cmap="magma",
            vmin=RANGE_DB[0],
            vmax=RANGE_DB[1],
        )[3]
        axis.axhline(SAMPLE_RATE_IN / 2, color="white", linewidth=0.8, linestyle="--", alpha=0.7)
        axis.set_facecolor("black")
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
