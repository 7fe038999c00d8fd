"""Number formats and threads chosen by measurement; blocks that leave nothing behind."""

import copy
import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import Smooth, metadata, unet_metadata, write_model
from test_streaming import unet

import realtime.fit
import realtime.machine
import realtime.network
from models.streaming import StreamingUNet
from realtime.errors import ModelFileError
from realtime.fit import MANY_PARAMETERS, WORTH_FEWER_BITS, Calls, Wish, fit
from realtime.loading import load_chain
from realtime.machine import has_bfloat16, machine_name
from realtime.measurements import Measurements
from realtime.model_file import ModelInfo, read_model_info
from realtime.network import StreamNetwork
from realtime.precision import error_allows, probe
from realtime.processor import Audio
from realtime.thread_trial import TRIAL_ROUNDS, call_durations, fastest_threads

WIDE = ModelInfo(name="wide", path=Path("wide.ts"), parameters=MANY_PARAMETERS)
CALLS = Calls(channels=1, samples=256, pause_s=0.0)
EXACT_S = 1.0
BETTER_S = 0.99 * EXACT_S / WORTH_FEWER_BITS
ADDED = 0.25

# What 1000 blocks may leave behind in Python's heap: caches of the interpreter, far from the
# megabytes that a kilobyte per block would be.
STEADY_BYTES = 64_000


class Half:
    """Adds a quarter to its input; with an error and a speed of its number format's own."""

    ratio = 1
    latency_samples = 0

    def __init__(self, wish: Wish, error: float, call_s: float) -> None:
        self.threads = wish.threads or 2
        self.dtype = wish.dtype
        self.call_s = call_s
        self._gain = np.float32(1 + ADDED + error)
        self.warm = False

    def bind_thread(self) -> None: ...

    def start(self, channels: int) -> None: ...

    def warm_up(self, channels: int, samples: int, *, pause_s: float = 0.0) -> None:
        self.warm = True

    def time_call(self, x: Audio, pause_s: float) -> float:
        return self.call_s

    def __call__(self, x: Audio) -> Audio:
        return x * self._gain


class Maker:
    """Makes them, and counts."""

    def __init__(self, error: float = 0.0, rough_s: float = BETTER_S) -> None:
        self.made: list[Wish] = []
        self._error, self._rough_s = error, rough_s

    def __call__(self, wish: Wish) -> Half:
        self.made.append(wish)
        exact = wish.dtype == "float32"
        return Half(wish, 0.0 if exact else self._error, EXACT_S if exact else self._rough_s)


@pytest.fixture(autouse=True)
def bfloat16_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime.fit, "has_bfloat16", lambda: True)


def fitted(maker: Maker, wish: Wish | None = None, info: ModelInfo = WIDE, **more: Any) -> Half:
    values: dict[str, Any] = {"device": "cpu", "measurements": None} | more
    network = fit(maker, info, CALLS, wish or Wish(), **values)
    assert network.warm
    return network


# 20 dB below what is added is a tenth; 40 dB below the signal, a hundredth of it, is stricter here.
@pytest.mark.parametrize(
    ("error", "rough_s", "dtype"),
    [
        (0.0099, BETTER_S, "bfloat16"),
        (0.0101, BETTER_S, "float32"),
        (float("nan"), BETTER_S, "float32"),
        (0.0, 1.02 * EXACT_S / WORTH_FEWER_BITS, "float32"),
    ],
    ids=["good", "too rough", "broken", "too slow"],
)
def test_fewer_bits_must_pay_and_stay_within_the_error(
    error: float, rough_s: float, dtype: str
) -> None:
    assert fitted(Maker(error, rough_s)).dtype == dtype


def test_the_error_is_small_beside_what_the_network_adds() -> None:
    class Subtle(Half):
        def __init__(self, error: float) -> None:
            super().__init__(Wish(), error, 1.0)
            self._gain = np.float32(1.01 + error)

    # Both are far below the signal.
    assert error_allows(Subtle(0.0), Subtle(0.0009), 1, 512)
    assert not error_allows(Subtle(0.0), Subtle(0.0011), 1, 512)


