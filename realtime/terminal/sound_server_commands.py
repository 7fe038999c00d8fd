"""The commands that concern the sound server: ``live --virtual-mic``, ``latency``, ``service``."""

import argparse
from collections.abc import Callable
from typing import Any

from realtime.engine.settings import VIRTUAL_MIC


def add_commands(command: Callable[..., Any], live: Any, show: Callable[..., int]) -> None:
    """Add them to the command line.

    Args:
        command: adds a command of a name, a function that runs it, and a text.
        live: the parser of ``topoctave live``.
        show: prints a result as JSON or as a table.
    """
    live.add_argument(
        "--virtual-mic",
        dest="output",
        action="store_const",
        const=VIRTUAL_MIC,
        help="be a microphone named Topoctave for other programs",
    )
