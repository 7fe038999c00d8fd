"""Plots of trainings and spectrograms as PNG; matplotlib without a window."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.evaluation.metrics import HOP, MEASURES, Audio, power_spectrogram
from realtime.sample_rates import SAMPLE_RATE_OUT

# A full-scale tone is at about 114 dB; BOTTOM_DB and below are black.
TOP_DB, BOTTOM_DB = 60.0, -60.0
DOTS_PER_INCH = 90

# Measures that get an axis each, after the losses.
PLOTTED = {key: MEASURES[key] for key in ("lsd", "lsd_act", "snr_db")}
COLUMNS = 3


def figure(width: float, height: float) -> Any:
    """An empty figure without a window; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def png(made: Any) -> bytes:
    """A figure as PNG."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png")
    return buffer.getvalue()


def spectrogram_grid(rows: Mapping[str, Mapping[str, Audio]], *, title: str = "") -> Any:
    """A figure with a row of spectrograms at 44.1 kHz per name, all on the same colour scale."""
    columns = max(len(clips) for clips in rows.values())
    made = figure(4.2 * columns, 3.2 * len(rows))
    axes = made.subplots(len(rows), columns, squeeze=False)
    for line, (row, clips) in zip(axes, rows.items(), strict=True):
        for axis, (name, audio) in zip(line, clips.items(), strict=True):
            _draw_spectrogram(axis, audio)
            axis.set(title=name, xlabel="seconds")
        line[0].set_ylabel(f"{row}, kHz" if row else "kHz")
    if title:
        made.suptitle(title)
    return made


def _draw_spectrogram(axis: Any, audio: Audio) -> None:
    power_db = 10 * np.log10(np.maximum(power_spectrogram(audio), 1e-12))
    axis.imshow(
        power_db.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=BOTTOM_DB,
        vmax=TOP_DB,
        extent=(0, len(power_db) * HOP / SAMPLE_RATE_OUT, 0, SAMPLE_RATE_OUT / 2_000),
    )
    axis.axhline(11.025, color="white", linewidth=0.5, alpha=0.6)


def curves(rows: Sequence[Mapping[str, float]]) -> Any:
    """A figure with the curves of a training's log: all losses, and some measures."""
    keys = dict.fromkeys(key for row in rows for key in row)
    names = [k.removeprefix("train/") for k in keys if k.startswith("train/")]
    losses = [name for name in names if name != "network_share"]
    titles = {loss: loss.replace("_", " ") for loss in losses} | PLOTTED
    made = figure(11.0, 3.0 * -(-len(titles) // COLUMNS))
    axes = made.subplots(-(-len(titles) // COLUMNS), COLUMNS, squeeze=False).flat
    steps = [row["step"] for row in rows]
    for axis, (key, title) in zip(axes, titles.items(), strict=False):
        for kind in (f"train/{key}", f"val/loss/{key}", f"val/{key}"):
            if kind in keys:
                label = kind.split("/")[0].replace("val", "validation")
                axis.plot(steps, [row.get(kind, np.nan) for row in rows], label=label, marker=".")
        axis.set(title=title, xlabel="step")
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend()
    return made
