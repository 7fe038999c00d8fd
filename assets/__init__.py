"""Exported networks, the demo clip and pictures; found through ``importlib.resources``."""
