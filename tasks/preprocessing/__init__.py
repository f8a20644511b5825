"""Preprocessing: constants fitted on the training split, and the transform that they parametrize."""
