"""Networks, training, evaluation and export; offline."""
