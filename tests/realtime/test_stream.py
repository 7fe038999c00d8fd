"""The stream in Python: any chunks, any rate, any form, and nothing left in it or beside it."""

import gc
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime import Stream, restore
from realtime.assets import demo_path
from realtime.files.enhance import Enhancer, Job
from realtime.inference.model_file import find_model
from tests.helpers.engine_signals import noise
from tests.helpers.networks import Doubling, Smooth, doubling_metadata, metadata, write_model

Samples = npt.NDArray[Any]

# Of a network's calls of 128 input samples against calls of 16 384: other kernels round otherwise.
ROUNDING = 5e-6
# The look-ahead of `octave`, in output samples, and the part of 5 ms that the first may wait.
LOOK_AHEAD, MAX_WAIT = 448, 220
CHUNKS = (0, 1, 160, 220, 221, 441, 512, 1023, 10**6)
RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


def made(stream: Stream, x: Samples, lengths: list[int]) -> Samples:
    """A signal in chunks; the last length is repeated."""
    out, at = [], 0
    for length in [*lengths, *[max(lengths[-1], 1)] * (len(x) // max(lengths[-1], 1) + 1)]:
        out.append(stream.process(x[at : at + length]))
        at += length
    return np.concatenate([*out, stream.flush()])


def int16(x: Samples) -> Samples:
    return np.clip(np.rint(x * 32_768), -32_768, 32_767).astype(np.int16)


def low_passed(x: Samples, rate: int, edge_hz: float) -> Samples:
    """Without anything above an edge, ``[n, C]``."""
    spectrum = np.fft.rfft(x, axis=0)
    spectrum[np.fft.rfftfreq(len(x), 1 / rate) > edge_hz] = 0
    return np.fft.irfft(spectrum, len(x), axis=0).astype(np.float32)


def level_db(x: Samples, rate: int, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(x[:, 0] * np.hanning(len(x)))) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / rate)
    return float(10 * np.log10(power[(hz > low_hz) & (hz < high_hz)].mean() + 1e-30))


@pytest.fixture(scope="module")
def octave() -> Stream:
    return Stream()


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Two seconds of the clip, int16."""
    return soundfile.read(demo_path(), dtype="int16", frames=44_100, start=22_050)[0]


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A streaming network that costs nothing, as a file."""
    path = tmp_path_factory.mktemp("model") / "light.ts"
    return str(write_model(path, Doubling(), doubling_metadata()))


@pytest.fixture
def windowed(tmp_path: Path) -> str:
    """A network without a state, as a file."""
    return str(write_model(tmp_path / "windowed.ts", Smooth(), metadata()))


@given(lengths=st.lists(st.sampled_from(CHUNKS), min_size=1, max_size=12), n=st.integers(0, 4_000))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_chunks_do_not_change_a_bit(
    octave: Stream, speech: Samples, lengths: list[int], n: int
) -> None:
    x = speech[: n + 300]
    whole = np.concatenate([octave.process(x), octave.flush()])
    assert whole.dtype == np.int16
    assert len(whole) == 2 * len(x)
    np.testing.assert_array_equal(made(octave, x, lengths), whole)


@pytest.mark.parametrize("length", [1, 221, 10**6])
@pytest.mark.parametrize("rate", RATES)
def test_any_rate_in_any_chunks_is_aligned_and_never_later_than_stated(
    light: str, rate: int, length: int
) -> None:
    x = low_passed(noise(rate // 5, 2).T, rate, 6_000)
    stream = Stream(light, sample_rate=rate, channels=2, force=True)
    assert stream.output_rate in (44_100, 48_000)
    whole = np.concatenate([stream.process(x), stream.flush()])
    assert len(whole) == stream.output_rate // 5
    out, behind = np.zeros((0, 2), np.float32), []
    for at in range(0, len(x), length):
        out = np.concatenate([out, stream.process(x[at : at + length])])
        behind.append(min(at + length, len(x)) * stream.output_rate // rate - len(out))
    assert max(behind) <= stream.latency_samples
    np.testing.assert_array_equal(np.concatenate([out, stream.flush()]), whole)
    # Aligned; the network's own filter is late by a fifth of a sample.
    spectra = [np.fft.rfft(s[:, 0])[: rate // 10] for s in (x, whole)]
    band = slice(20, min(rate // 25, 600))
    shift = np.angle(spectra[0][band] * spectra[1][band].conj())
    late_s = np.median(shift / (2 * np.pi * 5 * np.arange(20, band.stop)))
    assert abs(late_s * stream.output_rate + 0.2) < 0.1


def test_a_stream_is_what_enhance_makes_of_the_file(
    tmp_path: Path, octave: Stream, speech: Samples
) -> None:
    soundfile.write(tmp_path / "in.wav", speech, 22_050, subtype="PCM_16")
    enhancer = Enhancer(find_model("auto"), compute="cpu", threads=1)
    enhancer.file(Job(tmp_path / "in.wav", tmp_path / "out.wav"))
    enhanced = soundfile.read(tmp_path / "out.wav", dtype="float32")[0]
    x = speech.astype(np.float32) / 32_768
    np.testing.assert_allclose(made(octave, x, [221]), enhanced, rtol=0, atol=ROUNDING)
    apart = np.abs(made(octave, speech, [221]).astype(int) - int16(enhanced))
    assert apart.max() <= 1
    assert apart.mean() < 0.02


@pytest.mark.parametrize("rate", [22_050, 24_000])
def test_the_first_output_waits_for_little_more_than_the_look_ahead(rate: int) -> None:
    stream = Stream(sample_rate=rate)
    fed = 0
    while not len(stream.process(np.ones(1, np.float32))):
        fed += 1
    assert LOOK_AHEAD < 2 * (fed + 1) <= LOOK_AHEAD + MAX_WAIT
    assert stream.latency_samples == LOOK_AHEAD + 254


@pytest.mark.parametrize("shape", [(500,), (500, 1), (0,), (1,), (0, 1)])
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_the_output_has_the_form_of_the_input(
    light: str, shape: tuple[int, ...], kind: Any
) -> None:
    x = np.full(shape, 0.25 if kind is np.float32 else 8_192, kind)
    stream = Stream(light)
    parts = [stream.process(x), stream.flush()]
    assert {p.dtype for p in parts} == {np.dtype(kind)}
    assert {p.shape[1:] for p in parts} == {shape[1:]}
    assert sum(len(p) for p in parts) == 2 * shape[0]
    y, rate = restore(x, 24_000, model=light)
    np.testing.assert_array_equal(y, np.concatenate(parts))
    assert rate == 48_000


def test_a_chunk_may_be_longer_than_a_minute_and_at_full_scale(windowed: str) -> None:
    x = np.full((61 * 22_050, 2), -32_768, np.int16)
    stream = Stream(windowed, channels=2)
    y = np.concatenate([stream.process(x), stream.flush()])
    assert len(y) == 2 * len(x)
    assert np.ptp(y[200:-200]) == 0
    np.testing.assert_array_equal(made(stream, x[:9_000], [221])[:17_000], y[:17_000])


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros(5),
        np.zeros(5, np.int32),
        np.zeros((5, 2), np.float32),
        np.zeros((1, 5, 1), np.float32),
        np.array([0, np.nan], np.float32),
        np.array(1, np.float32),
        [0.0, 1.0],
        b"\0\0",
    ],
    ids=lambda bad: f"{type(bad).__name__}{getattr(bad, 'shape', '')}",
)
def test_wrong_chunks_are_refused_and_leave_no_trace(octave: Stream, bad: Any) -> None:
    x = noise(600)[0]
    whole = np.concatenate([octave.process(x), octave.flush()])
    first = octave.process(x[:300])
    with pytest.raises(ValueError, match="a chunk must be"):
        octave.process(bad)
    rest = [octave.process(x[300:]), octave.flush()]
    np.testing.assert_array_equal(np.concatenate([first, *rest]), whole)


@pytest.mark.parametrize(
    "options",
    [{"sample_rate": 7_999}, {"sample_rate": 44_100.5}, {"output_rate": 0}, {"channels": 3},
     {"threads": 0}, {"compute": "gpu"}],
)  # fmt: skip
def test_wrong_options_are_value_errors(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        Stream(**options)


def test_reset_forgets_and_map_ends_what_it_began(octave: Stream, speech: Samples) -> None:
    whole = list(octave.map([speech[:5_000]]))
    octave.process(speech[7_000:9_000])
    octave.reset()
    again = octave.map([speech[:2_000], speech[2_000:5_000]])
    parts = [next(again)]
    np.testing.assert_array_equal(np.concatenate([*parts, *again]), np.concatenate(whole))
    for _ in octave.map([speech, speech]):
        break  # The consumer goes away.
    gc.collect()
    np.testing.assert_array_equal(
        np.concatenate(list(octave.map([speech[:5_000]]))), np.concatenate(whole)
    )


@pytest.mark.parametrize(
    ("rate", "edge_hz", "passes", "gap"),
    [(48_000, 16_000, True, False), (44_100, 10_300, False, False), (48_000, 7_000, False, True)],
)
def test_only_what_is_missing_is_added(
    octave: Stream, rate: int, edge_hz: float, passes: bool, gap: bool
) -> None:
    """And what is silent before the sound does not decide."""
    x = low_passed(noise(2 * rate).T, rate, edge_hz)
    x = np.concatenate([np.zeros((rate + 100, 1), np.float32), x])
    stream = Stream(sample_rate=rate)
    y = np.concatenate(list(stream.map([x[:1_000], x[1_000:90_000], x[90_000:]])))
    assert stream.output_rate == rate
    assert ("passed through" in stream.notice) == passes
    assert ("stays empty" in stream.notice) == gap
    if passes:
        np.testing.assert_array_equal(y, x)
        return
    inside = slice(rate + 500, -500)
    apart = low_passed(y - x, rate, edge_hz - 600)[inside]
    assert np.abs(apart).max() < 1e-3 * np.abs(x).max()
    top = level_db(y[inside], rate, 12_500, 15_000)
    assert top > level_db(x[inside], rate, 12_500, 15_000) + 60
    # A network that hears nothing near 9 kHz adds little.
    assert gap or top > level_db(x[inside], rate, 3_000, 6_000) - 40


def test_a_stream_leaves_torch_and_threads_as_they_are(light: str, speech: Samples) -> None:
    torch.set_num_threads(2)
    before = set(threading.enumerate())
    stream = Stream(light)
    np.concatenate(list(stream.map([speech])))
    assert torch.get_num_threads() == 2
    assert np.float32(1e-39) * np.float32(0.5) > 0
    assert set(threading.enumerate()) == before


def test_utterances_keep_the_memory_flat(light: str, speech: Samples) -> None:
    streams = [Stream(light), Stream(light, sample_rate=44_100, force=True)]

    def speak(times: int) -> None:
        for _ in range(times):
            for stream in streams:
                for _ in stream.map(speech[at : at + 512] for at in range(0, 1_536, 512)):
                    pass

    speak(20)
    tracemalloc.start()
    try:
        speak(30)
        early, _ = tracemalloc.get_traced_memory()
        speak(100)
        late, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert late < early + 20_000


def test_importing_the_stream_loads_no_devices_and_no_torch(project: Path) -> None:
    code = (
        "import sys, realtime\n"
        "assert 'numpy' not in sys.modules\n"
        "from realtime import Stream\n"
        "assert 'torch' not in sys.modules\n"
        "import numpy\n"
        "Stream().process(numpy.zeros(1000, numpy.int16))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"sounddevice", "PySide6", "pyqtgraph", "resampy", "scipy", "matplotlib"}
