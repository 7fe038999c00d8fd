"""Replaces a network that fails or is too slow by the dry path, and tries it again."""

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np

from realtime.dsp.processor import Audio, ProcessSpec
from realtime.dsp.ramp import RAMP_SAMPLES, Ramp
from realtime.errors import error_line
from realtime.guarded_thread import GuardedThread
from realtime.sample_rates import SAMPLE_RATE_OUT

if TYPE_CHECKING:
    from realtime.dsp.chain import NetworkPath

TOO_SLOW = "the network is slower than real time"

# A network's output is nonsense if it is 18 dB above the input's recent peak and above full scale.
# The shipped networks reach 12.5 dB, with noise of +1 and -1. Uniform and Gaussian noise, bursts,
# impulses, sines and square waves, loud and quiet, make less.
NONSENSE_GAIN = 8.0
HALF_LIFE_S = 0.5

# A network may be late by half a block, or by this if it is more, and by a block at most: the
# prefill of the output covers it.
LATENESS_S = 0.01

# Audio time until a network is tried again. The pause doubles each time: a network that fails again
# and again is seldom heard to come and go. It is short again after RELIABLE_S of work.
MIN_PAUSE_S, MAX_PAUSE_S = 1.0, 30.0
RELIABLE_S = 10.0
# A trial takes this much audio, and is passed in this part of its duration.
TRIAL_S, TRIAL_SHARE = 0.2, 0.9
# What a network hears before it is heard: its context, which it has forgotten.
CONTEXT_S = 0.3


class Phase(Enum):
    """What a network does."""

    WET = auto()
    """It is heard."""
    RESTING = auto()
    """It is not called."""
    TRIED = auto()
    """Another thread calls it; it is not heard."""
    FED = auto()
    """It gets the input, and is not heard."""


