"""The training of the width-16 U-Net on one GPU: ``make train-gpu``."""
