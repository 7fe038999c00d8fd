"""Checkpoints: written atomically, and checked when they are read."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.errors import CheckpointError
from models.networks.registry import build_network

_KEYS = frozenset({"network", "averaged", "optimiser", "step", "best", "config", "validation"})


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint; a crash or a full disk leaves the old file as it was.

    Raises:
        CheckpointError: if it cannot be written.
    """
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - one system call, both names in the same folder
    # torch's archive writer turns disk errors into RuntimeError.
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise CheckpointError(f"cannot write {path}: {reason}; the old file is kept") from error
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path: Path, *, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what :func:`models.training.train.train` wrote.

    Returns:
        ``network``, ``averaged`` (or None) and ``optimiser`` (state dictionaries), ``step``,
        ``best`` (lowest validation LSD), ``config`` (:class:`models.training.config.TrainConfig` as
        dictionaries) and ``validation`` (the last row of the log, empty before the first). Newer
        checkpoints have all keys of :meth:`models.training.trainer.Trainer.state`.

    Raises:
        CheckpointError: if the file is missing, damaged or not a checkpoint.
    """
    try:
        # weights_only: loading a stranger's checkpoint must not run code.
        state = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} is not a checkpoint, or is damaged") from error
    if not isinstance(state, dict) or not state.keys() >= _KEYS:
        raise CheckpointError(f"{path} is not a checkpoint of topoctave train")
    return state


def trained_network(state: dict[str, Any]) -> nn.Module:
    """The network of a checkpoint in evaluation mode, with averaged weights if there are any.

    Raises:
        CheckpointError: if weights and configuration do not match.
    """
    try:
        network = build_network(state["config"]["network"])
        network.load_state_dict(state["averaged"] or state["network"])
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError("the checkpoint's weights do not fit its configuration") from error
    return network.eval().requires_grad_(False)
