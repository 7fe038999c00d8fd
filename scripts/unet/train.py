"""Trains the width-16 U-Net for a given time, prunes and exports it, and scores the file.

Run by ``make train-gpu``: eight minutes of one GPU. Ctrl-C ends the training early. On a CPU it can
be tried at a small width:

    python -m scripts.unet.train --minutes 8
    python -m scripts.unet.train --device cpu --width 4 --batch 4 --minutes 0.3

Other recordings of 44.1 kHz: ``--studios DIR SHARE`` has a studio per folder, ``--studio DIR
SHARE`` is one studio.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from models.evaluation.evaluate import evaluate
from models.export.export import export
from models.training.checkpoint import save_atomically
from models.training.log import LOG
from models.training.signals import stop_request
from models.training.trainer import choose_device
from realtime.sample_rates import SAMPLE_RATE_OUT
from realtime.terminal.tables import evaluation_table
from scripts.unet.device_corpus import DeviceCorpus, DeviceDegrader, read_studios
from scripts.unet.timed_trainer import TimedConfig, TimedTrainer, learning_rate_factor

DATA = Path("../shared/data")
STUDIOS, SPEECH, MUSIC = (DATA / f"{name}/train" for name in ("studios", "speech44", "music"))

# Studios that were decoded from Ogg Vorbis.
LOSSY = (
    "hedgewars", "tuxpaint", "zeroad", "flare_game", "openhv", "opendungeons", "music",
)  # fmt: skip

TITLE = "U-Net, width 16"
TRAINED_ON = (
    "RAVDESS, GTSinger, BibleTTS, Jenny (Dioco), RUSLAN, OpenDungeons, OpenHV, OpenClonk, "
    "Hedgewars, Tux Paint, 0 A.D., Flare, NIST and Real Python Harvard sentences, UTAU voices "
    "(Yuki, ALYS, Ibuki, Hitsuboku Kumi, SCOTTPOID, Hikari One), music from librosa's examples, "
    "Sonic Pi, Hydrogen and OpenHV"
)
LICENCE = (
    "CC BY-NC-SA 4.0 (non-commercial: RAVDESS, GTSinger, RUSLAN, Hikari One, a piece of music); "
    "also trained on CC BY-SA (BibleTTS, OpenDungeons, 0 A.D., Flare), GPL (Tux Paint, ALYS, "
    "Ibuki, Hydrogen) and GFDL (Hedgewars) recordings"
)

REPORT_EVERY_S, VALIDATE_EVERY_S = 10.0, 60.0
VALIDATION_BATCHES = 3


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the width-16 U-Net for a given time.")
    parser.add_argument("--studios", nargs=2, action="append", default=[], metavar=("DIR", "SHARE"))
    parser.add_argument("--studio", nargs=2, action="append", default=[], metavar=("DIR", "SHARE"))
    parser.add_argument("--validation", type=Path, default=DATA / "speech44/val", metavar="DIR")
    parser.add_argument("--prune", type=Path, metavar="DIR", help="default: the first recordings")
    parser.add_argument("--folder", type=Path, default=Path("runs/unet"))
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--width", type=int, default=TimedConfig.width)
    parser.add_argument("--batch", type=int, default=TimedConfig.batch_size)
    parser.add_argument("--segment", type=int, default=TimedConfig.segment_samples)
    parser.add_argument(
        "--gain", type=float, default=-0.5, metavar="DB", help="of what the network adds"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile")
    return parser.parse_args(argv)


def train(args: argparse.Namespace, roots: Sequence[tuple[Path, float, bool]]) -> Path:
    """Train for the given time, or until Ctrl-C.

    Args:
        args: the command line.
        roots: folder, share, and whether it is one studio.

    Returns:
        A checkpoint for :func:`models.export.export.export`.
    """
    device = choose_device(args.device)
    on_cuda = device.type == "cuda"
    torch.backends.cudnn.benchmark = True
    # The last part of the training is exact.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    config = TimedConfig(
        width=args.width,
        segment_samples=args.segment,
        batch_size=args.batch,
        seconds=60.0 * args.minutes,
    )
    studios = [s for folder, share, one in roots for s in read_studios(folder, share, single=one)]
    corpus = DeviceCorpus(studios, lossy=LOSSY, device=device)
    print(f"{corpus.seconds / 60:.1f} minutes of audio from {len(studios)} studios", flush=True)
    trainer = TimedTrainer(config, corpus, device)
    pairs = validation_pairs(args.validation, config, device)
    args.folder.mkdir(parents=True, exist_ok=True)
    log = args.folder / LOG
    log.unlink(missing_ok=True)
    half = torch.float16 if on_cuda else torch.float32
    chunk = trainer.chunk_of(half, compiled=on_cuda and not args.no_compile)
    started = reported = validated = time.monotonic()
    ends = started + config.seconds
    exact_from = ends - config.float32_share * config.seconds
    exact, steps = half == torch.float32, 0
    with stop_request() as stop:
        while (now := time.monotonic()) < ends and not stop.requested:
            if now >= exact_from and not exact:
                chunk, exact = trainer.chunk_of(torch.float32), True
            chunk(learning_rate_factor(config, (now - started) / config.seconds))
            if now - reported >= REPORT_EVERY_S:
                audio_s = (trainer.step - steps) * args.batch * args.segment / SAMPLE_RATE_OUT
                print(f"{audio_s / (now - reported):.0f} s of audio per second", flush=True)
                write(log, trainer, now - started, "train", trainer.mean_losses())
                reported, steps = now, trainer.step
            if now - validated >= VALIDATE_EVERY_S:
                write(log, trainer, now - started, "val/loss", validate(trainer, pairs))
                validated = now
    write(log, trainer, time.monotonic() - started, "val/loss", validate(trainer, pairs))
    path: Path = args.folder / "final.pt"
    save_atomically(trainer.state(" ".join(folder.as_posix() for folder, _, _ in roots)), path)
    return path


def validation_pairs(
    folder: Path, config: TimedConfig, device: torch.device
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Fixed pairs with the standard low-pass and nothing else changed."""
    corpus = DeviceCorpus(read_studios(folder, 1.0), lossy=LOSSY, device=device)
    degrader = DeviceDegrader(config.segment_samples, pool=0, device=device)
    torch.manual_seed(1)
    counts = [config.batch_size] * VALIDATION_BATCHES
    pairs = [degrader(corpus.segments(count, degrader.n)[0]) for count in counts]
    torch.manual_seed(config.seed)
    return pairs


