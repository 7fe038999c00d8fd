"""The training loop: steps, validations and checkpoints until the last step or a stop request."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.data.prefetch import Batch
from models.evaluation.validation import Validation
from models.training.checkpoint import save_atomically
from models.training.log import Log
from models.training.signals import StopRequest
from models.training.trainer import Trainer
from realtime.sample_rates import SAMPLE_RATE_OUT

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"
# The best checkpoint from before the adversarial phase.
REGRESSION = "regression.pt"


class TrainingStopped(Exception):  # noqa: N818 - not an error: the user asked for it
    """A signal stopped the training; the checkpoint is written."""


class _ValidationAborted(Exception):  # noqa: N818 - not an error: the user asked for it
    """A stop request came during a validation."""


@dataclass
class Loop:
    """The loop of a training; ``log`` is None in all processes but the main one."""

    trainer: Trainer
    source: Iterator[Batch]
    validation: Validation
    log: Log | None
    stop: StopRequest
    bar: Any
    report: Callable[[str], None]

    def __post_init__(self) -> None:
        self.run_config = self.trainer.config.run
        self.folder = Path(self.run_config.folder)
        self.started = time.monotonic() - self.trainer.seconds

    def run(self) -> None:
        """Train to the last step.

        Raises:
            TrainingStopped: on a stop request; the checkpoint is written.
            TrainingError: if the training diverges.
            CheckpointError, DataError: if a file cannot be written.
        """
        trainer, run = self.trainer, self.run_config
        while True:
            # A training that was stopped during a validation starts with it.
            due = trainer.step % run.validate_every == 0 or trainer.step >= run.steps
            if due and trainer.step_logs:
                self._validate()
            if trainer.step >= run.steps:
                return
            if run.patience and trainer.validations_without_improvement >= run.patience:
                criterion = trainer.criterion.replace("_", " ")
                self.report(
                    f"no lower {criterion} in {run.patience} validations: finished "
                    f"at step {trainer.step}"
                )
                return
            if trainer.world.largest(int(self.stop.requested), trainer.device):
                self._stop()
            self._step()

    def _step(self) -> None:
        self._keep_regression()
        begin = time.perf_counter()
        x, y = next(self.source)
        loaded = time.perf_counter()
        row = self.trainer.train_on(x, y)
        end = time.perf_counter()
        # The rest of the time is spent waiting for the batch.
        row["network_share"] = (end - loaded) / (end - begin)
        self.trainer.step_logs.append(row)
        audio_s = self.run_config.batch_size * y.shape[2] / SAMPLE_RATE_OUT
        self.bar.set_postfix_str(
            f"loss {row['total']:.3f}, {audio_s / (end - begin):.1f} s of audio/s", refresh=False
        )
        self.bar.update()

    def _keep_regression(self) -> None:
        """Copy the best checkpoint before the adversarial phase begins."""
        adversarial = self.trainer.config.adversarial
        if adversarial and self.trainer.step == adversarial.start_step and self.log:
            best = self.folder / BEST
            if best.exists():
                shutil.copyfile(best, self.folder / REGRESSION)

    def _validate(self) -> None:
        trainer = self.trainer
        is_main = trainer.world.is_main_process
        measures: dict[str, float] = {}
        aborted = False
        if is_main:
            try:
                measures = self.validation(
                    trainer.evaluated_network,
                    trainer.validation_objective,
                    trainer.device,
                    between=self._abort_if_requested,
                )
            except _ValidationAborted:
                aborted = True
        if trainer.world.largest(int(aborted), trainer.device):
            self._stop()
        rows = trainer.step_logs
        row: dict[str, float] = {"step": trainer.step, "seconds": time.monotonic() - self.started}
        # Steps before the adversarial phase have fewer keys than steps in it.
        for key in dict.fromkeys(key for r in rows for key in r):
            values = [r[key] for r in rows if key in r]
            row[f"train/{key}"] = sum(values) / len(values)
        row |= {f"val/{k}": v for k, v in measures.items()}
        better = is_main and trainer.add_validation(row)
        # All processes take over the count of the main one, which alone validates.
        count = trainer.validations_without_improvement if is_main else 0
        trainer.validations_without_improvement = trainer.world.largest(count, trainer.device)
        trainer.step_logs = []
        trainer.seconds = row["seconds"]
        if self.log:
            self._write(row, self.log, better=better)

    def _write(self, row: dict[str, float], log: Log, *, better: bool) -> None:
        trainer = self.trainer
        log.add(row)
        log.add_clip(
            trainer.evaluated_network, self.validation.pairs[0], trainer.device, trainer.step
        )
        state = trainer.state()
        save_atomically(state, self.folder / CHECKPOINT)
        if better:
            save_atomically(state, self.folder / BEST)
        self.bar.clear()
        self.report(
            f"step {trainer.step}  loss {row['train/total']:.4f}  val LSD {row['val/lsd']:.4f}  "
            f"SNR {row['val/snr_db']:.2f} dB  {row['seconds']:.0f} s"
        )
        self.bar.refresh()

    def _abort_if_requested(self) -> None:
        if self.stop.requested:
            raise _ValidationAborted

    def _stop(self) -> None:
        """Write the checkpoint and leave the loop."""
        trainer = self.trainer
        trainer.seconds = time.monotonic() - self.started
        if self.log:
            save_atomically(trainer.state(), self.folder / CHECKPOINT)
        raise TrainingStopped(
            f"stopped at step {trainer.step}; the same command continues from there"
        )
