"""The command line: what goes where, and every bad input one clear line."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.helpers.fake_streams import wait_until
from tests.helpers.networks import NotANumber, Smooth, metadata, write_model
from topoctave import main

COMMANDS = ("live", "enhance", "devices", "models", "train", "export", "evaluate", "bench")
LIMIT_S = 60


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


class Shell:
    """Runs commands in this process, in a folder of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self.folder = folder

    def __call__(self, *arguments: object) -> Ran:
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def files(self) -> set[str]:
        return {
            str(p.relative_to(self.folder))
            for p in self.folder.rglob("*")
            if p.is_file() and "cache" not in p.parts
        }


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = torch.get_num_threads()
    yield Shell(capsys, tmp_path)
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "test.ts", Smooth(), metadata())


def store(path: Path, n: int = 2_205, *, rate: int = 22_050, channels: int = 1) -> Path:
    x = np.random.default_rng(2).uniform(-0.5, 0.5, (n, channels))
    soundfile.write(path, x, rate, subtype="FLOAT")
    return path


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return store(tmp_path / "song.wav")


def told_in_one_line(ran: Ran) -> str:
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    lines = ran.err.splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("topoctave: ")
    return lines[0]


def bad_input(folder: Path, what: str) -> Path:
    path = folder / "bad.wav"
    if what == "empty":
        path.write_bytes(b"")
    elif what == "8 kHz":
        store(path, rate=8_000)
    elif what == "not a number":
        soundfile.write(path, np.array([0.0, np.nan, 0.0]), 22_050, subtype="FLOAT")
    elif what == "text":
        path.write_text("I am not audio")
    elif what == "no samples":
        store(path, 0)
    elif what == "long name":
        path = folder / ("a" * 300 + ".wav")
    return path


BAD_INPUTS = ["empty", "8 kHz", "not a number", "text", "no samples", "missing", "long name"]


@pytest.mark.parametrize("what", BAD_INPUTS)
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_input_files(shell: Shell, model: Path, command: str, what: str) -> None:
    path = bad_input(shell.folder, what)
    before = shell.files()
    if command == "live":
        ran = shell("live", "--input", path, "--output", "out.wav", "--model", model)
    else:
        ran = shell("enhance", path, "out.wav", "--model", model)
    line = told_in_one_line(ran)
    assert path.name[:30] in line
    assert shell.files() == before