@torch.no_grad()
def validate(
    trainer: TimedTrainer, pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> dict[str, float]:
    """Mean losses of the averaged weights."""
    with torch.backends.cudnn.flags(benchmark=False, allow_tf32=False):
        rows = [torch.stack(trainer.objective(trainer.averaged(x), y)) for x, y in pairs]
    return dict(zip(trainer.names, torch.stack(rows).mean(dim=0).tolist(), strict=False))


def write(
    log: Path, trainer: TimedTrainer, seconds: float, prefix: str, row: dict[str, float]
) -> None:
    """Print a row and add it to the log."""
    shown = "  ".join(f"{key} {value:.3g}" for key, value in row.items())
    print(f"{seconds:.0f} s  step {trainer.step}  {prefix}  {shown}", flush=True)
    named = {f"{prefix}/{key}": value for key, value in row.items()}
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": trainer.step, "seconds": seconds} | named) + "\n")


def main(argv: Sequence[str] | None = None) -> None:
    """Train, export, score."""
    args = parse(argv)
    roots = [(Path(folder), float(share), False) for folder, share in args.studios]
    roots += [(Path(folder), float(share), True) for folder, share in args.studio]
    roots = roots or [(STUDIOS, 0.6, False), (SPEECH, 0.3, True), (MUSIC, 0.1, False)]
    target = args.folder / "unet.ts"
    written = export(
        train(args, roots),
        target,
        title=TITLE,
        licence=LICENCE,
        trained_on=TRAINED_ON,
        added_gain_db=args.gain,
        prune=args.prune or roots[0][0],
        # 60 and 55 dB left all 17.9 million parameters.
        prune_below_db=50.0,
    )
    megabytes = target.stat().st_size / 1e6
    print(f"wrote {target}: {written['parameters']} parameters, {megabytes:.1f} MB")
    print(evaluation_table(evaluate(args.validation, [str(target)], compute=args.device)))


if __name__ == "__main__":
    main()
