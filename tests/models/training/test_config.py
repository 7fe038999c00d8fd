"""Configurations: what is accepted, and that every mistake is named."""

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.training.config import OctaveConfig, OctaveObjectiveConfig, load_config

SHIPPED = sorted((Path(__file__).parents[3] / "configs").glob("*.toml"))

GOOD = """
[data]
train = "a"
validation = "b"
[run]
folder = "c"
steps = 10
"""
ADVERSARIAL = GOOD + "[adversarial]\n"
PHASE = ADVERSARIAL + "start_step = 1\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_the_shipped_thesis_configuration_are_its_recipe(tmp_path: Path) -> None:
    thesis = load_config(next(p for p in SHIPPED if p.stem == "thesis"))
    for config in (load_config(write(tmp_path, GOOD)), thesis):
        assert (config.network.width, config.data.segment_samples) == (16, 689 * 128)
        optimiser = config.optimiser
        assert (optimiser.learning_rate, optimiser.weight_decay) == (1e-4, 1e-5)
        assert (optimiser.warmup_steps, optimiser.decay_steps) == (0, 0)
        assert (optimiser.gradient_norm, config.objective.mse_weight) == (10.0, 100.0)
        assert config.run.batch_size == 16
    assert thesis.network.align_corners
    assert thesis.data.degradation == "thesis"
    run = thesis.run
    assert run.patience > 0  # it stops on the validation's spectral convergence
    assert not any((run.bf16, run.bf16_backward, run.tf32, run.ema_decay))


def test_the_shipped_configurations_load() -> None:
    # `make` and the README name these.
    assert {p.stem for p in SHIPPED} >= {"thesis", "octave", "unet-small"}
    for path in SHIPPED:
        load_config(path)


def test_values_become_those_of_their_sections(tmp_path: Path) -> None:
    text = "[network]\nkind = 'octave'\nwidth = 7\n[objective]\nkind = 'octave'\n"
    config = load_config(write(tmp_path, GOOD + text + "[optimiser]\nbetas = [0.8, 0.99]\n"))
    assert config.network == OctaveConfig(width=7)
    assert config.objective == OctaveObjectiveConfig()
    assert config.optimiser.betas == (0.8, 0.99)
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
        (GOOD + "[network]\nkind = 'gru'\n", "network.kind must be unet or octave, got 'gru'"),
        (GOOD + "[optimiser]\ndecay = 'soon'\n", "decay must be linear or cosine, got 'soon'"),
        (GOOD.replace("[run]", "also_share = 1.5\n[run]"), r"data.also_share must be in \[0, 1\]"),
        (GOOD + "[network]\nkind = 'octave'\nalign_corners = true\n", "unknown key network.align"),
        (GOOD + "[optimiser]\nbetas = [0.9]\n", "optimiser.betas must be a list of 2"),
        (GOOD + "[optimiser]\nbetas = [0.9, 'a']\n", "optimiser.betas must be float"),
        (GOOD + "[optimiser]\nlearning_rate = nan\n", "learning_rate must be positive, got nan"),
        (GOOD + "[optimiser]\ngradient_norm = 0.0\n", "gradient_norm must be positive"),
        (GOOD + "ema_decay = 1.0\n", r"run\.ema_decay must be in \[0, 1\), got 1"),
        (GOOD.replace('"b"', "3"), r"data\.validation must be str, got 3"),
        (GOOD.replace("[run]", "segment_samples = 88200\n[run]"), "a multiple of 128"),
        (GOOD.replace("[run]", "segment_samples = 1024\n[run]"), "from 2048 on"),
        (ADVERSARIAL, r"\[adversarial\] lacks start_step"),
        (ADVERSARIAL + "start_step = -1", "adversarial.start_step must not be negative"),
        (PHASE + "from_hz = 30000", "adversarial.from_hz must be between"),
        (PHASE + "period_channels = 0\nband_channels = 0", "must be positive"),
        (PHASE + "crop_samples = 100", "adversarial.crop_samples must be 0 or from 4096"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as error:
        load_config(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_binary_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    cases = {"none.toml": "cannot read", ".": "cannot read", "binary.toml": "is not TOML"}
    for name, message in cases.items():
        with pytest.raises(ConfigError, match=message):
            load_config(tmp_path / name)