def test_nothing_is_tried_where_nothing_can_be_won(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    assert fitted(maker, info=replace(WIDE, parameters=MANY_PARAMETERS - 1)).dtype == "float32"
    assert fitted(maker, Wish(dtype="float32")).dtype == "float32"
    monkeypatch.setattr(realtime.fit, "has_bfloat16", lambda: False)
    assert fitted(maker).dtype == "float32"
    assert [w.dtype for w in maker.made] == ["float32"] * 3


def test_what_is_asked_for_is_done() -> None:
    maker = Maker(error=1.0, rough_s=9.0)
    assert fitted(maker, Wish(dtype="bfloat16", threads=1)).dtype == "bfloat16"
    assert maker.made == [Wish(dtype="bfloat16", threads=1)]


def test_gpus_try_tf32_as_well() -> None:
    maker = Maker()
    assert fitted(maker, device="a GPU").dtype == "tf32"
    assert [w.dtype for w in maker.made] == ["float32", "tf32", "bfloat16"]


@pytest.mark.parametrize(
    "failure",
    [ModelFileError("expected Float but found BFloat16"), RuntimeError("out of memory")],
    ids=["unknown", "no room"],
)
def test_a_network_that_cannot_have_another_format_keeps_its_own(failure: Exception) -> None:
    class Old(Maker):
        def __call__(self, wish: Wish) -> Half:
            if wish.dtype != "float32":
                raise failure
            return super().__call__(wish)

    assert fitted(Old()).dtype == "float32"


def test_a_choice_is_made_once(tmp_path: Path) -> None:
    measurements, maker = Measurements(tmp_path / "m.json"), Maker()
    first = fitted(maker, measurements=measurements)
    assert len(maker.made) == 2
    again = fitted(maker, measurements=measurements)
    assert (again.dtype, again.threads) == (first.dtype, first.threads) == ("bfloat16", 2)
    assert maker.made[2:] == [Wish(dtype="bfloat16", threads=2)]
    fitted(maker, device="a GPU", measurements=measurements)
    assert len(maker.made) == 6  # elsewhere it is another choice


@pytest.mark.parametrize(
    "record", [{}, {"threads": 0, "dtype": "float32"}, {"threads": 1, "dtype": "float3"}, {"x": 1}]
)
def test_a_remembered_choice_that_cannot_be_is_made_again(
    tmp_path: Path, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    measurements, maker = Measurements(tmp_path / "m.json"), Maker()
    monkeypatch.setattr(realtime.fit, "measurement_key", lambda *_, **__: "key")
    measurements.put("key", record)
    assert fitted(maker, measurements=measurements).dtype == "bfloat16"
    assert len(maker.made) == 2


def test_the_probe_is_upsampled_speech() -> None:
    x, heard = probe(2, 1)
    np.testing.assert_array_equal(x, heard)
    assert x.shape == (2, 44_100)
    np.testing.assert_array_equal(x[0], x[1])
    spectrum = np.abs(np.fft.rfft(x[0]))
    assert spectrum[:11_025].max() > 100 * spectrum[12_000:].max()


def test_the_machine_has_a_name_and_knows_its_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine_name().endswith(" cores")
    for facts, known in [
        ({}, False),
        ({"flags": ["fpu avx512f"]}, False),
        ({"flags": ["fpu avx512_bf16"] * 2}, True),
        ({"Features": ["asimd bf16"]}, True),
    ]:
        monkeypatch.setattr(realtime.machine, "cpu_facts", lambda facts=facts: facts)
        assert has_bfloat16() is known


@pytest.fixture(scope="module")
def unet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    about = unet_metadata(parameters=MANY_PARAMETERS)
    path = tmp_path_factory.mktemp("model") / "unet.ts"
    network = copy.deepcopy(unet(4))
    # Trained networks add an octave 20 dB below the signal, random ones as much as there is.
    network.final.weight.div_(10)
    network.final.bias.div_(10)
    return write_model(path, StreamingUNet(network), about)


def test_the_unet_in_bfloat16_is_exact_enough_and_float32_outside(unet_file: Path) -> None:
    info = read_model_info(unet_file)
    exact = StreamNetwork(info, compute="cpu", threads=1)
    rough = StreamNetwork(info, compute="cpu", threads=1, dtype="bfloat16")
    assert error_allows(exact, rough, 1, 1024)
    x = probe(1, 1)[0][:, :1024]
    exact.start(1)
    rough.start(1)
    y, z = exact(x), rough(x)
    assert z.dtype == np.float32
    # It does compute in bfloat16.
    assert np.abs(y - z).max() > 1e-5


@pytest.mark.parametrize(
    ("two_threads_s", "chosen"),
    [
        ([0.84] * 6, 2),
        ([0.86] * 6, 1),
        # Fast as a rule, but waiting for other programs now and then.
        ([0.5, 0.5, 0.5, 0.5, 0.5, 3.0], 1),
    ],
    ids=["pays", "hardly pays", "stumbles"],
)
def test_more_threads_must_pay_in_all_but_the_longest_calls(
    unet_file: Path, monkeypatch: pytest.MonkeyPatch, two_threads_s: list[float], chosen: int
) -> None:
    monkeypatch.setattr(realtime.network, "core_count", lambda: 2)
    durations = {1: [1.0] * 6, 2: two_threads_s}
    monkeypatch.setattr(StreamNetwork, "_trial", lambda _, n, **__: durations[n])
    network = StreamNetwork(read_model_info(unet_file), compute="cpu")
    network.warm_up(1, 256)
    assert network.threads == chosen
    StreamNetwork(read_model_info(unet_file), compute="cpu", threads=1).bind_thread()


def test_each_network_is_timed_with_its_own_threads(unet_file: Path) -> None:
    info = read_model_info(unet_file)
    one, two = (StreamNetwork(info, compute="cpu", threads=n) for n in (1, 2))
    seen: list[int] = []
    x = probe(1, 1)[0][:, :256]
    for network in (one, two, one):
        network.start(1)
        network.time_call(x, 0.0)
        seen.append(torch.get_num_threads())
    one.bind_thread()
    assert seen == [1, 2, 1]


def test_a_chain_says_what_it_computes_in(unet_file: Path) -> None:
    info = read_model_info(unet_file)
    loaded = load_chain(info, block_samples=256, compute="cpu", threads=1, dtype="bfloat16")
    assert loaded.dtype == "bfloat16"
    with pytest.raises(ValueError, match="dtype"):
        load_chain(info, block_samples=256, compute="cpu", dtype="float8")


@pytest.mark.parametrize("windowed", [False, True], ids=["streaming", "windowed"])
def test_a_thousand_blocks_leave_nothing_behind(unet_file: Path, windowed: bool) -> None:
    loaded = load_chain(
        read_model_info(unet_file),
        block_samples=128,
        compute="cpu",
        threads=1,
        dtype="float32",
        windowed=windowed,
    )
    loaded.chain.process(np.zeros((1, loaded.chain.lead_samples), np.float32))
    x = np.random.default_rng(0).normal(0, 0.1, (1, 64)).astype(np.float32)
    for _ in range(20):
        loaded.chain.process(x)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(1000 if not windowed else 200):
            loaded.chain.process(x)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < STEADY_BYTES
    assert peak - before < STEADY_BYTES


def test_a_plain_network_runs_in_bfloat16_or_says_that_it_cannot(tmp_path: Path) -> None:
    # Its buffer becomes bfloat16, its input does not.
    path = write_model(tmp_path / "smooth.ts", Smooth(), metadata(parameters=MANY_PARAMETERS))
    info = read_model_info(path)
    with pytest.raises(ModelFileError, match="fails on audio"):
        load_chain(info, block_samples=256, compute="cpu", threads=1, dtype="bfloat16")
    loaded = load_chain(info, block_samples=256, compute="cpu", threads=1)
    assert loaded.dtype == "float32"


def test_a_trial_has_as_many_calls_as_asked_for_or_as_time_allows() -> None:
    seen: list[int] = []
    durations = call_durations(lambda: seen.append(1), calls=5, pause_s=0.0, most_s=60.0)
    assert len(durations) == 5
    assert len(seen) == 6  # the first one does not count
    assert len(call_durations(lambda: None, calls=5, pause_s=0.002, most_s=0.0)) == 1
    # The pauses are not in the durations.
    assert min(call_durations(lambda: None, calls=3, pause_s=0.02, most_s=60.0)) < 0.02


def test_choices_of_threads_take_turns() -> None:
    order: list[int] = []

    def trial(threads: int) -> list[float]:
        order.append(threads)
        return [1.0 / threads]

    assert fastest_threads([1, 2, 4], trial) == (4, 0.25)
    assert order == [1, 2, 4] * TRIAL_ROUNDS
    # Where nothing is known to be faster, the fewest.
    assert fastest_threads([1, 2], lambda _: [float("nan")])[0] == 1
