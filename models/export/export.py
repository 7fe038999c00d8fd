"""From a checkpoint to a model file: TorchScript with metadata, checked before it is in place."""

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
from torch import Tensor

from models.export.exportable import FORMS, Form
from models.export.half_precision import BELOW_ADDED_DB, error_db
from models.export.model_card import model_card
from models.networks.registry import with_kind
from models.training.checkpoint import load_checkpoint, trained_network
from realtime.errors import ModelFileError, SettingsError
from realtime.inference.model_file import METADATA_NAME, read_model_info
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

FORMAT = 1
UNKNOWN = "unknown"

# Largest difference that folding and scripting may make, of samples in [-1, 1]: float32 sums in
# another order, and a third of a step of 16 bits.
PARITY = 1e-5
# In blocks of the network's grid, and samples beyond.
PARITY_LENGTHS = ((8, 0), (31, 5), (0, 70))
# Of the noise on which weights in 16 bits are compared with those in 32.
PROBE_SAMPLES = 16_384
# In steps of the grid: how the stream is cut for the comparison with the whole signal.
PARITY_BLOCKS = (1, 8, 3, 16, 2)

# What networks may be used for, by a part of the path of the recordings they learned from.
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
) -> dict[str, Any]:
    """Write a checkpoint's network as a model file for the engine.

    Averaged weights where the training kept them, in the form of the network's kind (see
    :mod:`models.export.exportable`), a U-Net with a guard against lone tones, TorchScript, with
    the metadata of DESIGN's "Model file" as ``topoctave.json``. A network that can stream (not with
    ``align_corners``) is written as a streaming one, which runs windowed as well. The file is
    loaded again and compared with the network as trained, whole and as a stream, before it takes
    its place; otherwise nothing is written. Beside it comes a model card, ``NAME.md``.

    Args:
        checkpoint: of :func:`models.training.train.train`.
        out: ``NAME.ts``; replaced if it is there.
        name: what users call it; that of the file by default.
        title: one line for people.
        licence: of the weights; "unknown" becomes what the training's corpus demands where that
            is a known one.
        trained_on: likewise; "unknown" becomes the corpus, or the last folders of its path.
        metrics: measured figures by data set; by default those of the last validation.
        half: store weights in 16 bits where that costs nothing measurable; they are computed
            with in 32. See :mod:`models.export.half_precision`.
        added_gain_db: gain of what the network adds. What it adds above the input's band has
            much of noise, and noise costs SNR: a little less of it costs LSD less than that.
        prune: folder of recordings; channels of a U-Net that make no difference to them are left
            out. See :mod:`models.export.pruning`.

    Returns:
        The metadata, and ``parity``: the largest difference that folding and scripting made, in
        samples of [-1, 1]; what 16 bits changed is in ``stored``.

    Raises:
        CheckpointError: if the checkpoint cannot be used.
        DataError: if there are no recordings to prune by.
        ModelFileError: if the name or place is wrong, or the exported network differs from the
            trained one.
        SettingsError: if ``added_gain_db`` is not finite.
        ValueError: if JSON cannot hold ``metrics``.
    """
    name = out.stem if name is None else name
    if out.suffix != ".ts" or not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise ModelFileError(
            f"a model file is called name.ts, in lower case, got {out.name!r}, {name!r}"
        )
    if not out.parent.is_dir():
        raise ModelFileError(f"there is no folder {out.parent}")
    if not math.isfinite(added_gain_db):
        raise SettingsError(f"added_gain_db must be a number, got {added_gain_db}")
    state = load_checkpoint(checkpoint)
    form = FORMS[with_kind(state["config"]["network"])["kind"]](trained_network(state))
    if added_gain_db:
        form = form.amplified(added_gain_db)
    pruning = {}
    if prune is not None:
        pruning = {"trained_parameters": _parameters(form)}
        form = form.pruned(prune)
    parameters = _parameters(form)
    form = form.guarded()
    corpus = _corpus(state["config"]["data"]["train"])
    validation = {
        key.removeprefix("val/"): round(value, 4)
        for key, value in state["validation"].items()
        if key.startswith("val/") and "loss" not in key
    }
    form, stored = _as_stored(form.silent(), half=half)
    metadata: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "title": title or form.title,
        "sample_rate_in": SAMPLE_RATE_IN,
        "sample_rate_out": SAMPLE_RATE_OUT,
        "front_end": form.front_end,
        "kind": form.kind,
        "block_multiple": form.block_multiple,
        "latency_samples": form.latency_samples,
        "context_samples": list(form.context_samples),
        "crossfade_samples": form.crossfade_samples,
        "parameters": parameters,
        **pruning,
        "licence": corpus[1] if licence == UNKNOWN else licence,
        "trained_on": corpus[0] if trained_on == UNKNOWN else trained_on,
        "stored": stored,
        "added_gain_db": added_gain_db,
        "metrics": dict(metrics) if metrics is not None else {"validation": validation},
        "created_by": f"topoctave export, step {state['step']}, torch {torch.__version__}",
    }
    parity = _write(form, metadata, out)
    try:
        out.with_suffix(".md").write_text(model_card(metadata), encoding="utf-8")
    except OSError as error:
        raise ModelFileError(f"cannot write {out.with_suffix('.md')}: {error.strerror}") from error
    return metadata | {"parity": parity}


