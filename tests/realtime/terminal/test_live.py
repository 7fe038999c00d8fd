"""Live in the terminal: meters, summary, fall-backs, and how a run ends."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.audio_io.file_streams import FileOutput, NullOutput
from realtime.dsp.fallback import TOO_SLOW
from realtime.dsp.latency import Latency
from realtime.dsp.parameters import Parameters
from realtime.dsp.processor import Audio
from realtime.engine.engine import Engine
from realtime.engine.settings import Settings
from realtime.engine.snapshot import Faults, Level, Snapshot
from realtime.errors import DeviceError
from realtime.terminal.live import meter_line, run_live, summary, summary_lines
from tests.helpers.engine_signals import file_input, noise
from tests.helpers.fake_streams import Rig, take_no_time
from tests.helpers.networks import loaded_chain
from topoctave import main


class World:
    """What `run_live` opens, without devices and models."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[Settings] = []
        self.refused: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.lines: list[str] = []
        self.seconds = 0.3
        self.make: Callable[[Settings], Engine] = self.engine
        monkeypatch.setattr("realtime.terminal.live.open_engine", self.open_engine)
        monkeypatch.setattr("realtime.audio_io.devices.find_device", self.find_device)

    def find_device(self, kind: str, _name: str) -> object:
        if kind in self.missing:
            raise DeviceError(self.missing[kind])
        return object()

    def open_engine(self, settings: Settings, **_: object) -> Engine:
        self.opened.append(settings)
        for name in (settings.input, settings.output):
            if name in self.refused:
                raise DeviceError(self.refused[name])
        return self.make(settings)

    def engine(self, settings: Settings) -> Engine:
        file = settings.output.endswith(".wav")
        sink = FileOutput(Path(settings.output)) if file else NullOutput()
        source = file_input(noise(round(22_050 * self.seconds)))
        return Engine(source, sink, loaded_chain())

    def run(self, *, seconds: float | None = None, **chosen: str) -> dict[str, Any]:
        return run_live(
            Settings(**chosen),
            Parameters(),
            seconds=seconds,
            fall_back_input="input" not in chosen,
            fall_back_output="output" not in chosen,
            report=self.lines.append,
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.chdir(tmp_path)
    return World(monkeypatch)


def test_a_run_to_the_end_gives_the_summary(world) -> None:
    # A file has no clock, so that a busy machine loses no block.
    result = world.run(input="noise", output="out.wav")
    assert result["seconds"] == pytest.approx(0.3, abs=0.001)
    assert result["model"] == "test"
    assert result["real_time_ratio"]["median"] > 0
    assert all("\n" not in line for line in world.lines)
    assert any("Ctrl-C" in line for line in world.lines)
    json.dumps(result, allow_nan=False)


def test_seconds_end_a_run_early(world) -> None:
    world.seconds = 60.0
    result = world.run(seconds=0.2, input="noise", output="null")
    assert 0.2 <= result["seconds"] < 5.0


def test_without_a_microphone_the_demo_runs_once_into_a_file(world, tmp_path) -> None:
    world.missing = {"input": "there is no input device", "output": "there is no output device"}
    world.run()
    assert [(s.input, s.output) for s in world.opened] == [("demo", "topoctave-demo.wav")]
    assert sum("no microphone" in line for line in world.lines) == 1
    assert soundfile.info(tmp_path / "topoctave-demo.wav").samplerate == 44_100
    assert (tmp_path / "topoctave-demo.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("missing", "refused", "chosen", "opened", "line"),
    [
        ("input", "", {"output": "null"}, [("demo", "null")], "no microphone"),
        ("output", "", {"input": "noise"}, [("noise", "null")], "discarding the output"),
        # A microphone that does not open is none.
        ("", "default", {"output": "null"}, [("default", "null"), ("demo", "null")], "it is busy"),
    ],
)
def test_what_was_chosen_beside_a_missing_device_is_kept(
    world, missing, refused, chosen, opened, line
) -> None:
    world.missing = {missing: f"there is no {missing} device"}
    world.refused = {refused: "it is busy"}
    world.run(**chosen)
    assert [(s.input, s.output) for s in world.opened] == opened
    assert any(line in said for said in world.lines)


def test_devices_that_were_requested_have_no_fall_back(world) -> None:
    world.refused = {"my microphone": "it is busy"}
    with pytest.raises(DeviceError, match="it is busy"):
        world.run(input="my microphone")
    assert len(world.opened) == 1


def test_a_virtual_microphone_never_plays_the_demo(world: World) -> None:
    world.refused = {"default": "there is no microphone"}
    with pytest.raises(DeviceError, match="no microphone"):
        world.run(output="virtual-mic")
    assert [s.input for s in world.opened] == ["default"]


@pytest.mark.parametrize("side", ["source", "sink"])
@pytest.mark.parametrize("line", ["it is busy", "went away"])
def test_a_device_that_does_not_start_or_goes_away_ends_the_run(world, side, line) -> None:
    rig = Rig(loaded_chain())
    device = getattr(rig, side)
    if line == "it is busy":
        device.refuse = DeviceError(line)
    world.make = lambda _: rig.engine
    timer = threading.Timer(0.2, device.unplug)
    timer.start()
    with pytest.raises(DeviceError, match=line):
        world.run(input="fake", output="fake")
    timer.join()
    assert rig.source.stops == rig.sink.stops == 1


def snapshot(**changes: Any) -> Snapshot:
    rig = Rig(loaded_chain())
    shown = vars(rig.engine.snapshot()) | changes
    rig.engine.stop()
    return Snapshot(**shown)


def test_the_summary_has_the_design_s_keys_and_no_others() -> None:
    parts = ("device_in", "block", "front_end", "model", "crossfade", "safety", "device_out")
    result = summary(snapshot(faults=Faults(1, 2, 3, 4), latency=Latency(1, 2, 3, 4, 5, 6, 7)))
    keys = {k: list(v) if isinstance(v, dict) else None for k, v in result.items()}
    assert {k: keys[k] for k in ("real_time_ratio", "block_ms", "xruns", "latency_ms")} == {
        "real_time_ratio": ["median", "p01", "min"],
        "block_ms": ["p50", "p99", "max"],
        "xruns": ["input_overflow", "output_underflow", "ring_overrun", "ring_underrun"],
        "latency_ms": [*parts, "total"],
    }
    assert {"model", "device", "seconds"} <= set(keys)
    assert list(result["xruns"].values()) == [1, 2, 3, 4]
    assert summary(snapshot(faults=Faults(late_blocks=5)))["late_blocks"] == 5
    assert result["latency_ms"]["total"] == pytest.approx(1e3 * 28 / 44_100, abs=1e-3)


def test_the_summary_for_people_names_faults_and_bad_samples() -> None:
    lines = summary_lines(snapshot(faults=Faults(ring_underrun=7, bad_samples=3)))
    assert any("7 ring underruns" in line for line in lines)
    assert any("3 input samples" in line for line in lines)
    assert not any("not numbers" in line for line in summary_lines(snapshot()))


def failing(monkeypatch: pytest.MonkeyPatch, seconds: float, fails_s: float) -> World:
    """A run whose network fails at first."""
    world, calls = World(monkeypatch), []

    def network(x: Audio) -> Audio:
        calls.append(x)
        if len(calls) < fails_s * 44_100 / 256:
            raise RuntimeError("it is tired")
        return x.copy()

    def make(settings: Settings) -> Engine:
        source = file_input(noise(round(22_050 * seconds)))
        engine = Engine(source, NullOutput(), loaded_chain(network))
        take_no_time(engine._loaded.chain)
        return engine

    world.make = make
    return world


def test_a_network_that_failed_for_good_ends_with_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, 0.4, fails_s=1e6)
    assert main(["live", "--input", "noise", "--output", "null", "--json"]) == 1
    out, err = capsys.readouterr()
    fallbacks = json.loads(out)["fallbacks"]
    assert (fallbacks["count"], fallbacks["reason"]) == (1, "it is tired")
    assert 0.3 < fallbacks["seconds"] < 0.5
    assert err.count("the network is left out (it is tired), and tried again") == 1
    assert "left out once, for 0.4 s, still at the end: it is tired" in err


