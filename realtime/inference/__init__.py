"""Model files, and the processors that run their networks."""
