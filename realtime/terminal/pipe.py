"""Restores audio from standard input to standard output while it comes."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Unpack

import numpy as np

from realtime.errors import AudioFileError, SettingsError
from realtime.files.wav_stream import PcmFormat, header, read_header
from realtime.inference.tuning import Requested
from realtime.stream import Chunk, Stream

FORMATS = ("auto", "s16le", "f32le", "wav")
OUTPUT_FORMATS = ("same", "raw", "wav")
READ_BYTES = 1 << 16


class PcmReader:
    """The samples that come from a file descriptor, as soon as they come.

    Args:
        descriptor: open for reading.
        kind: one of ``FORMATS``; ``auto`` is WAV if it begins as WAV, else 16 bits.
        rate, channels: of raw samples.

    Raises:
        AudioFileError: if WAV is requested and does not come, or has a format of no use.
    """

    def __init__(self, descriptor: int, kind: str, *, rate: int, channels: int) -> None:
        self._descriptor = descriptor
        self._ahead = b""
        self._left: int | None = None
        start = self._exactly(4) if kind in ("auto", "wav") else b""
        self.is_wav = start == b"RIFF"
        if self.is_wav:
            self.form, self._left = read_header(self._exactly)
            return
        if kind == "wav" and start:
            raise AudioFileError("the input is not WAV")
        self._ahead = start
        is_float = kind == "f32le"
        bits = 32 if is_float else 16
        self.form = PcmFormat(rate=rate, channels=channels, bits=bits, is_float=is_float)

    @property
    def frames(self) -> int | None:
        """How many frames will come; None if unknown."""
        return None if self._left is None else self._left // self.form.frame_bytes

    def _read(self, count: int) -> bytes:
        data, self._ahead = self._ahead, b""
        return data or os.read(self._descriptor, count)

    def _exactly(self, count: int) -> bytes:
        """So many bytes, or fewer at the end."""
        data = b""
        while len(data) < count and (more := self._read(count - len(data))):
            data += more
        return data

    def __iter__(self) -> Iterator[Chunk]:
        """Samples, ``[n, C]``, n > 0. A frame that is cut off at the end is left out.

        Raises:
            AudioFileError: if a sample is not finite.
        """
        part, left = b"", self._left
        size = self.form.frame_bytes
        while left != 0:
            data = self._read(READ_BYTES if left is None else min(READ_BYTES, left))
            if not data:
                return
            left = None if left is None else left - len(data)
            part += data
            if whole := len(part) // size * size:
                x = self.form.decode(part[:whole])
                if not np.isfinite(x).all():
                    raise AudioFileError("the input has samples that are not finite numbers")
                yield x
                part = part[whole:]


def load_torch() -> None:
    """Import torch in two thirds of the time, without what ``torch.compile`` alone needs."""
    unneeded = "torch._meta_registrations"
    first = "torch" not in sys.modules
    if first:
        sys.modules[unneeded] = ModuleType(unneeded)
    importlib.import_module("realtime.inference.network")
    if first:
        del sys.modules[unneeded]


def write_all(descriptor: int, data: bytes) -> None:
    """Write to a file descriptor, at once and without a buffer."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def run_pipe(
    source: int,
    target: int,
    *,
    model: str = "auto",
    kind: str = "auto",
    output_kind: str = "same",
    rate: int,
    channels: int = 1,
    output_rate: int | None = None,
    force: bool = False,
    report: Callable[[str], None],
    **requested: Unpack[Requested],
) -> None:
    """Restore what comes from one file descriptor into another, to its end.

    The output has the input's container, raw or WAV, and 16 bits or 32-bit float as the input.

    Args:
        source: open for reading.
        target: open for writing.
        model: as of :class:`realtime.stream.Stream`.
        kind: one of ``FORMATS``.
        output_kind: one of ``OUTPUT_FORMATS``.
        rate: of raw input, in Hz.
        channels: of raw input.
        output_rate: as of a stream.
        force: as of a stream.
        report: is called with one line for the user.
        requested: as of a stream.

    Raises:
        TopoctaveError: if an option, the input or the model cannot be used.
        BrokenPipeError: if no one reads the output any more.
    """
    if kind not in FORMATS:
        raise SettingsError(f"the format must be one of {', '.join(FORMATS)}, got {kind!r}")
    if output_kind not in OUTPUT_FORMATS:
        options = ", ".join(OUTPUT_FORMATS)
        raise SettingsError(f"the output format must be one of {options}, got {output_kind!r}")
    if os.isatty(target):
        raise SettingsError("the output is audio: send it to a file or to another program")
    # While the program before starts to speak.
    load_torch()
    try:
        reader = PcmReader(source, kind, rate=rate, channels=channels)
        stream = Stream(
            model,
            sample_rate=reader.form.rate,
            output_rate=output_rate,
            channels=reader.form.channels,
            force=force,
            **requested,
        )
        is_wav = output_kind == "wav" or (output_kind == "same" and reader.is_wav)
        _restore(reader, stream, target, is_wav=is_wav, report=report)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise AudioFileError(f"standard input or output: {error.strerror}") from error


def _restore(
    reader: PcmReader, stream: Stream, target: int, *, is_wav: bool, report: Callable[[str], None]
) -> None:
    is_float = reader.form.bits != 16
    if is_wav:
        frames = reader.frames
        if frames is not None:
            frames = round(frames * stream.output_rate / stream.sample_rate)
        form = PcmFormat(
            rate=stream.output_rate,
            channels=stream.channels,
            bits=32 if is_float else 16,
            is_float=is_float,
        )
        write_all(target, header(form, frames))
    reported = ""
    for out in stream.map(reader):
        if stream.notice != reported:
            reported = stream.notice
            report(f"topoctave: {reported}")
        write_all(target, np.asarray(out, "<f4" if is_float else "<i2").tobytes())
