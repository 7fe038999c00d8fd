"""Restores files and folders of files, faster than real time, with the live path's processors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, Unpack

import numpy as np

from realtime.dsp.processor import Audio, Processor
from realtime.errors import AudioFileError, error_line
from realtime.files.audio_file import (
    SUFFIXES,
    OpenAudio,
    check_output,
    is_stream,
    open_audio,
    open_output,
    unfinished_note,
    write_frames,
)
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo
from realtime.inference.restorer import Restorer
from realtime.inference.tuning import Requested

T = TypeVar("T")

# Long blocks waste little time on context: the window of a U-Net has 34 304 samples.
BLOCK_SAMPLES = 32_768


def render(
    chain: Processor,
    x: Audio,
    *,
    block_samples: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Audio:
    """Process a whole signal with a prepared chain or processor, and remove the latency.

    Args:
        chain: prepared for blocks of ``block_samples // 2`` input samples.
        x: at 22.05 kHz.
        block_samples: output samples per block.
        progress: called with the finished share, 0 to 1.

    Shape:
        - Input: ``[C, n]``
        - Output: ``[C, 2 n]``
    """
    chain.reset()
    needed = chain.latency_samples + 2 * x.shape[1]
    out = np.empty((len(x), needed), np.float32)
    for done in range(0, needed, block_samples):
        block = x[:, done // 2 : (done + block_samples) // 2]
        # Silence after the end, until all delayed samples are out.
        missing = block_samples // 2 - block.shape[1]
        y = chain.process(np.pad(block, ((0, 0), (0, missing))))
        end = min(done + block_samples, needed)
        out[:, done:end] = y[:, : end - done]
        progress(end / needed)
    return out[:, chain.latency_samples :]


@dataclass(frozen=True)
class Job:
    """One file to read and one to write."""

    source: Path
    target: Path


def plan_jobs(source: Path, target: Path) -> list[Job]:
    """The jobs of ``enhance IN OUT``: one file, or every audio file below a folder.

    The files of a folder keep their place below the target folder and become WAV files.

    Raises:
        AudioFileError: if there is nothing to read, or the target cannot be used.
    """
    try:
        return _plan_folder(source, target) if source.is_dir() else [_plan_file(source, target)]
    except OSError as error:
        raise AudioFileError(f"cannot use {source} and {target}: {error.strerror}") from error


def _plan_file(source: Path, target: Path) -> Job:
    if not source.exists() and not is_stream(source):
        raise AudioFileError(f"there is no file or folder {source}")
    if target.is_dir():
        target = target / source.with_suffix(".wav").name
    check_output(target)
    if not is_stream(target) and target.exists() and target.samefile(source):
        raise AudioFileError(f"{target} is the input; choose another name for the output")
    return Job(source, target)


def _plan_folder(source: Path, target: Path) -> list[Job]:
    if target.exists() and not target.is_dir():
        raise AudioFileError(f"{target} is a file; a folder of files needs a folder to go to")
    source_path, target_path = source.resolve(), target.resolve()
    if target_path == source_path:
        raise AudioFileError(f"{target} is the input; choose another folder for the output")
    paths = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if source_path in target_path.parents:
        # The results of an earlier run are no input.
        paths = [p for p in paths if target_path not in p.resolve().parents]
    if not paths:
        raise AudioFileError(f"there are no audio files in {source}")
    jobs = [Job(p, target / p.relative_to(source).with_suffix(".wav")) for p in paths]
    sources: dict[Path, Path] = {}
    inputs = {p.resolve() for p in paths}
    for job in jobs:
        other = sources.setdefault(job.target, job.source)
        if other != job.source:
            raise AudioFileError(f"{other} and {job.source} would both become {job.target}")
        if job.target.resolve() in inputs:
            raise AudioFileError(f"{job.target} is an input; choose another folder for the output")
    return jobs


class Enhancer:
    """Restores files with one model; loads it once for mono and once for stereo.

    Args:
        info: the model.
        output_rate: of files, in Hz; None: see :class:`realtime.inference.restorer.Restorer`.
        force: restore also files that have their octave.
        requested: device, threads and dtype.
    """

    def __init__(
        self,
        info: ModelInfo,
        *,
        output_rate: int | None = None,
        force: bool = False,
        **requested: Unpack[Requested],
    ) -> None:
        self._info = info
        self._output_rate, self._force = output_rate, force
        self._requested = requested
        self._loaded: dict[int, LoadedChain] = {}
        self._reported = ""

    def load(self, channels: int) -> LoadedChain:
        """The chain for mono or stereo, loaded on first use."""
        if channels not in self._loaded:
            self._loaded[channels] = load_chain(
                self._info,
                block_samples=BLOCK_SAMPLES,
                channels=channels,
                paced=False,
                **self._requested,
            )
        return self._loaded[channels]

    def samples(self, x: Audio, *, progress: Callable[[float], None] = lambda _: None) -> Audio:
        """Restore a signal.

        Shape:
            - Input: ``[C, n]`` at 22.05 kHz, one or two channels
            - Output: ``[C, 2 n]`` at 44.1 kHz, aligned with the input
        """
        loaded = self.load(len(x))
        render_all = partial(
            render, loaded.chain, x, block_samples=BLOCK_SAMPLES, progress=progress
        )
        return _also_without_gpu(loaded, render_all)

    def file(self, job: Job, *, progress: Callable[[float], None] = lambda _: None) -> str:
        """Restore one file.

        Returns:
            One line for the user; usually empty.

        Raises:
            AudioFileError: if a file cannot be read or written.
        """
        unfinished = unfinished_note(job.target)
        with open_audio(job.source) as audio:
            channels = audio.file.channels
            loaded = self.load(channels)
            restorer = Restorer(
                loaded,
                sample_rate=audio.file.samplerate,
                output_rate=self._output_rate,
                channels=channels,
                force=self._force,
            )
            out = _also_without_gpu(loaded, lambda: list(_restored(audio, restorer, progress)))
        folder = job.target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioFileError(f"cannot make the folder {folder}: {error.strerror}") from error
        with open_output(job.target, channels=channels, sample_rate=restorer.output_rate) as file:
            for block in out:
                write_frames(file, block.T)
        new_notice = loaded.notice if loaded.notice != self._reported else ""
        self._reported = loaded.notice
        about = restorer.about and f"{job.source.name}: {restorer.about}"
        return "; ".join(filter(None, [about, unfinished, new_notice]))


def _also_without_gpu(loaded: LoadedChain, work: Callable[[], T]) -> T:
    """The result of work that begins again on the CPU if a GPU was lost."""
    try:
        return work()
    except RuntimeError as error:
        if not loaded.chain.paths[0].use_backup(error_line(error)):
            raise
        return work()


def _restored(
    audio: OpenAudio, restorer: Restorer, progress: Callable[[float], None]
) -> Iterator[Audio]:
    """The blocks of a file, restored, ``[C, n]``."""
    restorer.reset()
    done = 0
    for block in audio.blocks():
        for begin in range(0, len(block), BLOCK_SAMPLES // 2):
            part = block[begin : begin + BLOCK_SAMPLES // 2]
            yield restorer.process(np.ascontiguousarray(part.T))
            done += len(part)
            progress(done / audio.file.frames)
    yield restorer.flush()
