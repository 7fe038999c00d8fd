"""Exports a checkpoint as a model file: TorchScript with metadata, verified before it is saved."""

import io
import json
import math
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from models.export.exportable import EXPORTABLES, Exportable
from models.export.half_precision import BELOW_ADDED_DB, error_db
from models.export.model_card import model_card
from models.export.pruning import BELOW_ADDED_DB as PRUNE_BELOW_DB
from models.networks.registry import with_kind
from models.training.checkpoint import load_checkpoint, trained_network
from realtime.errors import ModelFileError, SettingsError
from realtime.inference.model_file import METADATA_NAME, read_model_info
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

FORMAT = 1
UNKNOWN = "unknown"

# Allowed difference between trained and exported network, for samples in [-1, 1]: float32 sums in
# another order. It is a third of a 16-bit step.
PARITY = 1e-5
# Lengths of the test signals: blocks, plus samples.
PARITY_LENGTHS = ((8, 0), (31, 5), (0, 70))
# Length of the noise on which 16-bit weights are compared with 32-bit ones.
PROBE_SAMPLES = 16_384
# Blocks of the test stream, in multiples of the smallest block.
PARITY_BLOCKS = (1, 8, 3, 16, 2)

# Corpus and licence, by a part of the recordings' path.
CORPORA = {
    "speech44": ("RAVDESS (Livingstone and Russo 2018)", "CC BY-NC-SA 4.0 (non-commercial)"),
    "ravdess": ("RAVDESS (Livingstone and Russo 2018)", "CC BY-NC-SA 4.0 (non-commercial)"),
    "vctk": ("VCTK (Yamagishi, Veaux and MacDonald 2019)", "CC BY 4.0"),
}


def export(
    checkpoint: Path,
    out: Path,
    *,
    name: str | None = None,
    title: str | None = None,
    licence: str = UNKNOWN,
    trained_on: str = UNKNOWN,
    metrics: Mapping[str, Any] | None = None,
    half: bool = True,
    added_gain_db: float = 0.0,
    prune: Path | None = None,
    prune_below_db: float = PRUNE_BELOW_DB,
) -> dict[str, Any]:
    """Write a checkpoint's network as a model file for the engine.

    The file is a TorchScript archive with the metadata ``topoctave.json`` (docs/architecture.md),
    of the averaged weights if there are any. A network without ``align_corners`` is exported as a
    streaming network, which can also run windowed. The file is loaded and compared with the trained
    network, for whole signals and as a stream, before it is saved. A model card ``NAME.md`` is
    written into the same folder.

    Args:
        checkpoint: of :func:`models.training.train.train`.
        out: ``NAME.ts``; an existing file is replaced.
        name: of the model; default: the file's.
        title: one line for people.
        licence: of the weights; "unknown" is replaced by that of a known corpus.
        trained_on: "unknown" is replaced by a known corpus, or by the last folders of its path.
        metrics: measured figures by data set; default: those of the last validation.
        half: store 16-bit weights if the error is negligible; computing stays in float32. See
            :mod:`models.export.half_precision`.
        added_gain_db: gain on what the network adds. Less of it raises the SNR and the LSD.
        prune: folder of recordings; a U-Net's channels that they do not use are removed. See
            :mod:`models.export.pruning`.
        prune_below_db: how far below what the network adds the error of pruning must be.

    Returns:
        The metadata, and ``parity``: the largest difference due to folding and scripting, for
        samples in [-1, 1].

    Raises:
        CheckpointError: if the checkpoint cannot be used.
        DataError: if there are no recordings to prune by.
        ModelFileError: if name or folder are wrong, the metadata cannot be written as JSON, or the
            exported network differs from the trained one.
        SettingsError: if ``added_gain_db`` is not finite.
    """
    name = out.stem if name is None else name
    if out.suffix != ".ts" or not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise ModelFileError(
            f"a model file must be called name.ts, in lower case, got {out.name!r}, {name!r}"
        )
    if not out.parent.is_dir():
        raise ModelFileError(f"there is no folder {out.parent}")
    if not math.isfinite(added_gain_db):
        raise SettingsError(f"added_gain_db must be finite, got {added_gain_db}")
    state = load_checkpoint(checkpoint)
    network = trained_network(state)
    exportable = EXPORTABLES[with_kind(state["config"]["network"])["kind"]](network)
    if added_gain_db:
        exportable = exportable.amplified(added_gain_db)
    pruning = {}
    if prune is not None:
        pruning = {"trained_parameters": _parameters(exportable)}
        exportable = exportable.pruned(prune, prune_below_db)
    parameters = _parameters(exportable)
    corpus = _corpus(state["config"]["data"]["train"])
    validation = {
        key.removeprefix("val/"): round(value, 4)
        for key, value in state["validation"].items()
        if key.startswith("val/") and "loss" not in key
    }
    exportable, stored = _as_stored(exportable.finished(), half=half)
    metadata: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "title": title or exportable.title,
        "sample_rate_in": SAMPLE_RATE_IN,
        "sample_rate_out": SAMPLE_RATE_OUT,
        "front_end": exportable.front_end,
        "kind": exportable.kind,
        "block_multiple": exportable.block_multiple,
        "latency_samples": exportable.latency_samples,
        "context_samples": list(exportable.context_samples),
        "crossfade_samples": exportable.crossfade_samples,
        "parameters": parameters,
        **pruning,
        "licence": corpus[1] if licence == UNKNOWN else licence,
        "trained_on": corpus[0] if trained_on == UNKNOWN else trained_on,
        "stored": stored,
        "added_gain_db": added_gain_db,
        "metrics": dict(metrics) if metrics is not None else {"validation": validation},
        "created_by": f"topoctave export, step {state['step']}, torch {torch.__version__}",
    }
    parity = _write(exportable, metadata, out)
    try:
        out.with_suffix(".md").write_text(model_card(metadata), encoding="utf-8")
    except OSError as error:
        raise ModelFileError(f"cannot write {out.with_suffix('.md')}: {error.strerror}") from error
    return metadata | {"parity": parity}


