"""What can be wrong with what a training or an evaluation is given."""

from realtime.errors import TopoctaveError


class ConfigError(TopoctaveError):
    """A training configuration is unreadable, or a key or value is wrong."""
