"""The choice of a model, and the cache of measurements."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from realtime.engine.open import open_engine
from realtime.engine.settings import Settings
from realtime.errors import ModelFileError
from realtime.inference.choose_model import EASY_RATIO, SpeedTrial, choose_model
from realtime.inference.model_file import ModelInfo, by_sound, read_model_info
from realtime.inference.tuning_cache import MAX_ENTRIES, TuningCache, cache_key
from tests.helpers.networks import RAISING, Smooth, metadata, write_model


def model(name: str, parameters: int = 0, **metrics: Any) -> ModelInfo:
    return ModelInfo(name=name, path=Path(f"{name}.ts"), parameters=parameters, metrics=metrics)


GOOD = model("good", vctk_dev={"lsd_act": 1.0})
FAIR = model("fair", vctk_dev={"lsd_act": 1.2})
POOR = model("poor", vctk_dev={"lsd_act": 1.4})


def speeds(**ratios: float) -> Callable[[ModelInfo], float]:
    """A speed by name; a model that is not named must not be measured."""
    return lambda info: ratios[info.name]


ALL = [POOR, FAIR, GOOD]


@pytest.mark.parametrize(
    ("models", "ratios", "chosen", "reason"),
    [
        (
            ALL,
            {"good": 1.3, "fair": EASY_RATIO},
            FAIR,
            "the best-sounding that keeps up, 2.0x real time here (p01); good only 1.3x",
        ),
        (ALL, {"good": 3.14}, GOOD, "the best-sounding, 3.1x real time here (p01)"),
        (
            ALL,
            {"good": 0.3, "fair": 1.9, "poor": 1.2},
            FAIR,
            "the fastest, 1.9x real time here (p01)",
        ),
        ([POOR], {}, POOR, "the only model"),
    ],
    ids=["fair is easy", "good is easy", "slow machine", "one model"],
)
def test_the_best_sounding_model_that_is_fast_enough_is_chosen(
    models, ratios, chosen, reason
) -> None:
    choice = choose_model(models, speeds(**ratios))
    assert choice.info is chosen
    assert choice.reason == f"{chosen.name}: {reason}"


def test_without_models_there_is_an_error() -> None:
    with pytest.raises(ModelFileError, match="no shipped models"):
        choose_model([], speeds())


# Of ViSQOL higher is better.
LOW = model("low", vctk_dev={"visqol": 3.1, "lsd_act": 0.8})
HIGH = model("high", vctk_dev={"visqol": 3.6, "lsd_act": 1.2})
OTHER = model("other", validation={"lsd": 1.5}, vctk_dev={"lsd_act": 0.1})
ELSEWHERE = model("elsewhere", validation={"lsd": 1.1})
SMALL, LARGE = model("small", 1_000), model("large", 2_000)


@pytest.mark.parametrize(
    "best_first",
    [
        [],
        [GOOD, FAIR, POOR],
        [HIGH, LOW],
        # Figures of other recordings cannot be compared.
        [ELSEWHERE, OTHER],
        # Nothing in common, nothing stated, or nothing that is a number: by size.
        [replace(ELSEWHERE, parameters=1), GOOD],
        [SMALL, replace(GOOD, parameters=1)],
        *(
            [LARGE, replace(SMALL, metrics=metrics)]
            for metrics in ({}, {"vctk_dev": 3}, {"vctk_dev": {"lsd_act": True}},
                            {"vctk_dev": {"lsd": "1"}})
        ),
    ],
)  # fmt: skip
def test_models_are_ranked_by_the_first_measure_that_all_state(best_first) -> None:
    assert by_sound(best_first) == best_first
    assert by_sound(best_first[::-1]) == best_first


def trial(cache: TuningCache, lines: list[str], compute: str = "cpu", **changes: int) -> SpeedTrial:
    requested = {"compute": compute, "threads": 1}
    values = {"block_samples": 256, "channels": 1, "requested": requested} | changes
    return SpeedTrial(**values, cache=cache, progress=lines.append)


@pytest.fixture
def fast_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.inference.choose_model.TRIAL_BLOCKS", 5)


@pytest.fixture
def cache(tmp_path: Path) -> TuningCache:
    return TuningCache(tmp_path / "cache" / "m.json")


def test_a_speed_is_measured_once_per_model_file_and_condition(
    cache, smooth_info, fast_trial
) -> None:
    lines: list[str] = []
    first = trial(cache, lines)(smooth_info)
    assert first > 0
    assert lines == ["measuring how fast smooth runs here, once"]
    assert trial(TuningCache(cache._path), lines)(smooth_info) == first
    assert len(lines) == 1
    trial(cache, lines, block_samples=512)(smooth_info)
    trial(cache, lines, channels=2)(smooth_info)
    assert len(lines) == 3
    with smooth_info.path.open("ab") as grown:
        grown.write(b"\0")
    trial(cache, lines)(smooth_info)
    assert len(lines) == 4


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_requested_in_vain_is_no_reason_to_fail(
    cache, smooth_info, fast_trial
) -> None:
    ratio = trial(cache, [], compute="cuda")(smooth_info)
    assert ratio > 0
    # The processor is the same.
    assert trial(cache, [], compute="cpu")(smooth_info) == ratio
    with pytest.raises(ValueError, match="compute"):
        trial(cache, [], compute="abacus")(smooth_info)


def test_a_hopeless_model_does_not_take_a_minute(cache, smooth_info, monkeypatch) -> None:
    monkeypatch.setattr("realtime.inference.choose_model.MAX_TRIAL_S", 0.0)
    monkeypatch.setattr("realtime.inference.choose_model.MIN_TRIAL_BLOCKS", 2)
    pauses: list[float] = []
    monkeypatch.setattr("realtime.inference.tuning.time.sleep", pauses.append)
    assert trial(cache, [])(smooth_info) > 0
    # One pause per block; a requested number of threads needs no trial.
    assert len(pauses) == 2


def test_another_program_version_or_machine_measures_again(smooth_info, monkeypatch) -> None:
    keys = {cache_key(what, smooth_info, block=n) for what in ("speed", "weight") for n in (1, 2)}
    monkeypatch.setattr("realtime.inference.tuning_cache.version", lambda _: "99")
    keys.add(cache_key("speed", smooth_info, block=1))
    monkeypatch.setattr("realtime.inference.tuning_cache.cpu_name", lambda: "abacus")
    keys.add(cache_key("speed", smooth_info, block=1))
    assert len(keys) == 6


def test_a_model_that_fails_is_left_out_and_not_kept(
    tmp_path, cache, smooth_info, fast_trial
) -> None:
    path = write_model(tmp_path / "broken.ts", RAISING, metadata(name="broken"))
    lines: list[str] = []
    best = replace(read_model_info(path), metrics={"vctk_dev": {"lsd_act": 0.1}})
    other = replace(smooth_info, metrics={"vctk_dev": {"lsd_act": 2.0}})
    choice = choose_model([best, other], trial(cache, lines))
    assert choice.info.name == "smooth"
    assert any(line.startswith("broken is left out: ") for line in lines)
    assert "broken" not in (tmp_path / "cache" / "m.json").read_text()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"a": "fast"}', b'{"a": NaN}', b'{"a": true}',
     b"\xff\xfe\x00"],
    ids=lambda content: str(content[:14]),
)  # fmt: skip
def test_a_damaged_cache_is_as_good_as_none(cache, content) -> None:
    cache._path.parent.mkdir()
    cache._path.write_bytes(content)
    assert cache.number("a") is None
    cache.put("a", 2.5)
    assert TuningCache(cache._path).number("a") == 2.5


def test_where_nothing_can_be_written_nothing_fails(tmp_path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("a file, where the folder should be")
    cache = TuningCache(occupied / "m.json")
    cache.put("a", 1.0)
    assert cache.number("a") is None
    folder = tmp_path / "m.json"
    folder.mkdir()
    TuningCache(folder).put("a", 1.0)
    # The half-written file beside it is gone.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "m.json"]


def test_the_cache_keeps_the_newest_and_does_not_grow_for_ever(tmp_path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps({str(i): i for i in range(MAX_ENTRIES)}))
    cache = TuningCache(path)
    cache.put("0", 7.0)
    cache.put("new", 1.0)
    values = json.loads(path.read_text())
    assert len(values) == MAX_ENTRIES
    assert (values["0"], values["new"]) == (7.0, 1.0)
    assert "1" not in values


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG specification is Linux's")
def test_the_cache_is_in_the_users_cache_folder_if_there_is_a_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    TuningCache().put("a", 1.0)
    assert TuningCache().number("a") == 1.0
    assert (tmp_path / "topoctave" / "tuning.json").is_file()
    # Without a home nothing is kept.
    monkeypatch.chdir(tmp_path)
    folders = "realtime.inference.tuning_cache.platformdirs"
    monkeypatch.setattr(f"{folders}.user_cache_path", lambda *_, **__: Path("~/topoctave"))
    TuningCache().put("a", 2.0)
    assert TuningCache().number("a") is None
    assert [p.name for p in Path().iterdir()] == ["topoctave"]


def test_a_session_states_why_it_runs_this_model(tmp_path, cache, smooth_info, monkeypatch) -> None:
    slow = write_model(tmp_path / "slow.ts", Smooth(), metadata(name="slow"))
    found = [read_model_info(slow), smooth_info]
    models = [replace(m, metrics={"test": {"lsd": k}}) for k, m in enumerate(found, 1)]
    monkeypatch.setattr("realtime.engine.open.shipped_models", lambda: models)
    settings = Settings(input="demo", output="null", block_samples=256, compute="cpu", threads=1)
    # A cached measurement, because a busy machine would measure another one.
    condition = {"block": 256, "channels": 1, "device": "cpu", "threads": 1, "dtype": None}
    for info, speed in zip(models, (0.5, 40.0), strict=True):
        cache.put(cache_key("speed", info, **condition), speed)
    lines: list[str] = []
    reason = "smooth: the best-sounding that keeps up, 40.0x real time here (p01); slow only 0.5x"
    for model, wanted in (("auto", reason), (str(slow), "slow: as requested")):
        engine = open_engine(replace(settings, model=model), cache=cache, progress=lines.append)
        assert engine.snapshot().model_reason == wanted
        engine.stop()
    assert f"loading {reason}" in lines
