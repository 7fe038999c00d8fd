"""Topoctave gives 22.05 kHz audio its missing top octave, live: the command line."""

import argparse
import contextlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from models import commands as model_commands
from realtime.errors import TopoctaveError
from realtime.terminal import sound_server_commands, voice_commands
from realtime.terminal.command_line import (
    CommandLine,
    compute_options,
    model_option,
    rate_options,
    report,
    requested,
    show,
)


def _window(_args: argparse.Namespace) -> int:
    from gui.app import display_available
    from gui.app import main as open_window

    reason = "there is no display"
    if display_available():
        try:
            return open_window()
        except ImportError as error:  # Qt's libraries are missing
            reason = f"the window cannot be opened ({error})"
    report(f"{reason}: running in the terminal (topoctave live)")
    return main(["live"])


def _live(args: argparse.Namespace) -> int:
    from realtime.dsp.fallback import TOO_SLOW
    from realtime.dsp.parameters import Parameters
    from realtime.engine.settings import Settings
    from realtime.terminal.live import run_live

    settings = Settings(
        input=args.input or "default",
        output=args.output or "default",
        model=args.model,
        model_b=args.model_b or "",
        block_samples=args.block,
        loop=args.loop,
        **requested(args),
    )
    parameters = Parameters(bypass=args.bypass, mix=args.mix)
    result = run_live(
        settings,
        parameters,
        seconds=args.seconds,
        fall_back_input=args.input is None,
        fall_back_output=args.output is None,
        report=report,
    )
    if args.json:
        print(json.dumps(result))
    # A network that failed and did not come back; one that is slow has not failed.
    return int(result["fallbacks"]["reason"] not in ("", TOO_SLOW))


def _enhance(args: argparse.Namespace) -> int:
    from realtime.terminal.enhance import run_enhance

    run_enhance(
        args.source,
        args.target,
        args.model,
        output_rate=args.output_rate,
        force=args.force,
        report=report,
        **requested(args),
    )
    return 0


def _devices(args: argparse.Namespace) -> int:
    from realtime.audio_io.devices import describe, list_devices
    from realtime.terminal.tables import device_table

    result = {"devices": [describe(d) for d in list_devices()]}
    return show(result, as_json=args.json, table=device_table)


def _models(args: argparse.Namespace) -> int:
    from realtime.inference.model_file import shipped_models
    from realtime.terminal.tables import model_table

    result = {"models": [m.to_dict() for m in shipped_models()]}
    return show(result, as_json=args.json, table=model_table)


def _bench(args: argparse.Namespace) -> int:
    from models.evaluation.bench import resampler_stages, untrained_groups
    from realtime.bench.bench import bench_devices, measure, window_row
    from realtime.bench.plot import check_plot_path, plot_bench
    from realtime.bench.startup_time import start_up_rows
    from realtime.terminal.tables import bench_table

    def redraw() -> dict[str, Any] | None:
        try:
            from gui.bench import measure_redraw

            return window_row(measure_redraw())
        except ImportError as error:
            report(f"the window cannot be measured: {error}")
            return None

    if args.plot:
        check_plot_path(args.plot)
    result = measure(
        compute=args.compute,
        more=resampler_stages(),
        groups=untrained_groups(bench_devices(args.compute)),
        rows=[*start_up_rows(), redraw],
        report=report,
    )
    if args.plot:
        plot_bench(result, args.plot)
    return show(result, as_json=args.json, table=bench_table)


def _command_line() -> CommandLine:
    line = CommandLine()
    live = line.add("live", _live, "upsample live in the terminal, with meters")
    live.add_argument("--input", metavar="DEV|FILE|demo", help="default: microphone, else demo")
    live.add_argument("--output", metavar="DEV|FILE|null", help="default: the loudspeaker")
    model_option(live)
    live.add_argument(
        "--model-b",
        metavar="NAME|FILE.ts",
        help="a second network to compare with instead of bypass",
    )
    live.add_argument(
        "--virtual-mic",
        dest="output",
        action="store_const",
        # VIRTUAL_MIC; realtime.engine.settings loads numpy, which --help need not wait for.
        const="virtual-mic",
        help="be a microphone named Topoctave for other programs",
    )
    live.add_argument("--block", type=int, default=1024, metavar="N", help="in output samples")
    live.add_argument("--seconds", type=float, metavar="S", help="stop after S seconds of audio")
    live.add_argument("--bypass", action="store_true", help="start without the network")
    live.add_argument("--mix", type=float, default=1.0, metavar="0-1.5", help="network's share")
    live.add_argument("--loop", action="store_true", help="repeat an input file")
    live.add_argument("--json", action="store_true", help="print the summary as JSON")
    compute_options(live)

    enhance = line.add("enhance", _enhance, "restore a file or a folder of files")
    enhance.add_argument("source", type=Path, metavar="IN", help="- is standard input")
    enhance.add_argument("target", type=Path, metavar="OUT", help=".wav, .flac, a folder, or -")
    model_option(enhance)
    rate_options(enhance)
    compute_options(enhance)

    line.add("devices", _devices, "list audio devices").add_argument("--json", action="store_true")
    line.add("models", _models, "list shipped models").add_argument("--json", action="store_true")

    bench = line.add("bench", _bench, "measure the speed of every stage on this machine")
    bench.add_argument("--compute", default="auto", metavar="auto|cpu|cuda")
    bench.add_argument("--plot", type=Path, metavar="FILE.png", help="plot speed and latency")
    bench.add_argument("--json", action="store_true")
    for commands in (sound_server_commands, voice_commands, model_commands):
        commands.add_commands(line)
    return line


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 on success, 2 for bad usage or bad input, 1 for a fault of the program, 130
        after Ctrl-C.
    """
    if sys.stderr is None:
        # ``2>&-``: print would take standard output instead, where audio may go.
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # until the process ends
    args = _command_line().parser.parse_args(argv)
    run = getattr(args, "run", _window)
    try:
        code = int(run(args))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        report("topoctave: stopped")
        return 130
    except BrokenPipeError:
        # ``topoctave models | head``. Python would flush once more at exit.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # without --debug no traceback is shown
        if args.debug:
            traceback.print_exc()
        if isinstance(error, TopoctaveError):
            report(f"topoctave: {error}")
            return 2
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        hint = "" if args.debug else " (run with --debug for the traceback)"
        report(f"topoctave: internal error: {reason}{hint}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
