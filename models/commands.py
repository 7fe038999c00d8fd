"""The commands that make and score networks: ``prepare``, ``train``, ``export``, ``evaluate``."""

import argparse
from pathlib import Path

from realtime.terminal.command_line import CommandLine, compute_options, report, requested, show


def _prepare(args: argparse.Namespace) -> int:
    from models.data.prepare import prepare

    prepare(args.source, args.target, low=args.low, report=report, progress=True)
    return 0


def _train(args: argparse.Namespace) -> int:
    from models.training.config import load_config
    from models.training.loop import TrainingStopped
    from models.training.train import train

    try:
        best = train(load_config(args.config), report=report, progress=True)
    except TrainingStopped as stopped:
        report(f"topoctave: {stopped}")
        return 130
    report(f"the best checkpoint is {best}")
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
    report(f"wrote {args.target}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from models.evaluation.evaluate import evaluate
    from realtime.terminal.tables import evaluation_table

    names = args.models.split(",") if args.models else None
    result = evaluate(
        args.data,
        names,
        **requested(args),
        visqol=args.visqol,
        robust=args.robustness,
        ladder=args.ladder,
        table=args.csv,
        page=args.report,
        runs=[args.run_folder] if args.run_folder else [],
        report=report,
    )
    return show(result, as_json=args.json, table=evaluation_table)


def add_commands(line: CommandLine) -> None:
    """Add them to the command line."""
    prepare = line.add(
        "prepare", _prepare, "make training data from VCTK or a folder of recordings"
    )
    prepare.add_argument("source", type=Path, metavar="IN", help="VCTK 0.92, a folder, or a list")
    prepare.add_argument("target", type=Path, metavar="OUT")
    prepare.add_argument("--low", action="store_true", help="write 22.05 kHz copies and lists too")

    train = line.add("train", _train, "train a network, or resume a training")
    train.add_argument("config", type=Path, metavar="CONFIG.toml")

    export = line.add("export", _export, "make a model file from a checkpoint")
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

    evaluate = line.add("evaluate", _evaluate, "score every method on recordings")
    evaluate.add_argument("--data", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--models", metavar="A,B", help="default: all shipped models")
    evaluate.add_argument("--visqol", action="store_true", help="measure ViSQOL too (an extra)")
    evaluate.add_argument("--robustness", action="store_true", help="vary low-pass and noise too")
    evaluate.add_argument("--ladder", action="store_true", help="what right levels would score")
    evaluate.add_argument("--csv", type=Path, metavar="FILE", help="write every clip's scores")
    evaluate.add_argument("--report", type=Path, metavar="FILE.html", help="write a page")
    evaluate.add_argument("--run", dest="run_folder", type=Path, metavar="DIR", help="add curves")
    evaluate.add_argument("--json", action="store_true")
    compute_options(evaluate)
