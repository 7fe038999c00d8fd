"""Prepares training data: 44.1 kHz mono FLAC from VCTK, a folder, or a prompt list.

VCTK 0.92 (``wav48_silence_trimmed/p225/p225_001_mic1.flac``) is split by speaker, with the test
speakers of NU-Wave 2, NVSR and AP-BWE. Any other folder is split by a hash of the file names, so
that added files leave the split of the others as it is.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from models.data.corpus import find_audio, read_even, read_mono, read_recording
from models.data.front_end import halved
from models.errors import DataError, writing
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

VCTK_FOLDER = "wav48_silence_trimmed"
TEST_SPEAKERS = frozenset(("p360", "p361", "p362", "p363", "p364", "p374", "p376", "s5"))
# There is no standard choice of validation speakers.
VALIDATION_SPEAKERS = frozenset(("p345", "p347", "p351"))

SPLITS = ("train", "validation", "test")
# Of folders that are not VCTK, in percent.
VALIDATION_SHARE, TEST_SHARE = 5, 5

LOW_FOLDER = "low"


@dataclass(frozen=True)
class Item:
    """One recording to prepare.

    Attributes:
        source: the file to read.
        split: ``train``, ``validation`` or ``test``.
        name: path of the result in the split's folder, with the suffix .flac.
        low: an existing 22.05 kHz version; None to make one if ``prepare`` is asked to.
    """

    source: Path
    split: str
    name: Path
    low: Path | None = None


def plan(source: Path) -> list[Item]:
    """The recordings of a folder, or of a prompt list as in the thesis (docs/thesis.md).

    Raises:
        DataError: if there are none, or a line of the list is malformed.
    """
    if source.is_file():
        return _plan_list(source)
    folder = source if source.name == VCTK_FOLDER else source / VCTK_FOLDER
    if folder.is_dir():
        return _plan_vctk(folder)
    items = []
    for path in find_audio(source):
        name = path.relative_to(source)
        items.append(Item(path, _split_of_name(name.as_posix()), name.with_suffix(".flac")))
    return _distinct(items)


def _plan_vctk(folder: Path) -> list[Item]:
    # Both microphones recorded the same sentences, and p280 and p315 have no mic2.
    paths = sorted(folder.glob("*/*_mic1.flac"))
    if not paths:
        raise DataError(f"no */*_mic1.flac in {folder}")
    items = []
    for path in paths:
        speaker = path.parent.name
        split = "test" if speaker in TEST_SPEAKERS else "train"
        split = "validation" if speaker in VALIDATION_SPEAKERS else split
        items.append(Item(path, split, Path(speaker) / path.name))
    return items


def _plan_list(path: Path) -> list[Item]:
    """One ``44k path|22k path`` per line. The list's name tells the split; default: train."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the list {path}") from error
    stem = path.stem.lower()
    split = "validation" if "val" in stem else "test" if "test" in stem else "train"
    items = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 2 or not all(parts):
            raise DataError(f"{path}, line {number}: not '44k path|22k path': {line!r}")
        high, low = (path.parent / part for part in parts)
        if not high.is_file():
            raise DataError(f"{path}, line {number}: there is no file {high}")
        name = Path(high.parent.name) / high.with_suffix(".flac").name
        items.append(Item(high, split, name, low if low.is_file() else None))
    if not items:
        raise DataError(f"{path} lists no recordings")
    return _distinct(items)


def _split_of_name(name: str) -> str:
    # A hash: an added file must not move others to another split.
    percent = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest()) % 100
    if percent < TEST_SHARE:
        return "test"
    return "validation" if percent < TEST_SHARE + VALIDATION_SHARE else "train"


def _distinct(items: Sequence[Item]) -> list[Item]:
    """The items, unless two would become the same file, as a.wav and a.mp3 would."""
    seen: dict[tuple[str, Path], Path] = {}
    for item in items:
        key = (item.split, item.name)
        if key in seen:
            raise DataError(f"{seen[key]} and {item.source} would both become {item.name}")
        seen[key] = item.source
    return list(items)


def prepare(
    source: Path,
    target: Path,
    *,
    low: bool = False,
    report: Callable[[str], None] = print,
    progress: bool = False,
) -> dict[str, int]:
    """Write the recordings that training and evaluation read; existing files are kept.

    ``target`` gets ``train``, ``validation`` and ``test`` with 44.1 kHz mono 16-bit FLAC at the
    stored level. With ``low`` it also gets ``low/train`` and so on, with 22.05 kHz versions by
    resampy kaiser_best, and the prompt lists ``train.txt`` and so on, with a line
    ``44k path|22k path`` per recording. Recordings below 44.1 kHz and unreadable ones are
    reported and skipped.

    Args:
        source: VCTK 0.92, any folder of recordings, or a prompt list.
        target: the folder to fill.
        low: whether to write 22.05 kHz versions and prompt lists.
        report: called with a line at a time.
        progress: whether to show a bar if stderr is a terminal.

    Returns:
        The number of recordings of each split.

    Raises:
        DataError: if there is no usable recording, or the target cannot be written.
    """
    done: list[Item] = []
    for item in tqdm(plan(source), unit="file", disable=None if progress else True):
        try:
            _prepare_one(item, target, low=low)
        except DataError as error:
            report(f"left out: {error}")
            continue
        except OSError as error:
            raise DataError(f"cannot write in {target}: {error.strerror}") from error
        done.append(item)
    if not done:
        raise DataError(f"no recording in {source} can be used")
    if low:
        _write_lists(done, target)
    counts = {split: sum(item.split == split for item in done) for split in SPLITS}
    report(", ".join(f"{split}: {count}" for split, count in counts.items()))
    return counts


def _prepare_one(item: Item, target: Path, *, low: bool) -> None:
    high_path = target / item.split / item.name
    low_path = target / LOW_FOLDER / item.split / item.name
    if not high_path.exists():
        _write_whole(high_path, read_recording(item.source), SAMPLE_RATE_OUT)
    if low and not low_path.exists():
        # Downsample the written file, because the source may have another rate.
        if item.low:
            audio, rate = read_mono(item.low)
            if rate != SAMPLE_RATE_IN:
                raise DataError(f"{item.low} has {rate} Hz, not 22050")
        else:
            audio = halved(read_even(high_path))
        _write_whole(low_path, audio, SAMPLE_RATE_IN)


def _write_whole(path: Path, audio: np.ndarray, rate: int) -> None:
    """Write a file atomically, because existing files are kept.

    Samples beyond full scale, from resampling, are clipped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    try:
        soundfile.write(temporary, np.clip(audio, -1.0, 1.0), rate, format="FLAC", subtype="PCM_16")
        os.replace(temporary, path)  # noqa: PTH105 - one system call, both names in one folder
    except soundfile.LibsndfileError as error:
        raise OSError(0, str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _write_lists(items: Sequence[Item], target: Path) -> None:
    for split in SPLITS:
        names = [item.name.as_posix() for item in items if item.split == split]
        lines = [f"{split}/{name}|{LOW_FOLDER}/{split}/{name}\n" for name in names]
        path = target / f"{split}.txt"
        with writing(path):
            path.write_text("".join(lines), encoding="utf-8")