def test_a_network_that_came_back_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    world = failing(monkeypatch, 60.0, fails_s=0.01)

    def report(line: str) -> None:
        world.lines.append(line)
        if line == "the network is back":
            raise KeyboardInterrupt

    result = run_live(
        Settings(input="noise", output="null"),
        Parameters(),
        seconds=None,
        fall_back_input=False,
        fall_back_output=False,
        report=report,
    )
    assert world.lines[1:3] == [
        "the network is left out (it is tired), and tried again",
        "the network is back",
    ]
    assert (result["fallbacks"]["count"], result["fallbacks"]["reason"]) == (1, "")
    assert "left out once" in world.lines[-1]


@pytest.mark.parametrize(("reason", "code"), [("", 0), (TOO_SLOW, 0), ("it is tired", 1)])
def test_only_a_failure_that_lasts_is_an_error(
    monkeypatch: pytest.MonkeyPatch, reason: str, code: int
) -> None:
    shown = snapshot(fallback=reason, fallbacks=3, fallback_s=1.23456)
    result = summary(shown)
    assert result["fallbacks"] == {"count": 3, "reason": reason, "seconds": 1.235}
    monkeypatch.setattr("realtime.terminal.live.run_live", lambda *_, **__: result)
    assert main(["live"]) == code
    assert (f"dry: {reason}" in meter_line(shown)) == bool(reason)


@pytest.mark.parametrize("peak", [-np.inf, -200.0, -60.0, -20.0, 0.0, 6.0])
def test_meters_keep_their_width_at_every_level(peak) -> None:
    level = Level(rms_db=peak, peak_db=peak)
    line = meter_line(snapshot(input_level=level, output_level=level, seconds=3_725.0))
    assert "62:05" in line
    bars = [part[:12] for part in line.split("[")[1:]]
    filled = {bar.count("#") for bar in bars}
    assert filled == {round(12 * (min(max(peak, -60.0), 0.0) + 60) / 60)}
    assert all(set(bar) <= {"#", "."} for bar in bars)
