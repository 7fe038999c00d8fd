"""The live engine: audio in, the missing octave out. No Qt, no training."""