def _as_stored(exact: Exportable, *, half: bool) -> tuple[Exportable, str]:
    """The network with the weights of the file, and their description."""
    if half:
        rounded = exact.rounded().finished()
        x = 0.2 * torch.randn([2, 1, PROBE_SAMPLES], generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            y = exact.network(x)
            error = error_db(rounded.network(x), y, exact.added(x, y))
        if error <= -BELOW_ADDED_DB:
            return rounded, f"16-bit weights, {-error:.0f} dB below what the network adds"
    return exact, "32-bit weights"


def _parameters(exportable: Exportable) -> int:
    return sum(p.numel() for p in exportable.network.parameters())


def _corpus(path: str) -> tuple[str, str]:
    for part, known in CORPORA.items():
        if part in path.lower():
            return known
    return "/".join(Path(path).parts[-2:]), UNKNOWN


def _write(exportable: Exportable, metadata: dict[str, Any], out: Path) -> float:
    """Script, save to a temporary file, load, compare, and rename; returns the parity."""
    buffer = io.BytesIO()
    try:
        extra = {METADATA_NAME: json.dumps(metadata, indent=1, allow_nan=False)}
    except ValueError as error:
        raise ModelFileError(f"the metadata cannot be written as JSON: {error}") from error
    torch.jit.save(torch.jit.script(exportable.module()), buffer, _extra_files=extra)
    temporary = out.with_suffix(".tmp")
    try:
        _strip(buffer, temporary, root=metadata["name"])
        loaded = torch.jit.load(str(temporary))
        parity = _largest_difference(loaded, exportable)
        # A parity of NaN fails too.
        if not parity <= PARITY:
            raise ModelFileError(
                f"the exported network differs from the trained one by {parity:.1e}, more than "
                f"{PARITY:.0e}; nothing was written"
            )
        read_model_info(temporary)
        os.replace(temporary, out)  # noqa: PTH105 - one system call, both names in one folder
    except OSError as error:
        raise ModelFileError(f"cannot write {out}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return parity


def _strip(archive: io.BytesIO, target: Path, *, root: str) -> None:
    """Copy a TorchScript archive without its debug records.

    These hold source text and paths of the exporting machine, and take a third of the loading
    time. The copy is compressed, which makes rounded weights small, and has fixed time stamps, so
    that the same network gives the same bytes.
    """
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as stripped:
        for entry in source.infolist():
            if entry.filename.endswith(".debug_pkl"):
                continue
            inner = entry.filename.split("/", 1)[1]
            record = zipfile.ZipInfo(f"{root}/{inner}")
            stripped.writestr(record, source.read(entry), compress_type=zipfile.ZIP_DEFLATED)


def _largest_difference(exported: Any, trained: Exportable) -> float:
    """Largest difference between exported and trained network, on noise, whole and streamed."""
    generator = torch.Generator().manual_seed(0)
    grid = trained.block_multiple // trained.ratio
    with torch.inference_mode():
        differences = []
        for blocks, more in PARITY_LENGTHS:
            x = torch.rand([2, 1, blocks * grid + more], generator=generator) - 0.5
            differences.append((exported(x) - trained.network(x)).abs().max())
        if trained.kind == "streaming":
            lengths = [grid * steps for steps in PARITY_BLOCKS]
            x = torch.rand([2, 1, sum(lengths)], generator=generator) - 0.5
            state, parts = exported.initial_state(len(x)), []
            for block in x.split(lengths, dim=2):
                y, state = exported.stream(block, state)
                parts.append(y)
            streamed = torch.cat(parts, dim=2)[:, :, trained.latency_samples :]
            difference = streamed - trained.network(x)[:, :, : streamed.shape[2]]
            # At the start the layers see zero padding, and the stream the response to silence.
            differences.append(difference[:, :, trained.settled_samples :].abs().max())
    return float(torch.stack(differences).max())
