"""Where the shipped files lie: the ``assets`` package, however it was installed."""

from importlib.resources import files
from pathlib import Path


def asset_folder() -> Path:
    """The folder of shipped models, the demo clip and pictures."""
    return Path(str(files("assets")))


def demo_path() -> Path:
    """The bundled clip: speech, synthesised at 22.05 kHz."""
    return asset_folder() / "demo.wav"
