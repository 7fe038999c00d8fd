"""The commands that restore a voice while it speaks: ``pipe`` and ``wyoming``."""

import argparse
import os
import sys

from realtime.terminal.command_line import (
    CommandLine,
    compute_options,
    model_option,
    rate_options,
    report,
    requested,
)


def _pipe(args: argparse.Namespace) -> int:
    from realtime.terminal.pipe import run_pipe

    if sys.platform == "win32":  # which would translate line ends
        import msvcrt

        for descriptor in (0, 1):
            msvcrt.setmode(descriptor, os.O_BINARY)
    run_pipe(
        0,
        1,
        model=args.model,
        kind=args.format,
        output_kind=args.output_format,
        rate=args.rate,
        channels=args.channels,
        output_rate=args.output_rate,
        force=args.force,
        report=report,
        **requested(args),
    )
    return 0


def _wyoming(args: argparse.Namespace) -> int:
    from realtime.terminal.wyoming import run_wyoming

    run_wyoming(
        args.uri,
        args.tts,
        model=args.model,
        output_rate=args.output_rate,
        force=args.force,
        report=report,
        **requested(args),
    )
    return 0


def add_commands(line: CommandLine) -> None:
    """Add them to the command line."""
    pipe = line.add("pipe", _pipe, "restore audio from standard input to standard output")
    pipe.add_argument("--rate", type=int, default=22_050, metavar="HZ", help="of raw input")
    pipe.add_argument("--channels", type=int, default=1, metavar="1|2", help="of raw input")
    pipe.add_argument(
        "--format",
        default="auto",
        metavar="auto|s16le|f32le|wav",
        help="of the input; auto: WAV if it begins as WAV, else s16le",
    )
    pipe.add_argument(
        "--output-format", default="same", metavar="same|raw|wav", help="with or without a header"
    )
    model_option(pipe)
    rate_options(pipe)
    compute_options(pipe, compute="cpu", threads=1)

    wyoming = line.add("wyoming", _wyoming, "restore what a Wyoming text-to-speech server speaks")
    wyoming.add_argument("--uri", default="tcp://127.0.0.1:10210", help="where to listen")
    wyoming.add_argument("--tts", default="tcp://127.0.0.1:10200", help="the server, Piper say")
    model_option(wyoming)
    rate_options(wyoming)
    compute_options(wyoming, compute="cpu", threads=1)
