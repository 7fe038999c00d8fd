"""Signs that look alike in source text, by name."""

MINUS = "\u2212"
DASH = "\u2013"
TIMES = "\u00d7"


def with_minus(text: str) -> str:
    """With real minus signs, as wide as a plus."""
    return text.replace("-", MINUS)
