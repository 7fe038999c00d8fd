"""The evaluation: every method aligned and scored, and results that JSON can hold."""

import base64
import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import resampy
import scipy.stats
import soundfile
import soxr
import torch

from models.errors import DataError
from models.evaluation.evaluate import evaluate
from models.evaluation.methods import kaiser, soxr_vhq
from models.evaluation.metrics import score
from models.export.export import export
from models.networks.unet import UNet
from realtime.errors import ModelFileError, TopoctaveError
from tests.helpers.models.checkpoints import write_checkpoint
from tests.helpers.models.unets import trained_like

KEYS = [
    *("method", "snr_db", "snr_lf_db", "lsd", "lsd_ln", "lsd_hf", "lsd_edge", "lsd_act"),
    *("level_error_db", "level_bias_db", "level_error_db_pause", "level_bias_db_pause"),
    *("visqol", "real_time_ratio"),
]
# The streaming front end against whole-signal resampy (docs/architecture.md).
SAME = 1e-5
PNG = b"\x89PNG"


def sound(rng: np.random.Generator, n: int) -> np.ndarray:
    """Noise that falls by 6 dB per octave, with a slow swell."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    spectrum /= np.maximum(np.arange(len(spectrum)), 50) / 50
    audio = np.fft.irfft(spectrum, n) * np.hanning(n)
    return 0.5 * audio / np.abs(audio).max()


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    clips = tmp_path / "clips"
    clips.mkdir()
    for i, n in enumerate((30_000, 44_101)):
        soundfile.write(clips / f"{i}.wav", sound(rng, n), 44_100, subtype="FLOAT")
    return clips


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that returns the front end's output."""
    folder = tmp_path_factory.mktemp("identity")
    torch.manual_seed(0)
    network = trained_like(UNet(width=1))
    network.start_as_identity()
    export(write_checkpoint(folder / "c.pt", network), folder / "identity.ts")
    return str(folder / "identity.ts")


@pytest.mark.parametrize("n", [100, 16_384, 20_001])
def test_baselines_are_resampys_and_soxrs(rng: np.random.Generator, n: int) -> None:
    x = sound(rng, n).astype(np.float32)
    for name in ("kaiser_fast", "kaiser_best"):
        expected = resampy.resample(x, 22_050, 44_100, filter=name)
        np.testing.assert_allclose(kaiser(name).upsample(x), expected, rtol=0, atol=SAME)
    expected = soxr.resample(x, 22_050, 44_100, quality="VHQ")
    np.testing.assert_array_equal(soxr_vhq().upsample(x), expected)


