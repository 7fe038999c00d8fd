"""The live engine: audio in, the missing octave out. No Qt, no training.

``Stream`` restores audio chunk by chunk, ``restore`` a whole array.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.stream import Stream, restore

__all__ = ["Stream", "restore"]


def __getattr__(name: str) -> Any:
    """Load the stream on first use: ``import realtime`` stays light."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("realtime.stream"), name)
