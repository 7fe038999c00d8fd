"""The window. Talks to ``realtime`` only."""