def bad_model(folder: Path, what: str) -> str:
    path = folder / "bad.ts"
    if what == "corrupt":
        data = bytearray(write_model(path, Smooth(), metadata()).read_bytes())
        path.write_bytes(bytes(data[: len(data) // 2]))
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "text":
        path.write_text("I am not a model")
    elif what == "another archive":
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("a.txt", "hello")
    elif what == "wrong metadata":
        write_model(path, Smooth(), metadata(kind="magic"))
    elif what == "unknown name":
        return "unet-enormous"
    return str(path)


@pytest.mark.parametrize(
    "what", ["corrupt", "empty", "text", "another archive", "wrong metadata", "missing",
             "unknown name"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_models(shell: Shell, song: Path, command: str, what: str) -> None:
    name = bad_model(shell.folder, what)
    before = shell.files()
    if command == "live":
        ran = shell("live", "--input", song, "--output", "out.wav", "--model", name)
    else:
        ran = shell("enhance", song, "out.wav", "--model", name)
    assert Path(name).name in told_in_one_line(ran)
    assert shell.files() == before


@pytest.mark.parametrize("command", ["live", "enhance"])
def test_a_network_that_returns_no_numbers(shell: Shell, song: Path, command: str) -> None:
    path = write_model(shell.folder / "nan.ts", NotANumber(), metadata())
    before = shell.files()
    if command == "live":
        ran = shell("live", "--input", song, "--output", "out.wav", "--model", path)
    else:
        ran = shell("enhance", song, "out.wav", "--model", path)
    assert ran.code == 2
    assert ran.out == ""
    assert "not numbers" in ran.err.splitlines()[-1]
    assert shell.files() == before


@pytest.mark.parametrize("target", ["nowhere/out.wav", "out.mp3", "./out", "/proc/out.wav"])
@pytest.mark.parametrize("command", ["live", "enhance"])
def test_bad_outputs(shell: Shell, model: Path, song: Path, command: str, target: str) -> None:
    if target.startswith("/proc") and not sys.platform.startswith("linux"):
        pytest.skip("only Linux has a folder that nobody can write to")
    before = shell.files()
    if command == "live":
        ran = shell("live", "--input", song, "--output", target, "--model", model)
    else:
        ran = shell("enhance", song, target, "--model", model)
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert ran.err.splitlines()[-1].startswith("topoctave: ")
    assert "Traceback" not in ran.err
    assert shell.files() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--input", "no such microphone"], "topoctave"),
        (["--output", "no such loudspeaker"], "topoctave"),
        (["--block", "100"], "multiple of 128"),
        (["--block", "0"], "multiple of 128"),
        (["--compute", "gpu"], "compute"),
        (["--threads", "0"], "threads"),
        (["--dtype", "float16"], "dtype must be one of float32, tf32, bfloat16"),
        (["--dtype", "tf32", "--compute", "cpu"], "the CPU cannot compute in tf32"),
        (["--mix", "2"], "mix"),
        (["--mix", "nan"], "mix"),
        (["--seconds", "-1"], "seconds"),
        (["--seconds", "nan"], "seconds"),
    ],
)
def test_bad_options_of_live(
    shell: Shell, model: Path, song: Path, arguments: list[str], told: str
) -> None:
    before = shell.files()
    chosen = ["--input", song, "--output", "out.wav", "--model", model, *arguments]
    ran = shell("live", *chosen)
    assert ran.code == 2
    assert ran.out == ""
    assert told in ran.err.splitlines()[-1]
    assert "Traceback" not in ran.err
    assert shell.files() == before


@pytest.mark.parametrize(
    "arguments",
    [["live", "--block", "many"], ["live", "--nonsense"], ["enhance"], ["enhance", "a"],
     ["dance"], ["evaluate"], ["train"], ["models", "extra"], ["live", "--threads", "1.5"]],
)  # fmt: skip
def test_bad_usage(shell: Shell, arguments: list[str]) -> None:
    ran = shell(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert "usage: topoctave" in ran.err
    assert shell.files() == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "missing.toml"],
        ["train", "."],
        ["export", "missing.pt", "out.ts"],
        ["evaluate", "--data", "missing"],
        ["evaluate", "--data", "."],
        ["enhance", ".", "out"],
    ],
)
def test_commands_without_anything_to_work_on(shell: Shell, arguments: list[str]) -> None:
    told_in_one_line(shell(*arguments))
    assert shell.files() == set()


def test_live_json_is_one_object_and_nothing_else(shell: Shell, model: Path, song: Path) -> None:
    ran = shell(
        "live", "--input", song, "--output", "out.wav", "--model", model, "--block", 512,
        "--compute", "cpu", "--threads", 1, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == 1
    result = json.loads(ran.out)
    assert list(result)[:6] == [
        "model", "device", "seconds", "real_time_ratio", "block_ms", "xruns"
    ]  # fmt: skip
    assert (result["model"], result["device"], result["seconds"]) == ("test", "cpu", 0.1)
    assert set(result["xruns"].values()) == {0}
    frames = soundfile.info(shell.folder / "out.wav").frames
    late = round(result["latency_ms"]["total"] * 44.1)
    assert frames == 4_410 + late
    assert result["latency_ms"]["block"] == pytest.approx(1e3 * 512 / 44_100, abs=1e-3)


def test_live_without_json_leaves_stdout_alone(shell: Shell, model: Path, song: Path) -> None:
    ran = shell("live", "--input", song, "--output", "null", "--model", model)
    assert ran.code == 0
    assert ran.out == ""
    assert "real-time ratio" in ran.err
    assert "\r" not in ran.err  # meters are for terminals


def test_live_and_enhance_give_the_same_samples(shell: Shell, model: Path) -> None:
    store(shell.folder / "in.wav", 11_025, channels=2)
    chosen = ("--model", model, "--compute", "cpu", "--threads", 1)
    live = shell("live", "--input", "in.wav", "--output", "live.wav", "--json", *chosen)
    assert shell("enhance", "in.wav", "enhanced.wav", *chosen).code == 0
    late = round(json.loads(live.out)["latency_ms"]["total"] * 44.1)
    one, _ = soundfile.read("live.wav", always_2d=True)
    two, _ = soundfile.read("enhanced.wav", always_2d=True)
    assert two.shape == (22_050, 2)
    # The bound; here only the windows differ.
    np.testing.assert_allclose(one[late:], two, rtol=0, atol=1e-4)


def test_bypass_is_the_input_s_band(shell: Shell, model: Path, song: Path) -> None:
    for name, extra in (("dry.wav", ["--bypass"]), ("none.wav", ["--mix", "0"])):
        shell("live", "--input", song, "--output", name, "--model", model, *extra)
    dry, none = (soundfile.read(name)[0] for name in ("dry.wav", "none.wav"))
    np.testing.assert_array_equal(dry, none)
    assert np.abs(dry).max() > 0.1


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
@pytest.mark.parametrize(("n", "channels"), [(3, 1), (3, 2), (1_000, 2)])
def test_all_kinds_of_files_just_work(
    shell: Shell, model: Path, subtype: str, n: int, channels: int
) -> None:
    x = np.random.default_rng(1).uniform(-0.5, 0.5, (n, channels))
    soundfile.write("in.wav", x, 22_050, subtype=subtype)
    ran = shell("enhance", "in.wav", "out.wav", "--model", model)
    assert ran.code == 0, ran.err
    info = soundfile.info("out.wav")
    assert (info.frames, info.channels, info.samplerate) == (2 * n, channels, 44_100)


def test_a_three_sample_file_runs_live(shell: Shell, model: Path) -> None:
    store(shell.folder / "in.wav", 3)
    ran = shell("live", "--input", "in.wav", "--output", "out.wav", "--model", model, "--json")
    assert ran.code == 0, ran.err
    late = round(json.loads(ran.out)["latency_ms"]["total"] * 44.1)
    assert soundfile.info("out.wav").frames == 6 + late


def test_a_file_of_48_khz_is_resampled_and_said_so(shell: Shell, model: Path) -> None:
    store(shell.folder / "in.wav", 4_800, rate=48_000)
    ran = shell("enhance", "in.wav", "out.wav", "--model", model)
    assert ran.code == 0
    assert "48000 Hz" in ran.err
    assert soundfile.info("out.wav").frames == 4_410


def test_a_folder_with_a_bad_file_restores_the_others_and_fails(shell: Shell, model: Path) -> None:
    (shell.folder / "in" / "sub").mkdir(parents=True)
    for name in ("in/a.wav", "in/sub/b.wav"):
        store(shell.folder / name, 100)
    (shell.folder / "in" / "bad.wav").write_text("not audio")
    ran = shell("enhance", "in", "out", "--model", model)
    assert ran.code == 2
    assert ran.out == ""
    assert "bad.wav" in ran.err
    assert "1 of 3" in ran.err.splitlines()[-1]
    assert {n for n in shell.files() if n.startswith("out")} == {"out/a.wav", "out/sub/b.wav"}


def test_models_are_listed(shell: Shell) -> None:
    ran = shell("models", "--json")
    assert ran.code == 0
    models = json.loads(ran.out)["models"]
    for each in models:
        assert {
            "name", "title", "kind", "parameters", "latency_samples", "front_end", "licence",
            "metrics",
        } <= set(each)  # fmt: skip
    people = shell("models")
    assert all(each["name"] in people.out for each in models)


def test_devices_are_listed_or_the_lack_of_audio_is_told(shell: Shell) -> None:
    ran = shell("devices", "--json")
    if ran.code == 2:
        told_in_one_line(ran)
        return
    keys = {
        "name", "host_api", "inputs", "outputs", "default_sample_rate", "accepts_22050_in",
        "accepts_44100_out",
    }  # fmt: skip
    assert all(set(d) == keys for d in json.loads(ran.out)["devices"])


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_has_help(shell: Shell, command: str | None) -> None:
    ran = shell(*([command] if command else []), "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert "usage: topoctave" in ran.out
    if command is None:
        assert all(name in ran.out for name in COMMANDS)


def process(project: Path, folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own, with warnings as errors."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(project),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONWARNINGS": "error,ignore:`torch.jit:DeprecationWarning",
    }
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_help_loads_neither_torch_nor_qt(project: Path, tmp_path: Path) -> None:
    code = (
        "import sys, topoctave\n"
        "try: topoctave.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'PySide6', 'matplotlib', 'scipy', 'resampy'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    run = process(project, tmp_path, "-c", code)
    _, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 0, err


def test_ctrl_c_ends_a_run_with_its_summary(project: Path, tmp_path: Path, model: Path) -> None:
    run = process(
        project, tmp_path, "-m", "topoctave", "live", "--input", "demo", "--loop",
        "--output", "out.wav", "--model", model, "--json", "--threads", 1, "--compute", "cpu",
    )  # fmt: skip
    try:
        assert run.stderr is not None
        while "Ctrl-C" not in (line := run.stderr.readline()):
            assert line, "it ended early"
        unfinished = tmp_path / "out.unfinished.wav"
        wait_until(lambda: unfinished.exists() and unfinished.stat().st_size > 60_000)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=LIMIT_S)
    finally:
        run.kill()
    assert run.returncode == 0, err
    assert "Traceback" not in err
    assert json.loads(out)["model"] == "test"
    assert soundfile.info(tmp_path / "out.wav").duration > 0.2
    assert not unfinished.exists()


@pytest.mark.parametrize("command", ["live", "enhance"])
def test_what_a_crash_left_is_mentioned_at_the_next_start(
    shell: Shell, model: Path, song: Path, command: str
) -> None:
    left = shell.folder / "out.unfinished.wav"
    left.write_bytes(b"RIFF")
    files = ["--input", song, "--output", "out.wav"] if command == "live" else [song, "out.wav"]
    ran = shell(command, *files, "--model", model)
    assert ran.code == 0
    assert ran.err.count(left.name) == 1
    assert left.read_bytes() == b"RIFF"


def test_a_disk_that_fills_up_ends_a_live_run(project: Path, tmp_path: Path, model: Path) -> None:
    code = (
        "import resource, sys, topoctave\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "sys.exit(topoctave.main(sys.argv[1:]))\n"
    )
    run = process(
        project, tmp_path, "-c", code, "live", "--input", "demo", "--output", "out.wav",
        "--model", model, "--json", "--threads", 1, "--compute", "cpu",
    )  # fmt: skip
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 2, err
    assert out == ""
    assert "disk is full" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not list(tmp_path.glob("out*"))


def test_a_module_run_says_what_is_wrong_and_exits_with_2(project: Path, tmp_path: Path) -> None:
    run = process(project, tmp_path, "-m", "topoctave", "enhance", "nothing.wav", "out.wav")
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 2
    assert out == ""
    assert err.splitlines() == ["topoctave: there is no file or folder nothing.wav"]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with a mistake in it."""

    def shipped_models() -> list[object]:
        raise ValueError("3 is not\n4")

    monkeypatch.setattr("realtime.inference.model_file.shipped_models", shipped_models)


def test_a_fault_of_the_program_is_not_blamed_on_the_user(shell: Shell, faulty: None) -> None:
    ran = shell("models")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "topoctave: internal error: ValueError: 3 is not 4 (run with --debug for the traceback)\n"
    )


@pytest.mark.parametrize("arguments", [("--debug", "models"), ("models", "--debug")])
def test_debug_shows_the_traceback(shell: Shell, faulty: None, arguments: tuple[str, str]) -> None:
    ran = shell(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" in ran.err
    assert "in shipped_models" in ran.err
    assert ran.err.splitlines()[-1] == "topoctave: internal error: ValueError: 3 is not 4"


def test_debug_shows_the_traceback_of_bad_input_too(shell: Shell) -> None:
    ran = shell("enhance", "nothing.wav", "out.wav", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-1] == "topoctave: there is no file or folder nothing.wav"


def test_native_messages_of_a_command_without_devices_are_shown(
    project: Path, tmp_path: Path
) -> None:
    code = (
        "import os, topoctave, realtime.inference.model_file as m\n"
        "m.shipped_models = lambda: os.write(2, b'a warning of a C library\\n') and []\n"
        "topoctave.main(['models'])\n"
    )
    run = process(project, tmp_path, "-c", code)
    _, err = run.communicate(timeout=LIMIT_S)
    assert err == "a warning of a C library\n"
