"""Slices: how good a model is on parts of the test split, where it is worst, and whether it is fair."""
