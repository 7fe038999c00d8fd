"""The two spectrograms and everything drawn on them."""
