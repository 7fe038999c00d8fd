"""The streaming U-Net: what it streams is what the network gives for the whole signal."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch.nn import functional

import models.export.fold_batch_norm
import models.export.unet_layers
from models.export.streaming_unet import StreamingUNet
from models.networks.tone_guard import ToneGuard
from models.networks.unet import UNet
from tests.helpers.models.unets import (
    LENGTH,
    LEVEL,
    assert_delayed,
    random_blocks,
    signal,
    streamed,
    unet,
)

# Of the folded network against the trained one: float32 sums in another order.
PARITY = 1e-5
# Layers of random weights amplify rounding, and processors sum in different orders: measured up to
# 5e-5 with AVX2. A misplaced frame makes 1e-3 or more.
ROUNDED = 1e-4
# Of bfloat16 weights and frames against float32, relative to what the network adds: 8 bits of
# mantissa (0.4 %) in each of 30 layers; measured 2 %.
BF16_RELATIVE = 0.05


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [1, 70, 1_000, 12_800])
def test_whole_signals_give_what_the_trained_network_gives(width: int, length: int) -> None:
    network = unet(width)
    x = signal(2, length)
    torch.testing.assert_close(StreamingUNet(network)(x), network(x), rtol=0, atol=ROUNDED)


@pytest.mark.parametrize("lead", [128, 1, 2, 77])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_stream_is_the_whole_signal_late(width: int, lead: int) -> None:
    network = StreamingUNet(unet(width))
    for batch, blocks in ((1, 128), (2, 384), (3, random_blocks(lead)), (1, LENGTH)):
        x = signal(batch)
        assert_delayed(streamed(network, x, blocks, lead=lead), network(x), 509 + lead)


@pytest.mark.parametrize("lead", [128, 1, 77])
def test_a_guarded_network_streams_as_it_gives_whole_signals(lead: int) -> None:
    guarded = copy.deepcopy(unet())
    guarded.guard = ToneGuard()
    network = torch.jit.script(StreamingUNet(guarded))
    t = torch.arange(LENGTH) / 44_100
    tone = LEVEL * torch.sin(2 * torch.pi * 5_000 * t)
    # A tone between noises, and noise between tones.
    x = signal(2)
    x[0, :, LENGTH // 4 : -LENGTH // 4] = tone[LENGTH // 4 : -LENGTH // 4]
    x[1, :, : LENGTH // 4] = tone[: LENGTH // 4]
    expected = guarded(x)
    torch.testing.assert_close(network(x), expected, rtol=0, atol=PARITY)
    middle = slice(LENGTH // 2 - 64, LENGTH // 2 + 64)
    assert torch.equal(expected[0, :, middle], x[0, :, middle])
    assert not torch.equal(expected[1, :, middle], x[1, :, middle])
    assert_delayed(streamed(network, x, random_blocks(lead), lead=lead), expected, 509 + lead)


def test_the_layout_of_wide_networks_streams_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.export.fold_batch_norm, "PANELLED_WEIGHTS", 1000)
    monkeypatch.setattr(models.export.fold_batch_norm, "PANEL_COLUMNS", 16)
    monkeypatch.setattr(models.export.unet_layers, "MERGED_WEIGHTS", 0)
    network = StreamingUNet(unet(4))
    layers = [m for m in network.modules() if isinstance(m, models.export.unet_layers.Convolution)]
    assert max(layer.panels for layer in layers) > 4
    x = signal(2)
    torch.testing.assert_close(network(x), unet(4)(x), rtol=0, atol=PARITY)
    assert_delayed(streamed(torch.jit.script(network), x, 512), network(x), 637)


def test_before_a_stream_there_is_silence() -> None:
    network, x = StreamingUNet(unet()), signal(1)
    whole = network(functional.pad(x, [2_048, 0]))[:, :, 2_048:]
    assert_delayed(streamed(network, x, 256), whole, network.latency_samples, skip=0)


def test_the_state_keeps_its_shapes_and_memory_and_is_not_changed() -> None:
    network = torch.jit.script(StreamingUNet(unet()))
    x = signal(2, 384)
    state = network.initial_state(2)
    before = [s.clone() for s in state]
    _, after = network.stream(x, state)
    assert all(torch.equal(a, b) for a, b in zip(state, before, strict=True))
    assert [(s.shape, s.dtype) for s in after] == [(s.shape, s.dtype) for s in state]
    # Parts of it are views, which must not keep more and more memory alive.
    sizes = set()
    for _ in range(4):
        _, state = network.stream(x, state)
        sizes.add(sum(s.untyped_storage().nbytes() for s in state))
    assert len(sizes) == 1


def test_impossible_blocks_states_and_networks_are_refused() -> None:
    network = StreamingUNet(unet(1))
    for length in (0, 1, 127, 129, 192):
        with pytest.raises(ValueError, match=f"multiple of 128 samples, got {length}"):
            network.stream(torch.zeros(1, 1, length), network.initial_state(1))
    for batch, lead in ((0, 128), (-1, 128), (1, 0), (1, 129)):
        with pytest.raises(ValueError, match="must be"):
            network.initial_state(batch, lead)
    with pytest.raises(ValueError, match="align_corners"):
        StreamingUNet(UNet(width=1, align_corners=True))


def test_bfloat16_weights_stay_near_and_give_float32() -> None:
    network, low = StreamingUNet(unet(4)), StreamingUNet(unet(4)).to(torch.bfloat16)
    x = signal(1)
    for y, expected in [(low(x), network(x)), (streamed(low, x, 512), streamed(network, x, 512))]:
        assert y.dtype == torch.float32
        error = float((y - expected).square().mean().sqrt())
        assert 0.0 < error < BF16_RELATIVE * LEVEL