class Fallback:
    """Hears a network as long as it works and is in time, and the dry path otherwise.

    A network fails if it raises, returns a wrong shape, samples that are not finite, or nonsense:
    none of that block is heard. It is too slow if it was when it was loaded, or once its blocks
    are late by half a block's duration in sum: it is not called for the next one. From then on the
    dry path is heard. There is no network's sample to fade from, so the difference between both
    paths continues as its own past, mirrored at its last sample: value and slope go on, and the
    fade is that of a toggle.

    After a pause another thread tries the network, so that a slow one delays nothing. If it works
    again it gets the input for a while, and fades in.

    Args:
        path: the network; ``use_backup`` may replace it after a failure.
        spec: of the blocks.
        clock: seconds, for durations. Pauses count audio.
        bind_thread: prepares another thread to call the network.
        new_thread: makes the thread of a trial.
    """

    def __init__(
        self,
        path: "NetworkPath",
        spec: ProcessSpec,
        *,
        clock: Callable[[], float] = time.perf_counter,
        bind_thread: Callable[[], None] = lambda: None,
        new_thread: Callable[..., GuardedThread] = GuardedThread,
    ) -> None:
        self.clock = clock
        # Written by the processing thread and read by others: single references.
        self.reason = ""
        """Why the dry path is heard, in one line; empty while the network is."""
        self.count = 0
        """How often the dry path took over."""
        self.dry_samples = 0
        """For how many output samples."""
        self._path = path
        self._bind_thread = bind_thread
        self._new_thread = new_thread
        self._thread: GuardedThread | None = None
        # Of a trial: why it failed; None until it has ended. It hands the network over.
        self._verdict: str | None = None
        self._phase = Phase.WET
        self._pause_s = MIN_PAUSE_S
        # Output samples until the phase ends; in WET until the network counts as reliable.
        self._left = 0
        self._late_s = 0.0
        block_s = 2 * spec.max_block_samples / SAMPLE_RATE_OUT
        self._limit_s = min(max(0.5 * block_s, LATENESS_S), block_s)
        self._input_peak = 0.0
        self._gain = Ramp(1.0, length_samples=RAMP_SAMPLES)
        # Of the network's output and the dry path: the newest samples, and how they go on.
        self._past = np.zeros((spec.channels, RAMP_SAMPLES + 1), np.float32)
        self._future = self._past[:, :0]
        if path.load > 1.0:
            self._fail(TOO_SLOW)
            self._gain.jump(0.0)

    def stop(self) -> None:
        """End a trial; one that hangs is left alone."""
        if self._thread is not None:
            self._thread.stop(timeout_s=1.0)

    def process(self, x: Audio, dry: Audio) -> Audio:
        """What is heard of a block.

        Shape:
            - Input: ``[C, n]`` at 22.05 kHz, and the dry path's answer to it, ``[C, 2 n]``
            - Output: ``[C, 2 n]``
        """
        n = dry.shape[1]
        if not n:
            return dry
        self._input_peak *= 0.5 ** (n / (HALF_LIFE_S * SAMPLE_RATE_OUT))
        self._input_peak = max(self._input_peak, float(np.abs(x).max(initial=0.0)))
        self._advance(x)
        self._left -= n
        wet = self._call(x) if self._phase in (Phase.WET, Phase.FED) else None
        self.dry_samples += n if self._phase is not Phase.WET else 0
        if wet is None:
            difference, self._future = np.split(self._future, [n], axis=1)
            difference = np.pad(difference, ((0, 0), (0, n - difference.shape[1])))
        else:
            difference = wet - dry
            self._past = np.concatenate([self._past, difference], axis=1)[:, -RAMP_SAMPLES - 1 :]
            if self._late_s > self._limit_s:
                self._fail(TOO_SLOW)
        if self._gain.resting_at == 0.0:
            return dry
        if wet is not None and self._gain.resting_at == 1.0:
            return wet
        out: Audio = dry + self._gain.next(n) * difference
        return out

    def _advance(self, x: Audio) -> None:
        """Go on to the next phase, if it is time."""
        if self._phase is Phase.RESTING and self._left <= 0 and self._gain.resting_at == 0.0:
            self._phase, self._verdict = Phase.TRIED, None
            self._thread = self._new_thread(
                self._try, name="topoctave-trial", what="the trial of a network", daemon=True
            )
            self._thread.start(x.copy())
        if self._phase is Phase.TRIED and self._verdict is not None:
            self._phase, self._late_s = Phase.FED, 0.0
            self._left = round(CONTEXT_S * SAMPLE_RATE_OUT)
            if self._verdict:
                self._fail(self._verdict)
        elif self._phase is Phase.FED and self._left <= 0:
            self._phase, self.reason = Phase.WET, ""
            self._left = round(RELIABLE_S * SAMPLE_RATE_OUT)
            self._gain.move(1.0)
        elif self._phase is Phase.WET and self._left <= 0:
            self._pause_s = MIN_PAUSE_S

    def _call(self, x: Audio) -> Audio | None:
        """The network's answer to a block; None if it failed."""
        begin = self.clock()
        try:
            y = self._checked(x)
        except Exception as error:  # noqa: BLE001 - whatever a network raises, the audio goes on
            self._fail(self._line(error))
            return None
        late_s = self.clock() - begin - y.shape[1] / SAMPLE_RATE_OUT
        self._late_s = max(self._late_s + late_s, 0.0)
        return y

    def _checked(self, x: Audio) -> Audio:
        y = self._path.process(x)
        # Not a number is above no limit, and below none.
        limit = max(NONSENSE_GAIN * self._input_peak, 1.0)
        if not (peak := float(np.abs(y).max(initial=0.0))) <= limit:
            raise ValueError(f"the network returned samples of {peak:.3g}")
        return y

    def _line(self, error: Exception) -> str:
        # TorchScript says what happened in the last line, CUDA in the first one.
        return error_line(error, 0 if self._path.backup else -1)

    def _fail(self, reason: str) -> None:
        """Leave the network alone for a pause."""
        heard = self._phase is Phase.WET
        if heard:
            self.count += 1
            last = self._past[:, -1:]
            self._future = 2 * last - self._past[:, -2::-1]
            self._gain.move(0.0)
        self._phase, self.reason = Phase.RESTING, reason
        self._left = round(self._pause_s * SAMPLE_RATE_OUT)
        if reason == TOO_SLOW or heard:
            self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)
        if reason != TOO_SLOW and self._path.use_backup(reason):
            self._left = 0

    def _try(self, x: Audio) -> None:
        """Call the network for a while, with one block; in a thread of its own."""
        reason = TOO_SLOW
        try:
            self._bind_thread()
            self._path.reset()
            blocks = max(round(TRIAL_S * SAMPLE_RATE_OUT / (2 * x.shape[1])), 2)
            limit_s = TRIAL_SHARE * blocks * 2 * x.shape[1] / SAMPLE_RATE_OUT
            begin = self.clock()
            while blocks and self.clock() - begin < limit_s:
                self._checked(x)
                blocks -= 1
            if self.clock() - begin < limit_s:
                self._path.reset()
                reason = ""
        except Exception as error:  # noqa: BLE001 - as for a call
            reason = self._line(error)
        self._verdict = reason
