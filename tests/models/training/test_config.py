"""Configurations: what is accepted, and that every mistake is named."""

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.training.config import load_config

SHIPPED = sorted((Path(__file__).parents[3] / "configs").glob("*.toml"))

GOOD = """
[data]
train = "a"
validation = "b"
[run]
folder = "c"
steps = 10
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_the_thesis_recipe(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert (config.network.width, config.run.batch_size) == (16, 16)
    optimiser = config.optimiser
    assert (optimiser.learning_rate, optimiser.weight_decay) == (1e-4, 1e-5)
    assert (optimiser.gradient_norm, config.objective.mse_weight) == (10.0, 100.0)
    assert config.data.segment_samples == 689 * 128


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_configurations_load(path: Path) -> None:
    load_config(path)


def test_the_thesis_configuration_is_the_thesis() -> None:
    config = load_config(next(p for p in SHIPPED if p.stem == "thesis"))
    assert (config.network.width, config.network.align_corners) == (16, True)
    assert config.data.degradation == "thesis"
    optimiser = config.optimiser
    assert (optimiser.learning_rate, optimiser.weight_decay) == (1e-4, 1e-5)
    assert (optimiser.gradient_norm, config.objective.mse_weight) == (10.0, 100.0)
    assert (optimiser.warmup_steps, optimiser.decay_steps) == (0, 0)
    run = config.run
    assert run.patience > 0  # it stops on the validation's spectral convergence
    assert not any((run.bf16, run.bf16_backward, run.tf32, run.ema_decay))


@pytest.mark.parametrize("key", ["patience", "loaders"])
def test_counts_must_not_be_negative(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=f"run.{key} must not be negative"):
        load_config(write(tmp_path, GOOD + f"{key} = -1\n"))


def test_the_configurations_of_make_and_readme_are_there() -> None:
    assert {p.stem for p in SHIPPED} >= {"thesis", "octave", "unet-small"}


def test_whole_numbers_are_accepted_as_floats(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD + "[objective]\nmse_weight = 50\n"))
    assert config.objective.mse_weight == 50.0
    assert isinstance(config.objective.mse_weight, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"section \[data\] is missing"),
        ("train = ", "is not TOML"),
        ("[data]\ntrain = 'a'\n[run]\nfolder = 'c'\nsteps = 1\n", r"\[data\] lacks validation"),
        (GOOD + "[extra]\n", r"unknown section \[extra\]"),
        ("network = 3\n" + GOOD, r"\[network\] must be a table"),
        (GOOD + "[network]\nwidht = 4\n", r"unknown key network\.widht; known are kind, width"),
        (GOOD + "[network]\nwidth = '4'\n", r"network\.width must be int, got '4'"),
        (GOOD + "[network]\nwidth = true\n", r"network\.width must be int, got True"),
        (GOOD + "[network]\nwidth = 0\n", r"network\.width must be positive, got 0"),
        (GOOD + "[network]\nkind = 'gru'\n", "network.kind must be unet or octave, got 'gru'"),
        (GOOD + "[optimiser]\ndecay = 'soon'\n", "decay must be linear or cosine, got 'soon'"),
        (GOOD.replace("[run]", "also_share = 1.5\n[run]"), r"data.also_share must be in \[0, 1\]"),
        (GOOD.replace("[run]", "pool = -1\n[run]"), "data.pool must not be negative"),
        (GOOD + "[network]\nkind = 3\n", "network.kind must be unet or octave, got 3"),
        (GOOD + "[network]\nkind = 'octave'\nalign_corners = true\n", "unknown key network.align"),
        (GOOD + "[objective]\nkind = 'mse'\n", "objective.kind must be thesis or octave"),
        (GOOD + "[objective]\nmse_weight = -1\n", "objective.mse_weight must not be negative"),
        (GOOD + "[optimiser]\nbetas = 0.9\n", "optimiser.betas must be a list of 2, got 0.9"),
        (GOOD + "[optimiser]\nbetas = [0.9]\n", "optimiser.betas must be a list of 2"),
        (GOOD + "[optimiser]\nbetas = [0.9, 'a']\n", "optimiser.betas must be float"),
        (GOOD + "[optimiser]\nbetas = [0.9, 1.0]\n", r"optimiser.betas must be in \[0, 1\)"),
        (GOOD + "[network]\nalign_corners = 1\n", r"align_corners must be bool, got 1"),
        (GOOD + "[optimiser]\nlearning_rate = nan\n", "learning_rate must be positive, got nan"),
        (GOOD + "[optimiser]\nlearning_rate = inf\n", "learning_rate must be positive, got inf"),
        (GOOD + "[optimiser]\ngradient_norm = 0.0\n", "gradient_norm must be positive"),
        (GOOD + "[optimiser]\nweight_decay = -1.0\n", "weight_decay must not be negative"),
        (GOOD + "[optimiser]\nwarmup_steps = -1\n", "warmup_steps must not be negative"),
        (GOOD + "ema_decay = 1.0\n", r"run\.ema_decay must be in \[0, 1\), got 1"),
        (GOOD + "ema_decay = nan\n", r"run\.ema_decay must be in"),
        (GOOD + "seed = -1\n", r"run\.seed must not be negative"),
        (GOOD.replace("steps = 10", "steps = 0"), r"run\.steps must be positive"),
        (GOOD.replace('"b"', "3"), r"data\.validation must be str, got 3"),
        (GOOD.replace("[run]", "segment_samples = 88200\n[run]"), "a multiple of 128"),
        (GOOD.replace("[run]", "segment_samples = 1024\n[run]"), "from 2048 on"),
        (GOOD.replace("[run]", "degradation = 'all'\n[run]"), "must be random or thesis"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as error:
        load_config(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_binary_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path)
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(path)