def test_the_result_is_as_the_design_says_and_models_are_aligned_to_the_sample(
    folder: Path, identity: str
) -> None:
    torch.set_num_threads(2)
    result = evaluate(folder, [identity], compute="cpu", threads=1)
    rows = {row["method"]: row for row in result.pop("rows")}
    assert len(result.pop("intervals")) == 4
    seconds = round(74_100 / 44_100, 3)
    about = {"data": str(folder), "clips": 2, "seconds": seconds, "device": "cpu", "threads": 1}
    assert result == about
    assert list(rows) == ["kaiser_fast", "kaiser_best", "soxr_vhq", "identity"]
    for row in rows.values():
        assert list(row) == KEYS
        assert row["visqol"] is None
        assert row["real_time_ratio"] > 0
    scores = []
    for path in sorted(folder.iterdir()):
        reference = soundfile.read(path, dtype="float32")[0]
        reference = reference[: len(reference) // 2 * 2]
        low = resampy.resample(reference, 44_100, 22_050, filter="kaiser_best")
        scores.append(score(reference, resampy.resample(low, 22_050, 44_100, filter="kaiser_fast")))
    for key in ("snr_db", "snr_lf_db", "lsd", "lsd_hf"):
        mean = np.mean([s[key] for s in scores])
        assert rows["kaiser_fast"][key] == pytest.approx(mean, abs=2e-3), key
    for key in KEYS[1:8]:
        # 1e-3 of an LSD or a dB: what the windows' crossfade rounds.
        assert rows["identity"][key] == pytest.approx(rows["kaiser_fast"][key], abs=1e-3), key
    # The calling thread is left as it was.
    assert torch.get_num_threads() == 2
    denormal = np.full(4, 1e-40, np.float32)
    assert (denormal * np.float32(1.0)).all()  # flushed ones would be zero


def test_the_csv_has_a_line_per_clip_and_method_and_intervals_are_students(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "1.wav").rename(folder / "sub" / "one, two.wav")
    soundfile.write(folder / "c.wav", np.random.default_rng(3).normal(0, 0.1, 20_000), 44_100)
    result = evaluate(folder, [], table=folder / "all.csv")
    lines = list(csv.DictReader((folder / "all.csv").read_text().splitlines()))
    assert len(lines) == 3 * 3
    assert {line["clip"] for line in lines} == {"0.wav", "sub/one, two.wav", "c.wav"}
    assert {line["visqol"] for line in lines} == {""}
    for row, interval in zip(result["rows"], result["intervals"], strict=True):
        lsd = [float(line["lsd"]) for line in lines if line["method"] == row["method"]]
        low, high = scipy.stats.ttest_1samp(lsd, 0.0).confidence_interval(0.95)
        assert row["lsd"] - interval["lsd"] == pytest.approx(low, abs=2e-4)
        assert row["lsd"] + interval["lsd"] == pytest.approx(high, abs=2e-4)
        assert interval["visqol"] is None


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without drawings, which take longest."""
    monkeypatch.setattr("models.evaluation.report.png", lambda _: PNG)


def test_the_report_is_one_whole_page(
    folder: Path, tmp_path: Path, identity: str, undrawn: None
) -> None:
    (folder / "0.wav").rename(folder / "<b>&.wav")  # names must not become tags
    (folder / "1.wav").unlink()
    run = tmp_path / "run"
    run.mkdir()
    row = {"step": 1, "train/total": 2.0, "val/loss/total": 2.0, "val/lsd": 1.0}
    (run / "log.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {"step": 2}))
    page, runs = tmp_path / "report.html", [run, tmp_path / "none"]
    result = evaluate(folder, [identity], threads=1, robust=True, page=page, runs=runs)
    assert {r["method"] for r in result["robustness"]} == {"kaiser_fast", "identity"}
    json.dumps(result, allow_nan=False)
    text = page.read_text()
    assert "bessel-6" in text
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    # Best, median and worst of four methods, and the curves.
    assert [base64.b64decode(p) for p in pictures] == [PNG] * (4 * 3 + 1)
    assert "http" not in text
    assert "<b>&" not in text
    assert "&lt;b&gt;&amp;.wav" in text
    assert "Training run" in text


@pytest.mark.parametrize("name", ["table", "page"])
def test_files_that_cannot_be_written_are_reported_before_or_after_the_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None, name: str
) -> None:
    target = tmp_path / "out" / "x"
    target.parent.mkdir()
    with pytest.raises(DataError, match=r"cannot write .*: No such file"):
        # The folder vanishes during the work.
        evaluate(folder, [], report=lambda _: target.parent.rmdir(), **{name: target})
    monkeypatch.delattr("models.evaluation.evaluate._measure_all")
    for target in (tmp_path / "nowhere" / "x", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(DataError, match=r"no folder|cannot write"):
            evaluate(folder, [], **{name: target})


def test_silent_and_short_clips_spoil_nothing(folder: Path) -> None:
    before = evaluate(folder, [])["rows"][0]
    soundfile.write(folder / "short.wav", np.zeros(2_000), 44_100)
    soundfile.write(folder / "silent.wav", np.zeros(5_000), 44_100)
    result = evaluate(folder, [])
    assert result["clips"] == 3
    assert result["rows"][0]["snr_db"] == before["snr_db"]
    json.dumps(result, allow_nan=False)
    # A measure that no clip has is None.
    for name in ("0.wav", "1.wav"):
        (folder / name).unlink()
    row = evaluate(folder, [])["rows"][0]
    assert (row["snr_db"], row["snr_lf_db"], row["lsd"]) == (None, None, 0.0)


def test_unusable_audio_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        evaluate(tmp_path / "nowhere", [])
    short = tmp_path / "short"
    short.mkdir()
    soundfile.write(short / "a.wav", np.zeros(100), 44_100)
    with pytest.raises(DataError, match="shorter than"):
        evaluate(short, [])
    soundfile.write(folder / "z.wav", np.zeros(10_000), 8_000)
    with pytest.raises(DataError, match=r"z\.wav has 8000 Hz"):
        evaluate(folder, [])


def test_missing_and_doubled_models_precisions_and_packages_are_refused(
    folder: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelFileError, match="no model 'nothing'"):
        evaluate(folder, ["nothing"])
    with pytest.raises(ModelFileError, match="same name"):
        evaluate(folder, [identity, identity], threads=1)
    with pytest.raises(ValueError, match="the CPU cannot compute in tf32"):
        evaluate(folder, [identity], compute="cpu", threads=1, dtype="tf32")
    monkeypatch.setitem(sys.modules, "visqol", None)
    with pytest.raises(TopoctaveError, match="pip install"):
        evaluate(folder, [], visqol=True)


@pytest.mark.slow
def test_visqol_prefers_more_bandwidth(tmp_path: Path, rng: np.random.Generator) -> None:
    pytest.importorskip("visqol", reason="the visqol extra is not installed")
    from models.evaluation.visqol import Visqol

    visqol = Visqol()
    reference = sound(rng, 2 * 44_100).astype(np.float32)
    low = soxr.resample(reference, 44_100, 8_000)
    narrow = soxr.resample(low, 8_000, 44_100)[: len(reference)]
    assert visqol(reference, reference) > 4.5
    assert visqol(reference, narrow) < 4.0
    assert np.isnan(visqol(reference[:2_000], reference[:2_000]))
    assert np.isnan(visqol(0 * reference, reference))
