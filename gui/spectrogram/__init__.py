"""The two spectrograms with axes, overlays and colour bar."""
