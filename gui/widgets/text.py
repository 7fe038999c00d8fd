"""Named characters that are hard to tell apart in source text."""

MINUS = "\u2212"
DASH = "\u2013"
TIMES = "\u00d7"


def with_minus(text: str) -> str:
    """Replace hyphens by minus signs, which are as wide as a plus."""
    return text.replace("-", MINUS)
