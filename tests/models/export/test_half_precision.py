"""16-bit weights: smaller files, if the rounding is inaudible."""

import re
from pathlib import Path

import pytest
import torch

import models.export.export
from models.export.export import export
from models.export.half_precision import round_bits
from tests.helpers.models.unets import noise
from tests.models.export.conftest import Exported


def test_16_bit_weights_make_the_file_smaller_and_change_next_to_nothing(
    half: Exported, exported: Path
) -> None:
    path, metadata = half
    assert re.fullmatch(r"16-bit weights, (\d+) dB below .*", metadata["stored"])
    # 19 of 32 bits, a little for what is no weight, and matrices that mix two weights.
    assert path.stat().st_size < 0.7 * exported.stat().st_size
    rounded, full = (torch.jit.load(str(p)) for p in (path, exported))
    # Run as ever; whole numbers are no weights.
    assert {b.dtype for b in rounded.buffers()} <= {torch.float32, torch.int32}
    x = 0.3 * noise(1, 1, 8_000)
    error, added = rounded(x) - full(x), full(x) - x
    assert 0.0 < float(error.std()) < 10**-2.5 * float(added.std())


def test_weights_stay_in_32_bits_where_rounding_would_be_audible(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.export.export, "error_db", lambda *_: -49.0)
    assert export(checkpoint, tmp_path / "t.ts")["stored"] == "32-bit weights"


def test_rounding_keeps_11_bits_of_any_size() -> None:
    exact = noise(4, 1_000) * torch.tensor([1e-30, 1e-6, 1.0, 1e30])[:, None]
    rounded = round_bits(exact)
    error = (rounded / exact - 1).abs()
    assert 0.0 < float(error.max()) <= 2**-11
    mantissa = torch.frexp(rounded).mantissa * 2**11
    assert torch.equal(mantissa, mantissa.round())
