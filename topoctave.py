"""Topoctave gives 22.05 kHz audio its missing top octave, live: the command line."""

import argparse
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime.errors import TopoctaveError


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(result: dict[str, Any], *, as_json: bool, table: Callable[[dict[str, Any]], str]) -> int:
    print(json.dumps(result) if as_json else table(result))
    return 0


def _requested(args: argparse.Namespace) -> dict[str, Any]:
    return {"compute": args.compute, "threads": args.threads, "dtype": args.dtype}


def _window(_args: argparse.Namespace) -> int:
    from gui.app import display_available
    from gui.app import main as open_window

    reason = "there is no display"
    if display_available():
        try:
            return open_window()
        except ImportError as error:  # Qt's libraries are missing
            reason = f"the window cannot be opened ({error})"
    _report(f"{reason}: running in the terminal (topoctave live)")
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
        **_requested(args),
    )
    parameters = Parameters(bypass=args.bypass, mix=args.mix)
    result = run_live(
        settings,
        parameters,
        seconds=args.seconds,
        fall_back_input=args.input is None,
        fall_back_output=args.output is None,
        report=_report,
    )
    if args.json:
        print(json.dumps(result))
    # A network that failed and did not come back; one that is slow has not failed.
    return int(result["fallbacks"]["reason"] not in ("", TOO_SLOW))


def _enhance(args: argparse.Namespace) -> int:
    from realtime.terminal.enhance import run_enhance

    run_enhance(args.source, args.target, args.model, report=_report, **_requested(args))
    return 0


def _devices(args: argparse.Namespace) -> int:
    from realtime.audio_io.devices import describe, list_devices
    from realtime.terminal.tables import device_table

    result = {"devices": [describe(d) for d in list_devices()]}
    return _show(result, as_json=args.json, table=device_table)


def _models(args: argparse.Namespace) -> int:
    from realtime.inference.model_file import shipped_models
    from realtime.terminal.tables import model_table

    result = {"models": [m.to_dict() for m in shipped_models()]}
    return _show(result, as_json=args.json, table=model_table)


def _prepare(args: argparse.Namespace) -> int:
    from models.data.prepare import prepare

    prepare(args.source, args.target, low=args.low, report=_report, progress=True)
    return 0


def _train(args: argparse.Namespace) -> int:
    from models.training.config import load_config
    from models.training.loop import TrainingStopped
    from models.training.train import train

    try:
        best = train(load_config(args.config), report=_report, progress=True)
    except TrainingStopped as stopped:
        _report(f"topoctave: {stopped}")
        return 130
    _report(f"the best checkpoint is {best}")
    return 0


