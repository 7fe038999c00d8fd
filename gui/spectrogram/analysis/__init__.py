"""Columns of the spectrograms and what is measured from them; no Qt."""
