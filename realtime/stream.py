"""The front door of the package: a stream of audio, restored chunk by chunk, and whole arrays.

::

    from realtime import Stream

    stream = Stream(sample_rate=22050)
    for chunk in stream.map(tts.synthesize("Hello")):
        player.write(chunk)
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from realtime.dsp.processor import Audio
from realtime.errors import SettingsError
from realtime.inference.load import MIN_BLOCK_SAMPLES, LoadedChain, load_chain
from realtime.inference.model_file import ModelInfo, find_model
from realtime.inference.restorer import Restorer
from realtime.inference.tuning import Requested
from realtime.sample_rates import SAMPLE_RATE_IN

Chunk = npt.NDArray[Any]

INT16_SCALE = 32_768.0
# A windowed network runs its whole context for every call.
WINDOW_BLOCK_SAMPLES = 2_048


def stream_block_samples(info: ModelInfo) -> int:
    """Output samples of every call of a network in a stream: the shortest that its grid allows."""
    if info.kind != "streaming":
        return WINDOW_BLOCK_SAMPLES
    return math.ceil(info.block_multiple / MIN_BLOCK_SAMPLES) * MIN_BLOCK_SAMPLES


class Stream:
    """Restores audio chunk by chunk, as fast as its network looks ahead.

    What comes out, ``flush`` included, is to the bit the same for any chunks, and is aligned with
    the input: it has the input's length and begins with its first sample. Another stream may round
    differently, by up to 3e-7. ``process`` returns what is ready: nothing at first, then mostly
    about as much as came in. A stream has no threads and no devices, and leaves torch's settings as
    they are. One thread uses it at a time. Loading takes a second, so keep a stream for many
    utterances.

    From 32 kHz on, the first second of sound is held back to see where its band ends: input that
    has its octave passes through. ``force`` restores it, and holds nothing back.

    Args:
        model: a shipped model by name, ``auto`` for the best-sounding, or a ``.ts`` file.
        sample_rate: of the input, 8 to 384 kHz.
        output_rate: None for 44.1 kHz, 48 kHz, or twice an input rate from 20 to 26 kHz.
        channels: 1 or 2.
        force: restore also what has its octave.
        requested: ``compute`` (``cpu`` by default), ``threads`` (1), ``dtype``.

    Attributes:
        sample_rate: as given.
        output_rate: of the output, in Hz.
        channels: as given.
        latency_samples: at most so many output samples are not ready yet. A player that waits for
            them first never runs dry.

    Raises:
        ModelFileError: if the model cannot be found or used.
        SettingsError: a ValueError, if another argument is wrong.
    """

    def __init__(
        self,
        model: str = "auto",
        *,
        sample_rate: int = SAMPLE_RATE_IN,
        output_rate: int | None = None,
        channels: int = 1,
        force: bool = False,
        **requested: Unpack[Requested],
    ) -> None:
        if channels not in (1, 2):
            raise SettingsError(f"channels must be 1 or 2, got {channels}")
        info = find_model(model)
        # Imported here: torch takes a second to load.
        from realtime.inference.network import thread_settings_kept

        self._settings_kept = thread_settings_kept
        with thread_settings_kept():
            self._loaded: LoadedChain = load_chain(
                info,
                block_samples=stream_block_samples(info),
                channels=channels,
                paced=False,
                **(Requested(compute="cpu", threads=1) | requested),
            )
            self._restorer = Restorer(
                self._loaded,
                sample_rate=sample_rate,
                output_rate=output_rate,
                channels=channels,
                force=force,
            )
        self.sample_rate = sample_rate
        self.output_rate = self._restorer.output_rate
        self.channels = channels
        self.latency_samples = self._restorer.latency_samples
        self._empty: Chunk = np.zeros(0 if channels == 1 else (0, channels), np.float32)

    @property
    def notice(self) -> str:
        """What the user should know, in one line: a gap that stays, input that passes through."""
        return "; ".join(filter(None, [self._restorer.about, self._loaded.notice]))

    def process(self, chunk: Chunk) -> Chunk:
        """Take the next samples and return what is ready, in the same form.

        Shape:
            - Input: ``[n]`` (mono) or ``[n, C]``, int16, or float32 from -1 to 1; any n
            - Output: ``[m]`` or ``[m, C]``, of the input's type

        Raises:
            ValueError: if shape or type is wrong, or a sample is not finite. The stream goes on.
        """
        x = self._checked(chunk)
        self._empty = np.zeros((0, *chunk.shape[1:]), chunk.dtype)
        with self._settings_kept():
            self._loaded.bind_thread()
            return self._formed(self._restorer.process(x))

    def flush(self) -> Chunk:
        """End the signal: the rest of the output. The next chunk begins another signal.

        Shape:
            - Output: as of the last ``process``
        """
        with self._settings_kept():
            self._loaded.bind_thread()
            return self._formed(self._restorer.flush())

    def reset(self) -> None:
        """Forget the past, and what is not ready yet."""
        with self._settings_kept():
            self._restorer.reset()

    def map(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Restore a signal from its chunks, to its end; each output is as soon as can be."""
        try:
            for chunk in chunks:
                if len(out := self.process(chunk)):
                    yield out
            if len(out := self.flush()):
                yield out
        finally:
            self.reset()

    def _checked(self, chunk: object) -> Audio:
        """A chunk as ``[C, n]`` of float32."""
        if not isinstance(chunk, np.ndarray) or chunk.dtype not in (np.int16, np.float32):
            kind = getattr(chunk, "dtype", type(chunk).__name__)
            raise ValueError(f"a chunk must be an array of int16 or float32, got {kind}")
        mono = chunk.ndim == 1 and self.channels == 1
        if not mono and (chunk.ndim != 2 or chunk.shape[1] != self.channels):
            wanted = "[n] or [n, 1]" if self.channels == 1 else f"[n, {self.channels}]"
            raise ValueError(f"a chunk must be {wanted}, got shape {chunk.shape}")
        x = np.ascontiguousarray(chunk.reshape(len(chunk), -1 if len(chunk) else self.channels).T)
        if chunk.dtype == np.int16:
            return x.astype(np.float32) / np.float32(INT16_SCALE)
        if not np.isfinite(x).all():
            raise ValueError("a chunk must be finite")
        return x

    def _formed(self, y: Audio) -> Chunk:
        """``[C, m]`` in the form of the last chunk."""
        if self._empty.dtype == np.int16:
            y = np.clip(np.rint(y * INT16_SCALE), -INT16_SCALE, INT16_SCALE - 1).astype(np.int16)
        return y[0].copy() if self._empty.ndim == 1 else np.ascontiguousarray(y.T)


def restore(
    audio: Chunk, sample_rate: int, *, model: str = "auto", **options: Any
) -> tuple[Chunk, int]:
    """Restore a whole array, as a :class:`Stream` with these options does.

    Shape:
        - Input: ``[n]`` or ``[n, C]``, int16, or float32 from -1 to 1
        - Output: ``[m]`` or ``[m, C]``, and its sample rate in Hz

    Raises:
        ModelFileError: if the model cannot be found or used.
        ValueError: if an argument is wrong.
    """
    channels = audio.shape[1] if np.ndim(audio) == 2 else 1
    stream = Stream(model, sample_rate=sample_rate, channels=channels, **options)
    return np.concatenate([stream.process(audio), stream.flush()]), stream.output_rate
