"""The command line in a process of its own: signals, a full disk, native messages."""

import json
import signal

import soundfile

from tests.helpers.cli import LIMIT_S, process
from tests.helpers.fake_streams import wait_until


def test_ctrl_c_ends_a_run_with_its_summary(tmp_path, model) -> None:
    run = process(
        tmp_path, "-m", "topoctave", "live", "--input", "demo", "--loop",
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


def test_a_disk_that_fills_up_ends_a_live_run(tmp_path, model) -> None:
    code = (
        "import resource, sys, topoctave\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "sys.exit(topoctave.main(sys.argv[1:]))\n"
    )
    run = process(
        tmp_path, "-c", code, "live", "--input", "demo", "--output", "out.wav",
        "--model", model, "--json", "--threads", 1, "--compute", "cpu",
    )  # fmt: skip
    out, err = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 2, err
    assert out == ""
    assert "disk is full" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not list(tmp_path.glob("out*"))


def test_native_messages_of_a_command_without_devices_are_shown(tmp_path) -> None:
    code = (
        "import os, topoctave, realtime.inference.model_file as m\n"
        "m.shipped_models = lambda: os.write(2, b'a warning of a C library\\n') and []\n"
        "topoctave.main(['models'])\n"
    )
    run = process(tmp_path, "-c", code)
    _, err = run.communicate(timeout=LIMIT_S)
    assert err == "a warning of a C library\n"
