"""At which rate a device is opened."""

import pytest

import realtime.audio_io.portaudio
from realtime.audio_io.devices import Device, choose_rate
from realtime.errors import DeviceError


@pytest.mark.parametrize(
    ("kind", "accepted", "chosen"),
    [
        ("input", (16_000, 22_050, 48_000), 22_050),
        ("input", (8_000, 16_000, 48_000), 48_000),
        # A headset while it is called.
        ("input", (8_000, 16_000), 16_000),
        ("input", (8_000,), 8_000),
        ("output", (16_000, 44_100), 44_100),
        ("output", (8_000, 16_000), None),
        ("input", (), None),
    ],
)
def test_low_rates_are_for_inputs_that_accept_nothing_else(
    monkeypatch: pytest.MonkeyPatch, kind: str, accepted: tuple[int, ...], chosen: int | None
) -> None:
    monkeypatch.setattr(
        realtime.audio_io.portaudio,
        "accepts",
        lambda _kind, _index, rate, _channels: rate in accepted,
    )
    device = Device(0, "headset", "ALSA", 1, 1, 16_000.0, False, False)
    wanted = 22_050 if kind == "input" else 44_100
    if chosen is None:
        with pytest.raises(DeviceError, match="headset"):
            choose_rate(kind, device, wanted, 1)
    else:
        assert choose_rate(kind, device, wanted, 1) == chosen
