"""What all commands of ``topoctave`` share: options, lines for people, and results."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

DEBUG: dict[str, Any] = {"action": "store_true", "help": "show the traceback of an error"}


class CommandLine:
    """The parser to which each job adds its command."""

    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser(
            prog="topoctave",
            description="Gives 22.05 kHz audio its missing top octave (11-22 kHz), live. "
            "Without a command it opens the window.",
        )
        self.parser.add_argument("--debug", **DEBUG)
        self._commands = self.parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(self, name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        """Add a command; ``run`` gets the arguments and returns the exit code."""
        sub = self._commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + "."
        )
        sub.set_defaults(run=run)
        # Without a default, or it would undo ``topoctave --debug COMMAND``.
        sub.add_argument("--debug", default=argparse.SUPPRESS, **DEBUG)
        return sub


def model_option(sub: Any) -> None:
    """``--model``."""
    sub.add_argument("--model", default="auto", metavar="NAME|FILE.ts")


def compute_options(sub: Any, compute: str = "auto", threads: int | None = None) -> None:
    """Where and how a network runs; :func:`requested` reads them."""
    sub.add_argument("--compute", default=compute, metavar="auto|cpu|cuda", help="device")
    sub.add_argument(
        "--threads", type=int, default=threads, metavar="N", help="CPU threads of the network"
    )
    sub.add_argument(
        "--dtype",
        metavar="float32|tf32|bfloat16",
        help="number format of the network; default: tf32 on GPUs, float32 on CPUs",
    )


def requested(args: argparse.Namespace) -> dict[str, Any]:
    """What :func:`compute_options` was given."""
    return {"compute": args.compute, "threads": args.threads, "dtype": args.dtype}


def rate_options(sub: Any) -> None:
    """The rate of the output, and what to do with input that has its octave."""
    sub.add_argument(
        "--output-rate", type=int, metavar="HZ", help="44100 or 48000; default: by the input"
    )
    sub.add_argument(
        "--force", action="store_true", help="restore also what has its top octave already"
    )


def report(line: str) -> None:
    """Print a line for people."""
    with contextlib.suppress(OSError):  # a pipe that was closed
        print(line, file=sys.stderr, flush=True)


def show(result: dict[str, Any], *, as_json: bool, table: Callable[[dict[str, Any]], str]) -> int:
    """Print a result; returns the exit code 0."""
    print(json.dumps(result) if as_json else table(result))
    return 0
