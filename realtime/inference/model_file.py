"""Reads and checks the metadata of model files, without torch."""

import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.assets import asset_folder
from realtime.dsp.upsampler import FILTERS
from realtime.errors import ModelFileError
from realtime.sample_rates import SAMPLE_RATE_IN, SAMPLE_RATE_OUT

METADATA_NAME = "topoctave.json"
KINDS = ("streaming", "windowed")
MAX_LENGTH_SAMPLES = 441_000

# Models are ranked by one of these figures of their ``metrics``: a data set and a measure. The
# first pair that all models state counts, since figures of different recordings cannot be compared.
# A high ViSQOL is good, the others are distances. lsd_act comes before lsd, because lsd rewards
# the copying of hiss.
SOUND = (
    ("vctk_dev", "visqol"),
    ("vctk_dev", "lsd_act"),
    ("validation", "lsd_act"),
    ("vctk_dev", "lsd"),
    ("validation", "lsd"),
)

# For a file without metadata: contexts longer than most receptive fields, a grid that most products
# of strides divide, and windows that are multiples of 256.
UNKNOWN: dict[str, Any] = {
    "kind": "windowed",
    "front_end": "kaiser_fast",
    "block_multiple": 128,
    "latency_samples": 1280,
    "context_samples": [4096, 1280],
    "crossfade_samples": 256,
}


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A model file's metadata; lengths are output samples at 44.1 kHz."""

    name: str
    path: Path
    title: str = ""
    kind: str = "windowed"
    front_end: str = "kaiser_fast"
    sample_rate_in: int = SAMPLE_RATE_IN
    sample_rate_out: int = SAMPLE_RATE_OUT
    block_multiple: int = 128
    latency_samples: int = 0
    """The network's look-ahead."""
    context_samples: tuple[int, int] = (0, 0)
    """Left and right context of a window."""
    crossfade_samples: int = 0
    parameters: int = 0
    licence: str = "unknown"
    trained_on: str = "unknown"
    metrics: dict[str, Any] = field(default_factory=dict)
    created_by: str = ""

    @property
    def ratio(self) -> int:
        """Output samples per input sample of the network."""
        return 2 if self.front_end == "none" else 1

    def to_dict(self) -> dict[str, Any]:
        """The object of ``topoctave models --json``."""
        return vars(self) | {"path": str(self.path)}


def read_metadata(path: Path) -> dict[str, Any] | None:
    """The metadata in an archive; None if it has none.

    Raises:
        ModelFileError: if the file is missing or no archive, or its metadata is no JSON object.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if not any(n.endswith("/constants.pkl") for n in names):
                raise ModelFileError(f"{path} is not a TorchScript archive")
            found = [n for n in names if n.endswith(f"/extra/{METADATA_NAME}")]
            metadata = json.loads(archive.read(found[0])) if found else None
    except FileNotFoundError as error:
        raise ModelFileError(f"there is no model file {path}") from error
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"the metadata of {path} is not JSON") from error
    # RuntimeError: an entry is encrypted, or its compression is unknown.
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ModelFileError(f"{path} is not a TorchScript archive, or is damaged") from error
    if metadata is not None and not isinstance(metadata, dict):
        raise ModelFileError(f"the metadata of {path} is no JSON object")
    return metadata


def read_model_info(path: Path) -> ModelInfo:
    """The checked metadata of a model file; conservative defaults if it has none.

    Raises:
        ModelFileError: if the file is unreadable or its metadata breaks the contract.
    """
    metadata = read_metadata(path)
    values = dict(UNKNOWN) if metadata is None else metadata
    known = set(ModelInfo.__dataclass_fields__) - {"path"}
    values = {k: v for k, v in values.items() if k in known}
    values.setdefault("name", path.stem)
    try:
        values["context_samples"] = tuple(values.get("context_samples", (0, 0)))
        info = ModelInfo(**values, path=path)
        _check(info)
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"the metadata of {path} is wrong: {error}") from error
    return info


def _check(info: ModelInfo) -> None:
    for key in ("name", "title", "licence", "trained_on", "created_by"):
        if not isinstance(getattr(info, key), str):
            raise ValueError(f"{key} must be text, got {getattr(info, key)!r}")
    if not info.name:
        raise ValueError("name must not be empty")
    if not isinstance(info.metrics, dict):
        raise ValueError(f"metrics must be an object, got {info.metrics!r}")
    if type(info.parameters) is not int or info.parameters < 0:
        raise ValueError(f"parameters must be a count, got {info.parameters!r}")
    if info.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {info.kind!r}")
    if info.front_end not in (*FILTERS, "none"):
        raise ValueError(f"unknown front_end {info.front_end!r}")
    rates = info.sample_rate_in, info.sample_rate_out
    if rates != (SAMPLE_RATE_IN, SAMPLE_RATE_OUT):
        raise ValueError(f"sample rates must be 22050 and 44100, got {rates}")
    # In a file it may have any length.
    context: tuple[int, ...] = info.context_samples
    lengths = (info.latency_samples, info.crossfade_samples, *context)
    in_range = all(type(n) is int and 0 <= n <= MAX_LENGTH_SAMPLES for n in lengths)
    if len(context) != 2 or not in_range:
        raise ValueError(f"lengths must be whole and from 0 to {MAX_LENGTH_SAMPLES}, got {lengths}")
    multiple = info.block_multiple
    if type(multiple) is not int or not 1 <= multiple <= 65_536:
        raise ValueError(f"block_multiple must be from 1 to 65536, got {multiple!r}")
    if multiple % info.ratio:
        raise ValueError(f"block_multiple must be even without a front end, got {multiple}")


def shipped_models() -> list[ModelInfo]:
    """The models that come with the program, by name."""
    return [read_model_info(p) for p in sorted(asset_folder().glob("*.ts"))]


def finite_number(value: object) -> float | None:
    """A JSON value as a finite number; None if it is anything else, also for true and false."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _sound(info: ModelInfo, data: str, measure: str) -> float | None:
    """A figure of the model's metrics, the lower the better, or None."""
    figures = info.metrics.get(data)
    figure = finite_number(figures.get(measure)) if isinstance(figures, dict) else None
    return -figure if figure is not None and measure == "visqol" else figure


def by_sound(models: Sequence[ModelInfo]) -> list[ModelInfo]:
    """The models, the best-sounding first (see ``SOUND``), or the largest if no figure decides."""
    for data, measure in SOUND:
        ranked = [(f, m.name, m) for m in models if (f := _sound(m, data, measure)) is not None]
        if len(ranked) == len(models):
            return [m for _, _, m in sorted(ranked, key=lambda entry: entry[:2])]
    return sorted(models, key=lambda m: (-m.parameters, m.name))


def find_model(name: str) -> ModelInfo:
    """A shipped model by name, ``auto`` for the best-sounding one, or a ``.ts`` file by path.

    Raises:
        ModelFileError: if there is none of that name; the message lists those there are.
    """
    if name.endswith(".ts") or "/" in name or "\\" in name:
        return read_model_info(Path(name))
    models = {m.name: m for m in shipped_models()}
    if name == "auto" and models:
        return by_sound(list(models.values()))[0]
    if name not in models:
        raise ModelFileError(
            f"there is no model {name!r}; shipped are {', '.join(models) or 'none'}, "
            "or give the path of a .ts file"
        )
    return models[name]