def _as_stored(form: Form, *, half: bool) -> tuple[Form, str]:
    """The network with the weights that go into the file, and what they are."""
    if half:
        rounded = form.rounded().silent()
        x = 0.2 * torch.randn([2, 1, PROBE_SAMPLES], generator=torch.Generator().manual_seed(0))
        error = error_db(rounded.network, form.network, x, form.added)
        if error <= -BELOW_ADDED_DB:
            return rounded, f"16-bit weights, {-error:.0f} dB below what the network adds"
    return form, "32-bit weights"


def _parameters(form: Form) -> int:
    return sum(p.numel() for p in form.network.parameters())


def _corpus(path: str) -> tuple[str, str]:
    for part, known in CORPORA.items():
        if part in path.lower():
            return known
    return "/".join(Path(path).parts[-2:]), UNKNOWN


def _write(form: Form, metadata: dict[str, Any], out: Path) -> float:
    """Script, save, load again, compare, and only then put the file in its place."""
    buffer = io.BytesIO()
    extra = {METADATA_NAME: json.dumps(metadata, indent=1, allow_nan=False)}
    torch.jit.save(torch.jit.script(form.module()), buffer, _extra_files=extra)
    temporary = out.with_suffix(".tmp")
    try:
        _strip(buffer, temporary, root=metadata["name"])
        loaded = torch.jit.load(str(temporary))
        parity = _largest_difference(loaded, form)
        # Written so that NaN fails as well.
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

    They hold the text and the paths of the source files of whoever exported, and are a third of
    what a load has to parse. Times are fixed, so the same network gives the same bytes. Compressed:
    that is where weights rounded to 16 bits save their place.
    """
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as stripped:
        for entry in source.infolist():
            if entry.filename.endswith(".debug_pkl"):
                continue
            inner = entry.filename.split("/", 1)[1]
            record = zipfile.ZipInfo(f"{root}/{inner}")
            stripped.writestr(record, source.read(entry), compress_type=zipfile.ZIP_DEFLATED)


def _largest_difference(exported: Any, form: Form) -> float:
    """Of the exported network from the trained one, on noise, whole and streamed."""
    generator = torch.Generator().manual_seed(0)
    grid = form.block_multiple // form.ratio
    with torch.inference_mode():
        differences = []
        for blocks, more in PARITY_LENGTHS:
            x = torch.rand([2, 1, blocks * grid + more], generator=generator) - 0.5
            differences.append((exported(x) - form.network(x)).abs().max())
        if form.kind == "streaming":
            differences.append(_stream_difference(exported, form, generator))
        largest: Tensor = torch.stack(differences).max()
    return float(largest)


def _stream_difference(exported: Any, form: Form, generator: torch.Generator) -> Tensor:
    """Largest difference of a stream from the whole signal, away from the whole's edges."""
    lengths = [form.block_multiple // form.ratio * steps for steps in PARITY_BLOCKS]
    x = torch.rand([2, 1, sum(lengths)], generator=generator) - 0.5
    state = exported.initial_state(len(x))
    blocks = []
    for block in x.split(lengths, dim=2):
        y, state = exported.stream(block, state)
        blocks.append(y)
    streamed = torch.cat(blocks, dim=2)[:, :, form.latency_samples :]
    whole: Tensor = form.network(x)[:, :, : streamed.shape[2]]
    # The whole signal's layers may pad with zeros where the stream has silence.
    return (streamed - whole)[:, :, form.settled_samples :].abs().max()
