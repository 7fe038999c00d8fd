"""Training of a network: resumable, and every batch is reproducible."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from models.data.corpus import Corpus, Mixture, find_audio, training_batch
from models.data.degrade import Degrader
from models.data.prefetch import batches
from models.errors import ConfigError, TrainingError
from models.evaluation.validation import Validation
from models.networks.registry import NETWORKS
from models.training.config import TrainConfig
from models.training.distributed import World, world_of_torchrun
from models.training.log import Log
from models.training.loop import BEST, CHECKPOINT, Loop
from models.training.signals import StopRequest, stop_request
from models.training.trainer import Trainer

# torch's messages for lack of memory on CPUs; on GPUs it raises OutOfMemoryError.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def train(
    config: TrainConfig, *, report: Callable[[str], None] = print, progress: bool = False
) -> Path:
    """Train a network, or continue from the checkpoint in the run's folder.

    The folder gets ``checkpoint.pt`` (to continue from), ``best.pt`` (lowest validation LSD),
    ``log.jsonl`` (one object per validation), ``curves.png`` and TensorBoard's events. A training
    that is stopped and continued has the same batches and losses as one without a stop. Under
    ``torchrun`` each process takes a share of every batch.

    Args:
        config: see :class:`models.training.config.TrainConfig`.
        report: called with one line of progress at a time.
        progress: whether to show a bar if stderr is a terminal.

    Returns:
        The checkpoint with the lowest validation LSD.

    Raises:
        ConfigError: if the device is missing, or the run's folder cannot be made.
        DataError: if there is no usable audio, or the log cannot be written.
        CheckpointError: if the checkpoint has another network or other recordings, or cannot be
            written.
        TrainingError: if memory is short or the training diverges.
        TrainingStopped: on Ctrl-C or SIGTERM; the message says how to continue.
    """
    with world_of_torchrun(config.run.device) as world, stop_request() as stop:
        if config.run.batch_size % world.size:
            raise ConfigError(
                f"run.batch_size ({config.run.batch_size}) must be a multiple of the "
                f"{world.size} processes"
            )
        if not world.is_main_process:
            report, progress = (lambda _line: None), False
        try:
            return _train(config, world, stop, report, progress)
        except (MemoryError, RuntimeError) as error:
            is_memory_error = isinstance(error, MemoryError | torch.OutOfMemoryError)
            if not is_memory_error and not any(text in str(error) for text in NO_MEMORY):
                raise
            raise TrainingError(
                f"out of memory with run.batch_size {config.run.batch_size}, network.width "
                f"{config.network.width}: reduce one of them, or data.segment_samples"
            ) from error


def _train(
    config: TrainConfig,
    world: World,
    stop: StopRequest,
    report: Callable[[str], None],
    progress: bool,
) -> Path:
    run, data = config.run, config.data
    folder = Path(run.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"run.folder: cannot make {folder}: {error.strerror}") from error
    corpus: Corpus | Mixture
    corpus = main = Corpus.of(find_audio(Path(data.train)))
    if data.also:
        corpus = Mixture(main, Corpus.of(find_audio(Path(data.also))), data.also_share)
    trainer = Trainer(config, world=world, data=corpus.fingerprint)
    if (folder / CHECKPOINT).exists():
        trainer.resume(folder / CHECKPOINT)
        report(f"continuing from step {trainer.step}")
    front_end = NETWORKS[config.network.kind].front_end
    degrader = Degrader(
        data.segment_samples,
        random=data.degradation == "random",
        front_end=front_end,
        pool=data.pool,
        variety=data.variety,
        air_db=data.air_db,
    )

    def batch_of(step: int) -> tuple[Tensor, Tensor]:
        return training_batch(
            corpus,
            degrader,
            batch_size=run.batch_size // world.size,
            seed=run.seed,
            step=step,
            rank=world.rank,
            tones_share=data.tones_share,
        )

    validation = Validation(Path(data.validation), data.validation_clips, front_end=front_end)
    report(f"{corpus.seconds / 60:.1f} minutes of audio, {len(validation.pairs)} validation clips")
    log = None
    if world.is_main_process:
        log = Log(folder, step=trainer.step, tensorboard=run.tensorboard, report=report)
    bar = tqdm(
        total=run.steps,
        initial=trainer.step,
        unit="step",
        # None: no bar if stderr is not a terminal.
        disable=None if progress else True,
        dynamic_ncols=True,
    )
    try:
        with (
            batches(batch_of, first=trainer.step, end=run.steps, threads=run.loaders) as source,
            bar,
        ):
            Loop(trainer, source, validation, log, stop, bar, report).run()
    finally:
        if log:
            log.close()
    return folder / BEST
