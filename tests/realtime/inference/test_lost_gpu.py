"""A GPU that is lost: live and in a file, the network goes on on the CPU, and one line says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from realtime.dsp.processor import Audio
from realtime.files.enhance import Enhancer, Job
from realtime.inference.load import Layout, LoadedChain
from realtime.inference.model_file import ModelInfo
from tests.helpers.cli import store
from tests.helpers.engine_signals import noise
from tests.helpers.fake_streams import Rig
from tests.helpers.networks import loaded_around, smooth
from tests.realtime.inference.conftest import load

BLOCK = 256
REASON = "CUDA error: unspecified launch failure"


def loaded(fails_at: int | None) -> LoadedChain:
    """Windows of a network on a GPU that is lost at a call, with the same on the CPU."""
    calls = []

    def on_gpu(x: Audio) -> Audio:
        calls.append(1)
        if fails_at is not None and len(calls) > fails_at:
            raise RuntimeError(f"{REASON}\nCUDA kernel errors might be reported later")
        return smooth(x)

    on_gpu.call_s = 0.0
    info = ModelInfo(name="stub", path=Path("stub.ts"))
    path = Layout(info, BLOCK, windowed=True).path(on_gpu, smooth)
    return loaded_around(path, block_samples=BLOCK, compute="a GPU")


def test_a_gpu_lost_in_mid_stream_does_not_stop_the_audio() -> None:
    played, x = [], noise(200 * BLOCK)
    for fails_at in (None, 10):
        with Rig(loaded(fails_at)) as rig:
            assert (rig.snapshot.compute, rig.snapshot.notice) == ("a GPU", "")
            rig.run(x)
            seen = rig.snapshot
            played.append(rig.played)
    assert (seen.compute, seen.fallback, seen.fallbacks) == ("cpu", "", 1)
    assert seen.notice == f"a GPU was lost ({REASON}): running on the CPU"
    assert seen.faults.total == 0
    # The same audio as if nothing had happened, but for a second.
    differs = np.flatnonzero(np.abs(played[0] - played[1]).max(axis=0) > 1e-6)
    assert 0 < differs[-1] - differs[0] < 2 * 44_100
    assert seen.fallback_s < 2.0


def test_a_file_that_loses_its_gpu_is_restored_again_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path / "a.wav", 20 * BLOCK)
    monkeypatch.setattr("realtime.files.enhance.BLOCK_SAMPLES", BLOCK)
    outs, notes = [], []
    for fails_at in (None, 5):
        chain = loaded(fails_at)
        monkeypatch.setattr("realtime.files.enhance.load_chain", lambda *_, c=chain, **__: c)
        enhancer = Enhancer(ModelInfo(name="stub", path=Path("stub.ts")))
        for k in range(2):
            job = Job(tmp_path / "a.wav", tmp_path / f"{fails_at}{k}.wav")
            notes.append(enhancer.file(job))
            outs.append(soundfile.read(job.target)[0])
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])
    # Reported once, not with every file.
    assert notes == ["", "", f"a GPU was lost ({REASON}): running on the CPU", ""]


def test_a_file_whose_network_fails_on_the_cpu_is_an_error(smooth_info: ModelInfo) -> None:
    enhancer = Enhancer(smooth_info, compute="cpu", threads=1)
    chain = enhancer.load(1).chain

    def fail(_: Audio) -> Any:
        raise RuntimeError("it is tired")

    chain.paths[0].network.process = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="it is tired"):
        enhancer.samples(noise(1_000))


def test_a_network_on_the_cpu_has_no_backup(smooth_info: ModelInfo) -> None:
    assert load(smooth_info).chain.paths[0].backup is None
