"""The results and the output of the commands."""

import json

import numpy as np
import pytest
import soundfile

from tests.helpers.cli import refusal, store


def test_live_json_is_one_object_and_nothing_else(shell, model, song) -> None:
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


def test_live_without_json_prints_nothing_on_stdout(shell, model, song) -> None:
    ran = shell("live", "--input", song, "--output", "null", "--model", model)
    assert ran.code == 0
    assert ran.out == ""
    assert "real-time ratio" in ran.err
    assert "\r" not in ran.err  # meters are for terminals


@pytest.mark.parametrize(("n", "channels"), [(3, 1), (11_025, 2)])
def test_live_and_enhance_give_the_same_samples(shell, model, n, channels) -> None:
    store(shell.folder / "in.wav", n, channels=channels)
    chosen = ("--model", model, "--compute", "cpu", "--threads", 1)
    live = shell("live", "--input", "in.wav", "--output", "live.wav", "--json", *chosen)
    assert live.code == 0, live.err
    ran = shell("enhance", "in.wav", "enhanced.wav", *chosen)
    assert ran.code == 0, ran.err
    late = round(json.loads(live.out)["latency_ms"]["total"] * 44.1)
    one, _ = soundfile.read("live.wav", always_2d=True)
    two, two_rate = soundfile.read("enhanced.wav", always_2d=True)
    assert (two.shape, two_rate) == ((2 * n, channels), 44_100)
    # Only the windows' edges differ.
    np.testing.assert_allclose(one[late:], two, rtol=0, atol=1e-4)


def test_a_file_of_48_khz_is_played_restored_and_written_at_its_own_rate(shell, model) -> None:
    store(shell.folder / "in.wav", 4_800, rate=48_000, channels=2)
    live = shell("live", "--input", "in.wav", "--output", "live.wav", "--model", model, "--json")
    assert live.code == 0, live.err
    late = round(json.loads(live.out)["latency_ms"]["total"] * 44.1)
    assert soundfile.info("live.wav").frames == 4_410 + late
    ran = shell("enhance", "in.wav", "out.wav", "--model", model)
    assert ran.code == 0, ran.err
    assert "passed through" in ran.err
    info = soundfile.info("out.wav")
    assert (info.frames, info.channels, info.samplerate) == (4_800, 2, 48_000)


def test_bypass_is_the_input_s_band(shell, model, song) -> None:
    for name, extra in (("dry.wav", ["--bypass"]), ("none.wav", ["--mix", "0"])):
        shell("live", "--input", song, "--output", name, "--model", model, *extra)
    dry, none = (soundfile.read(name)[0] for name in ("dry.wav", "none.wav"))
    np.testing.assert_array_equal(dry, none)
    assert np.abs(dry).max() > 0.1


def test_a_folder_with_a_bad_file_restores_the_others_and_fails(shell, model) -> None:
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


def test_models_are_listed(shell) -> None:
    ran = shell("models", "--json")
    assert ran.code == 0
    models = json.loads(ran.out)["models"]
    for each in models:
        assert {
            "name", "title", "kind", "parameters", "latency_samples", "front_end", "licence",
            "metrics",
        } <= set(each)  # fmt: skip
    table = shell("models")
    assert all(each["name"] in table.out for each in models)


def test_devices_are_listed_or_the_lack_of_audio_is_reported(shell) -> None:
    ran = shell("devices", "--json")
    if ran.code == 2:
        refusal(ran)
        return
    keys = {
        "name", "host_api", "inputs", "outputs", "default_sample_rate", "accepts_22050_in",
        "accepts_44100_out",
    }  # fmt: skip
    assert all(set(d) == keys for d in json.loads(ran.out)["devices"])


@pytest.mark.parametrize("command", ["live", "enhance"])
def test_what_a_crash_left_is_mentioned_at_the_next_start(shell, model, song, command) -> None:
    left = shell.folder / "out.unfinished.wav"
    left.write_bytes(b"RIFF")
    ran = shell.restore(command, song, "out.wav", model)
    assert ran.code == 0
    assert ran.err.count(left.name) == 1
    assert left.read_bytes() == b"RIFF"
