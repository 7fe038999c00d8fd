"""Plots real-time ratio and latency against the block size."""

from pathlib import Path
from typing import Any

from realtime.errors import AudioFileError, SettingsError

# Label and line style of each stage.
STAGES = {
    "streaming": ("streaming", "-o"),
    "windowed": ("overlapping windows", "--s"),
    "stateless": ("plain calls, no state", ":^"),
}

Curve = list[tuple[int, float]]


def best_curves(rows: list[dict[str, Any]], key: str) -> dict[tuple[str, str, str], Curve]:
    """The figure ``key`` of the rows against the block size, by stage, model and device.

    Each block shows its fastest number of threads and format.
    """
    best: dict[tuple[str, str, str], dict[int, dict[str, Any]]] = {}
    for row in rows:
        if row["stage"] in STAGES and None not in (block := row["block"], row[key]):
            held = best.setdefault((row["stage"], row["name"], row["device"]), {})
            held[block] = max(held.get(block, row), row, key=lambda r: r["real_time_ratio"])
    return {k: [(n, held[n][key]) for n in sorted(held)] for k, held in best.items()}


def check_plot_path(path: Path) -> None:
    """Refuse a wrong name before minutes of measuring.

    Raises:
        SettingsError: if it does not end in .png, or its folder is missing.
    """
    if path.suffix.lower() != ".png":
        raise SettingsError(f"--plot must end in .png, got {path}")
    if not path.parent.is_dir():
        raise SettingsError(f"there is no folder {path.parent}")


def plot_bench(result: dict[str, Any], path: Path) -> None:
    """Plot both curves of every model in the object of ``topoctave bench --json`` as PNG.

    Raises:
        AudioFileError: if the file cannot be written.
    """
    # Imported here: matplotlib takes a second to load.
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    figure = Figure(figsize=(11, 4.5), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    panes = (
        (left, "real_time_ratio", "real-time ratio (higher is better)"),
        (right, "latency_ms", "latency of the engine (ms)"),
    )
    # The colour shows model and device, the line style the stage.
    colours: dict[tuple[str, str], str] = {}
    for axis, key, label in panes:
        for series, curve in best_curves(result["rows"], key).items():
            stage, name, device = series
            blocks, values = zip(*curve, strict=True)
            words, style = STAGES[stage]
            text = f"{name}, {words}" + (f", {device}" if device != "cpu" else "")
            colour = colours.setdefault((name, device), f"C{len(colours)}")
            axis.plot(blocks, values, style, color=colour, label=text, lw=1.5, markersize=4)
        # Both grow with the block, in straight lines on these axes.
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.xaxis.set_major_formatter(lambda n, _: f"{n:g}")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(lambda n, _: f"{n:g}")
        axis.set_xlabel("block (output samples)")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    left.axhline(1.0, color="black", linewidth=0.8, label="real time")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8
    )
    figure.suptitle(f"{result['machine']}, torch {result['torch']}", fontsize=10)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise AudioFileError(f"cannot write {path}: {error.strerror}") from error
