"""Restores files and folders of files, faster than real time, with the live path's processors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from realtime.dsp.chain import Chain
from realtime.dsp.processor import Audio
from realtime.errors import AudioFileError, error_line
from realtime.files.audio_file import (
    SUFFIXES,
    check_output,
    read_audio,
    unfinished_note,
    write_audio,
)
from realtime.inference.load import LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo
from realtime.inference.tuning import Requested

# Long blocks waste little time on context: the window of a U-Net has 34 304 samples.
BLOCK_SAMPLES = 32_768


def render(
    chain: Chain,
    x: Audio,
    *,
    block_samples: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Audio:
    """Process a whole signal with a prepared chain, and remove the latency.

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
    if not source.exists():
        raise AudioFileError(f"there is no file or folder {source}")
    if target.is_dir():
        target = target / source.with_suffix(".wav").name
    check_output(target)
    if target.exists() and target.samefile(source):
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
    """Restores files with one model; loads it once for mono and once for stereo."""

    def __init__(self, info: ModelInfo, **requested: Unpack[Requested]) -> None:
        self._info = info
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
        chain = self.load(len(x)).chain
        try:
            return render(chain, x, block_samples=BLOCK_SAMPLES, progress=progress)
        except RuntimeError as error:
            # A file can begin again on the CPU if a GPU was lost.
            if not chain.paths[0].use_backup(error_line(error)):
                raise
            return render(chain, x, block_samples=BLOCK_SAMPLES, progress=progress)

    def file(self, job: Job, *, progress: Callable[[float], None] = lambda _: None) -> str:
        """Restore one file.

        Returns:
            One line for the user; usually empty.

        Raises:
            AudioFileError: if a file cannot be read or written.
        """
        audio = read_audio(job.source)
        unfinished = unfinished_note(job.target)
        out = self.samples(audio.samples, progress=progress)
        folder = job.target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioFileError(f"cannot make the folder {folder}: {error.strerror}") from error
        write_audio(job.target, out)
        notice = self.load(len(audio.samples)).notice
        new_notice = notice if notice != self._reported else ""
        self._reported = notice
        return "; ".join(filter(None, [audio.note, unfinished, new_notice]))
