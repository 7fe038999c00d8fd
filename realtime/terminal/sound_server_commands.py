"""The commands that concern the sound server: ``live --virtual-mic``, ``latency``, ``service``."""

import argparse
from collections.abc import Callable
from typing import Any

from realtime.engine.settings import VIRTUAL_MIC

Report = Callable[[str], None]


def add_commands(
    command: Callable[..., Any], live: Any, show: Callable[..., int], report: Report
) -> None:
    """Add them to the command line.

    Args:
        command: adds a command of a name, a function that runs it, and a text.
        live: the parser of ``topoctave live``.
        show: prints a result as JSON or as a table.
        report: prints a line for people.
    """
    live.add_argument(
        "--virtual-mic",
        dest="output",
        action="store_const",
        const=VIRTUAL_MIC,
        help="be a microphone named Topoctave for other programs",
    )

    def latency(args: argparse.Namespace) -> int:
        from realtime.engine.settings import Settings
        from realtime.terminal.latency import latency_table, run_latency

        settings = Settings(
            input=args.input,
            output=args.output,
            model=args.model,
            block_samples=args.block,
            threads=args.threads,
        )
        result = run_latency(settings, seconds=args.seconds, report=report)
        return show(result, as_json=args.json, table=latency_table)

    sub = command("latency", latency, "measure the time from input to output with impulses")
    sub.add_argument("--input", default="default", metavar="DEV", help="default: a null sink")
    sub.add_argument("--output", default="default", metavar="DEV", help="connected to the input")
    sub.add_argument("--model", default="auto", metavar="NAME|FILE.ts")
    sub.add_argument("--block", type=int, default=1024, metavar="N", help="in output samples")
    sub.add_argument("--threads", type=int, metavar="N", help="CPU threads of the network")
    sub.add_argument("--seconds", type=float, default=10.0, metavar="S")
    sub.add_argument("--json", action="store_true")
