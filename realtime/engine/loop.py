"""A piece of audio that replaces the input, round and round."""

import numpy as np

from realtime.dsp.crossfade import crossfade
from realtime.dsp.processor import Audio, ProcessSpec, check_block
from realtime.dsp.ramp import RAMP_SAMPLES, Ramp
from realtime.sample_rates import SAMPLE_RATE_IN

MAX_LOOP_S = 60
# The 15 ms of the A/B switch, at 22.05 kHz.
FADE_SAMPLES = RAMP_SAMPLES // 2


class _Piece:
    """A piece that repeats: its end fades into its beginning, so a round is shorter by the fade."""

    def __init__(self, audio: Audio) -> None:
        fade = min(FADE_SAMPLES, audio.shape[1] // 2)
        end = audio.shape[1] - fade
        self._round = crossfade(audio[:, end:], audio[:, :end], fade)
        self._position = 0

    def next(self, n: int) -> Audio:
        samples = np.arange(self._position, self._position + n)
        self._position = (self._position + n) % self._round.shape[1]
        return np.take(self._round, samples, axis=1, mode="wrap")


class Loop:
    """Replaces blocks of the input, ``[C, n]`` at 22.05 kHz, while a piece of audio is set."""

    def __init__(self, channels: int) -> None:
        self._spec = ProcessSpec(max_block_samples=MAX_LOOP_S * SAMPLE_RATE_IN, channels=channels)
        # None is the input. Other threads replace the wanted piece; the worker reads it once.
        self._wanted: _Piece | None = None
        self._old: _Piece | None = None
        self._new: _Piece | None = None
        self._share = Ramp(1.0, length_samples=FADE_SAMPLES)

    @property
    def playing(self) -> bool:
        """Whether a piece is set."""
        return self._wanted is not None

    def play(self, audio: Audio | None) -> None:
        """Set the piece, a copy of ``[C, n]``, or None for the input; from any thread.

        Raises:
            ValueError: if it is empty, longer than a minute, not finite, or no float32 of the
                input's channels.
        """
        if audio is not None:
            check_block(np.asarray(audio), self._spec)
            if not audio.size:
                raise ValueError("a loop needs at least one sample")
        self._wanted = None if audio is None else _Piece(audio)

    def process(self, x: Audio) -> Audio:
        """A block of the input, or of the piece; one crossfade at a time from one to the other."""
        wanted, n = self._wanted, x.shape[1]
        if self._share.resting_at == 1.0 and wanted is not self._new:
            self._old, self._new = self._new, wanted
            self._share.jump(0.0)
            self._share.move(1.0)
        if self._share.resting_at == 1.0:
            return self._new.next(n) if self._new else x
        old, new = (piece.next(n) if piece else x for piece in (self._old, self._new))
        # Exactly the new samples after the fade.
        return new + (1.0 - self._share.next(n)) * (old - new)
