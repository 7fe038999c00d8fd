"""The training of the shipped unet, on one GPU: ``make train-gpu``."""
