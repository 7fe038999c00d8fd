"""Training of a network: one function, resumable, batch by batch reproducible."""

import functools
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from models.data.corpus import Corpus, Mixture, training_batch
from models.data.degrade import Degrader
from models.data.prefetch import batches
from models.errors import ConfigError, TrainingError
from models.evaluation.validation import Validation
from models.networks.registry import NETWORKS
from models.training.config import DataConfig, TrainConfig
from models.training.distributed import World, world_of_torchrun
from models.training.log import Journal
from models.training.loop import BEST, CHECKPOINT, Loop
from models.training.signals import StopRequest, stop_request
from models.training.trainer import Trainer

# How torch says on a processor that memory is short; on GPUs it has an exception of its own.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def train(
    config: TrainConfig, *, report: Callable[[str], None] = print, progress: bool = False
) -> Path:
    """Train, or go on with a training whose checkpoint lies in the run's folder.

    The folder gets ``checkpoint.pt`` (to go on from), ``best.pt`` (lowest validation LSD),
    ``log.jsonl`` (one object per validation), ``curves.png`` and TensorBoard's events. Stopped at
    any time and started again, a training sees the same batches and losses as one that was never
    stopped. Started by ``torchrun`` in several processes, each takes a share of every batch.

    Args:
        config: see :class:`models.training.config.TrainConfig`.
        report: called with one line of progress at a time.
        progress: whether to show a bar where the output is a terminal.

    Returns:
        The checkpoint with the lowest validation LSD.

    Raises:
        ConfigError: if there is no such device, or the run's folder cannot be made.
        DataError: if there is no usable audio, or the disk does not take the log.
        CheckpointError: if the run's folder holds the checkpoint of another network or corpus, or
            the disk does not take one.
        TrainingError: if memory is short or the training diverges.
        TrainingStopped: if somebody stopped it; the message says how to go on.
    """
    with world_of_torchrun(config.run.device) as world, stop_request() as stop:
        if config.run.batch_size % world.size:
            raise ConfigError(
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
            raise TrainingError(
                f"out of memory with run.batch_size {config.run.batch_size}, network.width "
                f"{config.network.width}: less of one of them, or of data.segment_samples, may do"
            ) from error


def _quiet(_line: str) -> None:
    """Say nothing."""


def _corpus(config: DataConfig) -> Corpus | Mixture:
    corpus = Corpus.read(Path(config.train))
    if not config.also:
        return corpus
    return Mixture(corpus, Corpus.read(Path(config.also)), config.also_share)


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
        raise ConfigError(f"run.folder: cannot make {folder}: {error.strerror}") from error
    corpus = _corpus(config.data)
    trainer = Trainer(config, world=world, data=corpus.fingerprint)
    if (folder / CHECKPOINT).exists():
        trainer.resume(folder / CHECKPOINT)
        report(f"going on from step {trainer.step}")
    front_end = NETWORKS[config.network.kind].front_end
    degrader = Degrader(
        config.data.segment_samples,
        random=config.data.degradation == "random",
        front_end=front_end,
        pool=config.data.pool,
        variety=config.data.variety,
        air_db=config.data.air_db,
    )
    make = functools.partial(
        training_batch,
        corpus,
        degrader,
        batch_size=config.run.batch_size // world.size,
        seed=config.run.seed,
        rank=world.rank,
        tones_share=config.data.tones_share,
    )
    validation = Validation(
        Path(config.data.validation), config.data.validation_clips, front_end=front_end
    )
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
            loop = Loop(trainer, source, validation, journal, stop, bar, report)
            loop.run()
    finally:
        if journal:
            journal.close()
    return folder / BEST
