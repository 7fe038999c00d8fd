"""The scores of an evaluation: per clip, their means, and confidence intervals."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats

from models.errors import writing
from models.evaluation.levels import level_errors
from models.evaluation.methods import Method
from models.evaluation.metrics import Audio, score
from models.evaluation.validation import rounded_means


def clip_scores(
    reference: Audio, estimate: Audio, visqol: Callable[[Audio, Audio], float] | None
) -> dict[str, float]:
    """All measures of a clip, ``[T]`` each; NaN for ViSQOL if there is none.

    Raises:
        ValueError: see :func:`models.evaluation.metrics.score`.
    """
    row = score(reference, estimate) | level_errors(reference, estimate)
    return row | {"visqol": visqol(reference, estimate) if visqol else float("nan")}


@dataclass
class Evaluation:
    """Every method's scores on every clip.

    Attributes:
        data: the folder.
        methods: in the order of the table, kaiser_fast first.
        networks: the methods that are networks.
        paths: of the scored clips.
        lengths_s: of the scored clips, in seconds.
        clips: per method the measures of every clip, and ``computing_s``.
        robustness: rows of :func:`models.evaluation.robustness.robustness`, or None.
        ladder: rows of :func:`models.evaluation.ladder.ladder_rows`.
    """

    data: Path
    methods: list[Method]
    networks: list[Method]
    paths: list[Path] = field(default_factory=list)
    lengths_s: list[float] = field(default_factory=list)
    clips: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    robustness: list[dict[str, Any]] | None = None
    ladder: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The result of :func:`models.evaluation.evaluate.evaluate`."""
        seconds = sum(self.lengths_s)
        result: dict[str, Any] = {
            "data": str(self.data),
            "clips": len(self.paths),
            "seconds": round(seconds, 3),
            "device": self.networks[0].device if self.networks else "cpu",
            "threads": self.networks[0].threads if self.networks else 1,
            "rows": [_row(name, clips, seconds) for name, clips in self.clips.items()],
            "intervals": [_intervals(name, clips) for name, clips in self.clips.items()],
        }
        if self.robustness is not None:
            result["robustness"] = self.robustness
        if self.ladder:
            result["ladder"] = self.ladder
        return result

    def write_csv(self, target: Path) -> None:
        """Write one line per method and clip.

        Raises:
            DataError: if it cannot be written.
        """
        measures = list(self.clips[self.methods[0].name][0])
        with writing(target), target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["clip", "seconds", "method", *measures])
            for name, clips in self.clips.items():
                for path, length_s, clip in zip(self.paths, self.lengths_s, clips, strict=True):
                    figures = ["" if np.isnan(v) else f"{v:.6g}" for v in clip.values()]
                    shown = path.relative_to(self.data).as_posix()
                    writer.writerow([shown, f"{length_s:.3f}", name, *figures])


def _row(name: str, clips: list[dict[str, float]], seconds: float) -> dict[str, Any]:
    row = {"method": name} | rounded_means(clips, [key for key in clips[0] if key != "computing_s"])
    row["real_time_ratio"] = round(seconds / sum(clip["computing_s"] for clip in clips), 2)
    return row


def _intervals(name: str, clips: list[dict[str, float]]) -> dict[str, Any]:
    """Half-widths of the 95 % confidence intervals of the means (Student's t)."""
    row: dict[str, Any] = {"method": name}
    for key in clips[0]:
        if key == "computing_s":
            continue
        values = np.array([c[key] for c in clips if not np.isnan(c[key])])
        row[key] = None
        if len(values) > 1:
            width = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values)
            row[key] = round(float(width), 4)
    return row
