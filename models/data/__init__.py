"""Training data: corpora, degradation, preparation."""
