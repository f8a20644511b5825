"""Augmentation, balance and label noise: what changes the training split, and only it, after its features are made."""
