"""The log of a training: ``log.jsonl``, curves, and TensorBoard."""

import json
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.data.front_end import kaiser_fast
from models.errors import writing
from models.evaluation.metrics import Audio
from models.evaluation.plots import curves, png, spectrogram_grid
from models.evaluation.validation import estimate_of
from realtime.sample_rates import SAMPLE_RATE_OUT

LOG = "log.jsonl"
CURVES = "curves.png"
# Drawing takes nearly a second.
DRAW_EVERY_S = 60.0


def read_log(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's log; incomplete lines, left by a crash, are skipped."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    rows: list[dict[str, float]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "step" in row:
            rows.append(row)
    return rows


def _summary_writer(folder: Path) -> Any:
    with warnings.catch_warnings():
        # TensorBoard's own imports warn; users can do nothing about it.
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder))


class Log:
    """Writes a run's log, curves and TensorBoard events.

    Args:
        folder: of the run.
        step: where the training continues; later rows, of an interrupted run, are removed.
        tensorboard: whether to write events for TensorBoard.
        report: called with a line if TensorBoard is missing.

    Raises:
        DataError: if the log cannot be written.
    """

    def __init__(
        self, folder: Path, *, step: int, tensorboard: bool, report: Callable[[str], None]
    ) -> None:
        self._folder = folder
        rows = read_log(folder)
        self.rows = [row for row in rows if row["step"] <= step]
        if len(self.rows) < len(rows):
            self._write("".join(json.dumps(row) + "\n" for row in self.rows), "w")
        self._drawn = time.monotonic()
        self._writer: Any = None
        if tensorboard:
            try:
                self._writer = _summary_writer(folder)
            except ImportError:
                report("TensorBoard is not installed (pip install 'topoctave[train]'): log only")

    def _write(self, text: str, mode: str) -> None:
        path = self._folder / LOG
        with writing(path), path.open(mode, encoding="utf-8") as log:
            log.write(text)

    def add(self, row: Mapping[str, float]) -> None:
        """Add a validation's row to the log, the curves and TensorBoard.

        Raises:
            DataError: if a file cannot be written.
        """
        self.rows.append(dict(row))
        self._write(json.dumps(row) + "\n", "a")
        if time.monotonic() - self._drawn > DRAW_EVERY_S:
            self._draw()
        if self._writer:
            for key, value in row.items():
                if "/" in key:
                    self._writer.add_scalar(key, value, int(row["step"]))
            self._writer.flush()

    def _draw(self) -> None:
        with writing(self._folder / CURVES):
            (self._folder / CURVES).write_bytes(png(curves(self.rows)))
        self._drawn = time.monotonic()

    def add_clip(
        self, network: nn.Module, pair: tuple[Audio, Audio], device: torch.device, step: int
    ) -> None:
        """Add the network's output for a validation clip to TensorBoard: audio and spectrograms."""
        if not self._writer:
            return
        source, reference = pair
        estimate = estimate_of(network, source, device)[0, 0].float().cpu().numpy()
        # The input of a network without front end is at 22.05 kHz.
        dry = source if len(source) == len(reference) else kaiser_fast(source)
        clips = {"kaiser fast": dry, "network": estimate, "recording": reference}
        for name, audio in clips.items():
            tag = f"clip/{name.replace(' ', '_')}"
            self._writer.add_audio(tag, audio[None], step, sample_rate=SAMPLE_RATE_OUT)
        self._writer.add_figure("clip/spectrograms", spectrogram_grid({"": clips}), step)
        self._writer.flush()

    def close(self) -> None:
        """Draw the curves and close TensorBoard's file.

        Raises:
            DataError: if the curves cannot be written.
        """
        if self.rows:
            self._draw()
        if self._writer:
            self._writer.close()
