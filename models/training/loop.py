"""Steps, validations and checkpoints, until the end or somebody's wish."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.data.prefetch import Batches
from models.evaluation.validation import Validation
from models.training.checkpoint import save_atomically
from models.training.log import Journal
from models.training.signals import StopRequest
from models.training.trainer import Trainer
from realtime.sample_rates import SAMPLE_RATE_OUT

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"
# The best one before an adversarial phase.
REGRESSION = "regression.pt"


class TrainingStopped(Exception):  # noqa: N818 - no error: somebody wished it
    """Somebody pressed Ctrl-C or ended the process; the checkpoint is written."""


class _Cut(Exception):  # noqa: N818 - leaves a validation
    """A validation is given up, because the training is to stop."""


class Loop:
    """The loop of a training.

    Args:
        trainer: what is trained.
        source: where batches come from.
        validation: what it is measured on.
        journal: what people get to see; None in all processes but the first.
        stop: asked before each step and between the clips of a validation.
        bar: of tqdm.
        report: called with one line of progress at a time.
    """

    def __init__(
        self,
        trainer: Trainer,
        source: Batches,
        validation: Validation,
        journal: Journal | None,
        stop: StopRequest,
        bar: Any,
        report: Callable[[str], None],
    ) -> None:
        self.trainer = trainer
        self.source = source
        self.validation = validation
        self.journal = journal
        self.stop = stop
        self.bar = bar
        self.report = report
        self.run_config = trainer.config.run
        self.folder = Path(self.run_config.folder)
        self.started = time.monotonic() - trainer.seconds

    def run(self) -> None:
        """Train to the end.

        Raises:
            TrainingStopped: if somebody wished it; the checkpoint is written.
            TrainingError: if the training diverges.
            CheckpointError, DataError: if the disk does not take what is written.
        """
        trainer, run = self.trainer, self.run_config
        while True:
            # A training that was stopped in a validation begins with it.
            due = trainer.step % run.validate_every == 0 or trainer.step >= run.steps
            if due and trainer.pending:
                self._validate()
            if trainer.step >= run.steps:
                return
            if run.patience and trainer.stale >= run.patience:
                criterion = trainer.criterion.replace("_", " ")
                self.report(
                    f"no lower {criterion} in {run.patience} validations: finished "
                    f"at step {trainer.step}"
                )
                return
            if trainer.world.any(self.stop.requested, trainer.device):
                self._stop()
            self._step()

    def _step(self) -> None:
        self._keep_regression()
        begin = time.perf_counter()
        x, y = self.source.next()
        loaded = time.perf_counter()
        row = self.trainer.train_on(x, y)
        end = time.perf_counter()
        # The share of the time that is not spent on making batches.
        row["network_share"] = (end - loaded) / (end - begin)
        self.trainer.pending.append(row)
        audio_s = self.run_config.batch_size * y.shape[2] / SAMPLE_RATE_OUT
        self.bar.set_postfix_str(
            f"loss {row['total']:.3f}, {audio_s / (end - begin):.1f} s of audio/s", refresh=False
        )
        self.bar.update()

    def _keep_regression(self) -> None:
        """Before discriminators begin, set aside the best network without them."""
        begins = self.trainer.config.adversarial
        if begins and self.trainer.step == begins.start_step and self.journal:
            best = self.folder / BEST
            if best.exists():
                shutil.copyfile(best, self.folder / REGRESSION)

    def _validate(self) -> None:
        trainer = self.trainer
        measures: dict[str, float] = {}
        cut = False
        if trainer.world.first:
            try:
                measures = self.validation(
                    trainer.chosen, trainer.objective_alone, trainer.device, between=self._look
                )
            except _Cut:
                cut = True
        if trainer.world.any(cut, trainer.device):
            self._stop()
        rows = trainer.pending
        row: dict[str, float] = {"step": trainer.step, "seconds": time.monotonic() - self.started}
        # Discriminators may begin between two validations.
        for key in dict.fromkeys(key for r in rows for key in r):
            values = [r[key] for r in rows if key in r]
            row[f"train/{key}"] = sum(values) / len(values)
        row |= {f"val/{k}": v for k, v in measures.items()}
        better = trainer.world.first and trainer.validated(row)
        # Of the first process, which alone validates.
        stale = trainer.stale if trainer.world.first else 0
        trainer.stale = trainer.world.largest(stale, trainer.device)
        trainer.pending = []
        trainer.seconds = row["seconds"]
        if self.journal:
            self._write(row, self.journal, better=better)

    def _write(self, row: dict[str, float], journal: Journal, *, better: bool) -> None:
        trainer = self.trainer
        journal.add(row)
        journal.add_clip(trainer.chosen, self.validation.pairs[0], trainer.device, trainer.step)
        state = trainer.state()
        save_atomically(state, self.folder / CHECKPOINT)
        if better:
            save_atomically(state, self.folder / BEST)
        self._say(
            f"step {trainer.step}  loss {row['train/total']:.4f}  val LSD {row['val/lsd']:.4f}  "
            f"SNR {row['val/snr_db']:.2f} dB  {row['seconds']:.0f} s"
        )

    def _look(self) -> None:
        if self.stop.requested:
            raise _Cut

    def _say(self, line: str) -> None:
        self.bar.clear()
        self.report(line)
        self.bar.refresh()

    def _stop(self) -> None:
        """Write the checkpoint, and leave."""
        trainer = self.trainer
        trainer.seconds = time.monotonic() - self.started
        if self.journal:
            save_atomically(trainer.state(), self.folder / CHECKPOINT)
        raise TrainingStopped(
            f"stopped at step {trainer.step}; the same command goes on from there"
        )
