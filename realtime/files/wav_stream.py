"""WAV headers of streams: of any length, read and written without seeking."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.errors import AudioFileError

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
# Programs that do not know the length in advance write one near 2 or 4 GB, or none.
UNKNOWN_BYTES = 0x7F000000
MAX_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True)
class PcmFormat:
    """How samples are stored: little-endian, channels interleaved."""

    rate: int
    channels: int
    bits: int = 16
    """8 (unsigned), 16, 24 or 32; 32 or 64 if ``is_float``."""
    is_float: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.bits // 8 * self.channels

    def decode(self, data: bytes) -> npt.NDArray[np.float32] | npt.NDArray[np.int16]:
        """Whole frames as ``[n, C]``: 16 bits as int16, all others as float32."""
        x: npt.NDArray[Any]
        if self.is_float:
            x = np.frombuffer(data, np.dtype(f"<f{self.bits // 8}")).astype(np.float32)
        elif self.bits == 16:
            return np.frombuffer(data, "<i2").astype(np.int16).reshape(-1, self.channels)
        elif self.bits == 8:
            x = (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
        else:
            size = self.bits // 8
            wide = np.zeros((len(data) // size, 4), np.uint8)
            wide[:, 4 - size :] = np.frombuffer(data, np.uint8).reshape(-1, size)
            x = (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
        return x.astype(np.float32, copy=False).reshape(-1, self.channels)


def read_header(read: Callable[[int], bytes]) -> tuple[PcmFormat, int | None]:
    """Read up to the samples, after ``RIFF``.

    ``read`` returns so many bytes, or fewer at the end.

    Returns:
        The format, and the bytes of the samples; None if unknown.

    Raises:
        AudioFileError: if the header is cut off or has a format that cannot be used.
    """

    def exactly(count: int) -> bytes:
        data = read(count)
        if len(data) < count:
            raise AudioFileError("the WAV header is cut off")
        return data

    if exactly(8)[4:] != b"WAVE":
        raise AudioFileError("the input is RIFF, but not WAV")
    found: PcmFormat | None = None
    while True:
        name, size = struct.unpack("<4sI", exactly(8))
        if name == b"data":
            if found is None:
                raise AudioFileError("the WAV header has no format")
            return found, size if 0 < size < UNKNOWN_BYTES else None
        if size > MAX_CHUNK_BYTES:
            raise AudioFileError(f"the WAV header has a chunk of {size} bytes")
        # Chunks begin at even positions.
        body = exactly(size + size % 2)
        if name == b"fmt ":
            found = _format(body)


def _format(body: bytes) -> PcmFormat:
    if len(body) < 16:
        raise AudioFileError("the WAV header is cut off")
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack("<H", body[24:26])
    if bits not in {PCM: (8, 16, 24, 32), FLOAT: (32, 64)}.get(tag, ()):
        raise AudioFileError(f"WAV of format {tag} with {bits} bits cannot be read")
    if not channels:
        raise AudioFileError("the WAV header has 0 channels")
    return PcmFormat(rate=rate, channels=channels, bits=bits, is_float=tag == FLOAT)


def header(form: PcmFormat, frames: int | None) -> bytes:
    """A WAV header for 16-bit or float samples; ``frames`` None if the length is unknown."""
    data = 0xFFFFFFFF if frames is None else min(frames * form.frame_bytes, 0xFFFFFFFF)
    tag = FLOAT if form.is_float else PCM
    rate, size = form.rate, form.frame_bytes
    riff = struct.pack("<4sI4s", b"RIFF", min(data + 36, 0xFFFFFFFF), b"WAVE")
    body = struct.pack("<HHIIHH", tag, form.channels, rate, rate * size, size, form.bits)
    return riff + struct.pack("<4sI", b"fmt ", 16) + body + struct.pack("<4sI", b"data", data)
