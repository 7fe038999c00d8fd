"""Training of the U-Net: one function, resumable, batch by batch reproducible."""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from models.checkpoint import save_atomically
from models.config import TrainConfig
from models.data import Corpus, training_batch
from models.degrade import SAMPLE_RATE_HZ, Degrader
from models.distributed import World, world_of_torchrun
from models.interrupt import StopRequest, stop_request
from models.journal import Journal
from models.prefetch import Batches, batches
from models.trainer import Trainer
from models.validation import Validation

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"

# How torch says on a processor that memory is short; on GPUs it has an exception of its own.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


class TrainingStopped(Exception):  # noqa: N818 - no error: somebody wished it
    """Somebody pressed Ctrl-C or ended the process; the checkpoint is written."""


class _Cut(Exception):  # noqa: N818 - leaves a validation
    """A validation is given up, because the training is to stop."""


def train(
    config: TrainConfig, *, report: Callable[[str], None] = print, progress: bool = False
) -> Path:
    """Train, or go on with a training whose checkpoint lies in the run's folder.

    The folder gets ``checkpoint.pt`` (to go on from), ``best.pt`` (lowest validation LSD),
    ``log.jsonl`` (one object per validation), ``curves.png`` and TensorBoard's events. Stopped at
    any time and started again, a training sees the same batches and losses as one that was never
    stopped. Started by ``torchrun`` in several processes, each takes a share of every batch.

    Args:
        config: see :class:`models.config.TrainConfig`.
        report: called with one line of progress at a time.
        progress: whether to show a bar where the output is a terminal.

    Returns:
        The checkpoint with the lowest validation LSD.

    Raises:
        ValueError: if there is no usable audio or device, the run's folder cannot be written or
            holds the checkpoint of another network or corpus, memory or disk are short, or the
            training diverges.
        TrainingStopped: if somebody stopped it; the message says how to go on.
    """
    with world_of_torchrun(config.run.device) as world, stop_request() as stop:
        if config.run.batch_size % world.size:
            raise ValueError(
                f"run.batch_size ({config.run.batch_size}) must be a multiple of the "
                f"{world.size} processes"
            )
        try:
            return _train(config, world, stop, report if world.first else _quiet, progress)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            text = str(error)
            short = not isinstance(error, RuntimeError) or any(t in text for t in NO_MEMORY)
            if not short and not isinstance(error, torch.OutOfMemoryError):
                raise
            raise ValueError(
                f"out of memory with run.batch_size {config.run.batch_size}, network.width "
                f"{config.network.width}: less of one of them, or of data.segment_samples, may do"
            ) from error


def _quiet(_line: str) -> None:
    """Say nothing."""


def _train(
    config: TrainConfig,
    world: World,
    stop: StopRequest,
    report: Callable[[str], None],
    progress: bool,
) -> Path:
    folder = Path(config.run.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"run.folder: cannot make {folder}: {error.strerror}") from error
    corpus = Corpus.read(Path(config.data.train))
    trainer = Trainer(config, world=world, data=corpus.fingerprint)
    if (folder / CHECKPOINT).exists():
        trainer.resume(folder / CHECKPOINT)
        report(f"going on from step {trainer.step}")
    make = functools.partial(
        training_batch,
        corpus,
        Degrader(config.data.segment_samples, random=config.data.degradation == "random"),
        batch_size=config.run.batch_size // world.size,
        seed=config.run.seed,
        rank=world.rank,
    )
    validation = Validation(Path(config.data.validation), config.data.validation_clips)
    report(f"{corpus.seconds / 60:.1f} minutes of audio, {len(validation.pairs)} validation clips")
    journal = None
    if world.first:
        journal = Journal(
            folder, step=trainer.step, tensorboard=config.run.tensorboard, report=report
        )

    def batch_of(step: int) -> tuple[Tensor, Tensor]:
        return make(step=step)

    bar = tqdm(
        total=config.run.steps,
        initial=trainer.step,
        unit="step",
        # None: where the output is no terminal there is no bar.
        disable=None if progress and world.first else True,
        dynamic_ncols=True,
    )
    try:
        with (
            batches(
                batch_of, first=trainer.step, end=config.run.steps, threads=config.run.loaders
            ) as source,
            bar,
        ):
            loop = _Loop(trainer, source, validation, journal, stop, bar, report)
            loop.run()
    finally:
        if journal:
            journal.close()
    return folder / BEST


class _Loop:
    """Steps, validations and checkpoints, until the end or somebody's wish."""

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
        """Train to the end."""
        trainer, run = self.trainer, self.run_config
        while True:
            # A training that was stopped in a validation begins with it.
            due = trainer.step % run.validate_every == 0 or trainer.step >= run.steps
            if due and trainer.pending:
                self._validate()
            if trainer.step >= run.steps:
                return
            if run.patience and trainer.stale >= run.patience:
                self.report(
                    f"no lower spectral convergence in {run.patience} validations: finished "
                    f"at step {trainer.step}"
                )
                return
            if trainer.world.any(self.stop.requested, trainer.device):
                self._stop()
            self._step()

    def _step(self) -> None:
        begin = time.perf_counter()
        x, y = self.source.next()
        loaded = time.perf_counter()
        row = self.trainer.train_on(x, y)
        end = time.perf_counter()
        # The share of the time that is not spent on making batches.
        row["network_share"] = (end - loaded) / (end - begin)
        self.trainer.pending.append(row)
        audio_s = self.run_config.batch_size * x.shape[2] / SAMPLE_RATE_HZ
        self.bar.set_postfix_str(
            f"loss {row['total']:.3f}, {audio_s / (end - begin):.1f} s of audio/s", refresh=False
        )
        self.bar.update()

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
        row |= {f"train/{k}": sum(r[k] for r in rows) / len(rows) for k in rows[0]}
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