def _export(args: argparse.Namespace) -> int:
    from models.export.export import export

    export(
        args.checkpoint,
        args.target,
        name=args.name or args.target.stem,
        title=args.title,
        licence=args.licence,
        trained_on=args.trained_on,
        added_gain_db=args.added_gain_db,
        prune=args.prune,
    )
    _report(f"wrote {args.target}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from models.evaluation.evaluate import evaluate
    from realtime.terminal.tables import evaluation_table

    names = args.models.split(",") if args.models else None
    result = evaluate(
        args.data,
        names,
        **_requested(args),
        visqol=args.visqol,
        robust=args.robustness,
        table=args.csv,
        page=args.report,
        runs=[args.run_folder] if args.run_folder else [],
        report=_report,
    )
    return _show(result, as_json=args.json, table=evaluation_table)


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
            _report(f"the window cannot be measured: {error}")
            return None

    if args.plot:
        check_plot_path(args.plot)
    result = measure(
        compute=args.compute,
        more=resampler_stages(),
        groups=untrained_groups(bench_devices(args.compute)),
        rows=[*start_up_rows(), redraw],
        report=_report,
    )
    if args.plot:
        plot_bench(result, args.plot)
    return _show(result, as_json=args.json, table=bench_table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="topoctave",
        description="Gives 22.05 kHz audio its missing top octave (11-22 kHz), live. "
        "Without a command it opens the window.",
    )
    debug: dict[str, Any] = {"action": "store_true", "help": "show the traceback of an error"}
    parser.add_argument("--debug", **debug)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        # Without a default, or it would undo ``topoctave --debug COMMAND``.
        sub.add_argument("--debug", default=argparse.SUPPRESS, **debug)
        return sub

    def compute_options(sub: Any) -> None:
        sub.add_argument("--compute", default="auto", metavar="auto|cpu|cuda", help="device")
        sub.add_argument("--threads", type=int, metavar="N", help="CPU threads of the network")
        sub.add_argument(
            "--dtype",
            metavar="float32|tf32|bfloat16",
            help="number format of the network; default: tf32 on GPUs, float32 on CPUs",
        )

    live = command("live", _live, "upsample live in the terminal, with meters")
    live.add_argument("--input", metavar="DEV|FILE|demo", help="default: microphone, else demo")
    live.add_argument("--output", metavar="DEV|FILE|null", help="default: the loudspeaker")
    live.add_argument("--model", default="auto", metavar="NAME|FILE.ts")
    live.add_argument(
        "--model-b",
        metavar="NAME|FILE.ts",
        help="a second network to compare with instead of bypass",
    )
    live.add_argument("--block", type=int, default=1024, metavar="N", help="in output samples")
    live.add_argument("--seconds", type=float, metavar="S", help="stop after S seconds of audio")
    live.add_argument("--bypass", action="store_true", help="start without the network")
    live.add_argument("--mix", type=float, default=1.0, metavar="0-1.5", help="network's share")
    live.add_argument("--loop", action="store_true", help="repeat an input file")
    live.add_argument("--json", action="store_true", help="print the summary as JSON")
    compute_options(live)

    enhance = command("enhance", _enhance, "restore a file or a folder of files")
    enhance.add_argument("source", type=Path, metavar="IN")
    enhance.add_argument("target", type=Path, metavar="OUT", help=".wav, .flac or a folder")
    enhance.add_argument("--model", default="auto", metavar="NAME|FILE.ts")
    compute_options(enhance)

    command("devices", _devices, "list audio devices").add_argument("--json", action="store_true")
    command("models", _models, "list shipped models").add_argument("--json", action="store_true")

    prepare = command("prepare", _prepare, "make training data from VCTK or a folder of recordings")
    prepare.add_argument("source", type=Path, metavar="IN", help="VCTK 0.92, a folder, or a list")
    prepare.add_argument("target", type=Path, metavar="OUT")
    prepare.add_argument("--low", action="store_true", help="write 22.05 kHz copies and lists too")

    train = command("train", _train, "train a network, or resume a training")
    train.add_argument("config", type=Path, metavar="CONFIG.toml")

    export = command("export", _export, "make a model file from a checkpoint")
    export.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    export.add_argument("target", type=Path, metavar="OUT.ts")
    export.add_argument("--name", help="default: the file's name")
    export.add_argument("--title", help="default: kind and width of the network")
    export.add_argument("--licence", default="unknown", help="licence of the weights")
    export.add_argument("--trained-on", default="unknown", help="training data, in words")
    export.add_argument(
        "--added-gain-db",
        type=float,
        default=0.0,
        metavar="DB",
        help="gain of the added octave; below 0 dB it improves SNR and worsens LSD",
    )
    export.add_argument(
        "--prune",
        type=Path,
        metavar="DIR",
        help="remove channels of a U-Net that do not matter for these recordings",
    )

    evaluate = command("evaluate", _evaluate, "score every method on recordings")
    evaluate.add_argument("--data", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--models", metavar="A,B", help="default: all shipped models")
    evaluate.add_argument("--visqol", action="store_true", help="measure ViSQOL too (an extra)")
    evaluate.add_argument("--robustness", action="store_true", help="vary low-pass and noise too")
    evaluate.add_argument("--csv", type=Path, metavar="FILE", help="write every clip's scores")
    evaluate.add_argument("--report", type=Path, metavar="FILE.html", help="write a page")
    evaluate.add_argument("--run", dest="run_folder", type=Path, metavar="DIR", help="add curves")
    evaluate.add_argument("--json", action="store_true")
    compute_options(evaluate)

    bench = command("bench", _bench, "measure the speed of every stage on this machine")
    bench.add_argument("--compute", default="auto", metavar="auto|cpu|cuda")
    bench.add_argument("--plot", type=Path, metavar="FILE.png", help="plot speed and latency")
    bench.add_argument("--json", action="store_true")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 on success, 2 for bad usage or bad input, 1 for a fault of the program, 130
        after Ctrl-C.
    """
    args = _parser().parse_args(argv)
    run = getattr(args, "run", _window)
    try:
        return int(run(args))
    except KeyboardInterrupt:
        _report("topoctave: stopped")
        return 130
    except Exception as error:  # noqa: BLE001  # without --debug no traceback is shown
        if args.debug:
            traceback.print_exc()
        if isinstance(error, TopoctaveError):
            _report(f"topoctave: {error}")
            return 2
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        hint = "" if args.debug else " (run with --debug for the traceback)"
        _report(f"topoctave: internal error: {reason}{hint}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
