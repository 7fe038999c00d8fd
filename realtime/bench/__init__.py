"""Speed of every stage on this machine."""
