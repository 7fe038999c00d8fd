"""What the user may change while audio runs."""

import dataclasses
import json
from dataclasses import dataclass

from realtime.errors import SettingsError

MAX_MIX = 1.5
MAX_GAIN_DB = 24.0


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Settings of the A/B mix, replaced as a whole.

    Raises:
        SettingsError: if a value is out of its range or not finite.
    """

    bypass: bool = False
    """True plays the kaiser-fast upsampled input, delayed like the network's output."""
    mix: float = 1.0
    """Share of the network, 0 to 1.5; above 1 adds more of the new octave."""
    input_gain_db: float = 0.0
    """-24 to 24, before everything else."""
    output_gain_db: float = 0.0
    """-24 to 24, after everything else."""

    def __post_init__(self) -> None:
        if not isinstance(self.bypass, bool):
            raise SettingsError(f"bypass must be true or false, got {self.bypass!r}")
        ranges = {
            "mix": (0.0, MAX_MIX),
            "input_gain_db": (-MAX_GAIN_DB, MAX_GAIN_DB),
            "output_gain_db": (-MAX_GAIN_DB, MAX_GAIN_DB),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SettingsError(f"{name} must be a number, got {value!r}")
            # NaN is in no range, and a whole number too large for a float can be compared.
            if not low <= value <= high:
                raise SettingsError(f"{name} must be from {low:g} to {high:g}, got {value}")

    def to_json(self) -> str:
        """State as a JSON object."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Parameters":
        """State from :meth:`to_json`; keys that are missing take their defaults.

        Raises:
            SettingsError: if the text is no JSON object, or has unknown keys or bad values.
        """
        try:
            return cls(**json.loads(text))
        # TypeError: no object, or unknown keys.
        except (ValueError, TypeError, RecursionError) as error:
            raise SettingsError(f"parameters cannot be read: {error}") from error
