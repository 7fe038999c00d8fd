"""Notices that a device no longer calls back; PortAudio does not report it."""

import math
import time

# A device that has been silent for this long is suspected to be lost.
TIMEOUT_S = 2.0
# Until it calls steadily it has longer: PulseAudio may fill the buffer, and then take two seconds
# to wake a sink.
WAKING_TIMEOUT_S = 10.0
# A suspicion has to last this long: after the program itself was suspended, every device looks
# silent.
CONFIRM_S = 0.3
# A device calls steadily once its first call was this long ago.
SETTLING_S = 0.2


class Watchdog:
    """Measures the pauses between the callbacks of one device."""

    def __init__(self) -> None:
        # Stored by the device's thread, except for the start.
        self._first_call_at = self._last_call_at = 0.0
        self._suspected_at = math.inf
        self._ended = self._lost = False

    def start(self) -> None:
        """The device was started."""
        self._last_call_at = time.monotonic()

    def note_call(self) -> float:
        """Every callback begins with this; returns the seconds since the last one, or the start."""
        now = time.monotonic()
        pause_s, self._last_call_at = now - self._last_call_at, now
        self._first_call_at = self._first_call_at or now
        return pause_s

    def end(self) -> None:
        """PortAudio has ended the stream."""
        self._ended = True

    @property
    def steady(self) -> bool:
        """Whether the device has called for some time."""
        first = self._first_call_at
        return first > 0.0 and self._last_call_at - first > SETTLING_S

    def check(self) -> bool:
        """Look whether the device is lost; once it is, for good."""
        if not self._last_call_at:
            return False
        now = time.monotonic()
        if now - self._last_call_at <= (TIMEOUT_S if self.steady else WAKING_TIMEOUT_S):
            self._suspected_at = math.inf
        else:
            self._suspected_at = min(self._suspected_at, now)
        self._lost = self._lost or self._ended or now - self._suspected_at > CONFIRM_S
        return self._lost
